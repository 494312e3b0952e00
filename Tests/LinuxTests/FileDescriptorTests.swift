import Glibc
import Linux
import Testing

/// A directory of the test's own under /var/tmp, removed with the object.
final class ScratchDirectory: Sendable {
    let path: String
    let descriptor: FileDescriptor

    init() throws {
        path = "/var/tmp/strata-linux-\(getpid())-\(UInt64.random(in: 0 ..< .max))"
        try FileDescriptor.currentDirectory.makeDirectory(path, mode: 0o700)
        descriptor = try FileDescriptor.open(path, .directory)
    }

    deinit { try? FileDescriptor.currentDirectory.removeTree(path) }
}

@Suite struct FileDescriptorTests {
    let scratch: ScratchDirectory
    init() throws { scratch = try ScratchDirectory() }

    @Test func writesAndReadsBack() throws {
        let file = try scratch.descriptor.open("f", [.readWrite, .create], mode: 0o640)
        try file.writeAll("hello")
        _ = try file.seek(0, from: .start)
        #expect(try file.readAll() == Array("hello".utf8))
        let status = try scratch.descriptor.status(of: "f")
        #expect(status.size == 5 && status.permissions == 0o640 && status.type == .regular)
    }

    @Test func missingFileIsENOENT() {
        #expect(throws: Errno.ENOENT) { _ = try scratch.descriptor.open("nothing") }
        #expect(throws: Errno.ENOENT) { _ = try scratch.descriptor.status(of: "nothing") }
    }

    @Test func beneathRefusesToLeave() throws {
        try scratch.descriptor.makeSymbolicLink("out", to: "/etc")
        #expect(throws: Errno.EXDEV) { _ = try scratch.descriptor.open("../x", .readOnly, resolve: .beneath) }
        #expect(throws: Errno.EXDEV) { _ = try scratch.descriptor.open("out/passwd", .readOnly, resolve: .beneath) }
        #expect(throws: Errno.ELOOP) {
            _ = try scratch.descriptor.open("out/passwd", .readOnly, resolve: [.beneath, .noSymlinks])
        }
    }

    @Test func attributesByDescriptorPathAndOPath() throws {
        _ = try scratch.descriptor.open("f", [.writeOnly, .create], mode: 0o600)
        try scratch.descriptor.makeSymbolicLink("link", to: "f")
        let link = try scratch.descriptor.open("link", [.path, .noFollow])
        try link.setAttribute("trusted.strata", [1, 2, 3])
        #expect(try link.attribute("trusted.strata") == [1, 2, 3])
        #expect(try scratch.descriptor.attribute("trusted.strata", of: "link") == [1, 2, 3])
        #expect(try scratch.descriptor.attribute("trusted.strata", of: "f") == nil)
        let large = [UInt8](repeating: 7, count: 3000)
        let file = try scratch.descriptor.open("f", .readOnly)
        try file.setAttribute("user.large", large)
        #expect(try file.attribute("user.large") == large)
        #expect(try file.attributeNames().contains(Array("user.large".utf8CString)))
        #expect(throws: Errno.EEXIST) { try file.setAttribute("user.large", [1], mode: .create) }
    }

    @Test func copyKeepsHolesAndContents() throws {
        let source = try scratch.descriptor.open("sparse", [.readWrite, .create], mode: 0o600)
        try source.truncate(to: 8 << 20)
        let block = [UInt8](repeating: 9, count: 8192)
        _ = try block.withUnsafeBytes { bytes in try source.write(bytes, at: 4 << 20) }
        let size = try source.status().size
        let copy = try scratch.descriptor.open("copy", [.readWrite, .create], mode: 0o600)
        try copy.copyContents(of: source, size: size)
        #expect(try copy.status().size == size)
        #expect(try copy.status().blocks < 1 << 10)
        #expect(try copy.readAll() == source.readAll(fromStart: true))
    }

    @Test func handlesSurviveARename() throws {
        _ = try scratch.descriptor.open("before", [.writeOnly, .create], mode: 0o600)
        let handle = try scratch.descriptor.fileHandle(of: "before")
        try scratch.descriptor.rename("before", to: scratch.descriptor, "after")
        let again = try scratch.descriptor.open(handle, .readOnly)
        #expect(try again.status().inode == scratch.descriptor.status(of: "after").inode)
    }

    @Test func removeTreeTakesAwayEverythingAndFollowsNothing() throws {
        try scratch.descriptor.makeDirectory("keep", mode: 0o700)
        _ = try scratch.descriptor.open("keep/file", [.writeOnly, .create], mode: 0o600)
        try scratch.descriptor.makeDirectory("tree", mode: 0o700)
        try scratch.descriptor.makeDirectory("tree/deep", mode: 0o700)
        try scratch.descriptor.makeSymbolicLink("tree/deep/link", to: "../../keep")
        try scratch.descriptor.removeTree("tree")
        #expect(try scratch.descriptor.sortedEntryNames() == [Array("keep".utf8CString)])
        #expect(try scratch.descriptor.status(of: "keep/file").isRegular)
    }

    @Test func temporaryFileGetsAName() throws {
        let file = try scratch.descriptor.open(".", [.readWrite, .temporaryFile], mode: 0o600)
        try file.writeAll("unnamed")
        try file.makeLink(in: scratch.descriptor, at: "named")
        #expect(try scratch.descriptor.status(of: "named").size == 7)
    }
}

extension FileDescriptor {
    fileprivate func readAll(fromStart: Bool) throws -> [UInt8] {
        _ = try seek(0, from: .start)
        return try readAll()
    }
}

@Suite struct RegularFileTests {
    @Test func `what takes the place of a regular file is not opened`() throws {
        let path = "/var/tmp/strata-regular-\(UInt64.random(in: 0...UInt64.max))"
        try FileDescriptor.currentDirectory.makeDirectory(path, mode: 0o700)
        defer { try? FileDescriptor.currentDirectory.removeTree(path) }
        let directory = try FileDescriptor.open(path, [.directory])
        try directory.open("file", [.create, .writeOnly], mode: 0o600).writeAll("text")
        #expect(try directory.openRegularFile("file").readAll() == Array("text".utf8))
        try directory.makeNode("pipe", mode: FileType.fifo.rawValue | 0o600)
        try directory.makeNode("device", mode: FileType.characterDevice.rawValue | 0o600, device: 0x105)
        try directory.makeSymbolicLink("link", to: "file")
        try directory.makeDirectory("directory", mode: 0o700)
        // A pipe without a writer would be waited for.
        for name in ["pipe", "device", "link", "directory"] {
            #expect(throws: Errno.ESTALE) { _ = try directory.openRegularFile(name) }
        }
    }
}

@Suite struct ChildProcessTests {
    @Test func exitStatusOutputAndFailedExec() throws {
        let pipe = try FileDescriptor.pipe()
        let child = try ChildProcess.spawn(
            "sh", arguments: ["sh", "-c", "echo out; exit 7"], descriptors: [0, pipe.write.rawValue, 2])
        let output = pipe.keepRead()
        #expect(try output.readAll() == Array("out\n".utf8))
        #expect(try child.wait() == .exited(7))
        #expect(throws: Errno.ENOENT) {
            _ = try ChildProcess.spawn("/no/such/program", arguments: ["x"])
        }
    }

    @Test func signalAndStartTime() throws {
        let child = try ChildProcess.spawn("sleep", arguments: ["sleep", "60"])
        #expect(ProcessTable.startTime(of: child.pid) != nil)
        try child.signal(SIGKILL)
        #expect(try child.wait() == .signalled(SIGKILL))
        #expect(ProcessTable.startTime(of: child.pid) == nil)
    }
}
