import FUSE
import Glibc
import Linux
import Synchronization
import Testing

/// Passthrough needs `CAP_SYS_ADMIN` in the initial user namespace, as the whole suite of mounts here does.
@Suite(.serialized) struct PassthroughTests {
    @Test(arguments: [true, false])
    func dataGoPastTheServerOrThroughIt(passthrough: Bool) throws {
        try withMount(configure: { fileSystem, options in
            if !passthrough { options.capabilities.remove(.passthrough) }
        }) { mount, source, fileSystem, session in
            #expect(session.passthroughIsAvailable == passthrough)
            let bytes = (0..<(3 << 20) + 17).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            try FileDescriptor.open(mount + "/a", [.writeOnly, .create], mode: 0o644).writeAll(bytes)
            #expect(try FileDescriptor.open(source + "/a").readAll() == bytes)
            let file = try FileDescriptor.open(mount + "/a")
            #expect(try file.readAll() == bytes)
            #expect((fileSystem.count("write") == 0) == passthrough)
            // Written through the server, the pages are in its mount's cache: read then comes for the second mount only.
            #expect(passthrough ? fileSystem.count("read") == 0 : true)
        }
    }

    @Test func largeReadsAreSpliced() throws {
        try withMount(configure: { fileSystem, _ in fileSystem.usesPassthrough = false }) {
            mount, source, fileSystem, _ in
            let bytes = (0..<(2 << 20) + 5).map { UInt8(truncatingIfNeeded: $0 &* 17 >> 2) }
            try FileDescriptor.open(source + "/a", [.writeOnly, .create], mode: 0o644).writeAll(bytes)
            #expect(try FileDescriptor.open(mount + "/a").readAll() == bytes)
            #expect(fileSystem.count("read") > 0)
        }
    }

    /// A write behind the mount's back shows at once in a map made through the mount: both are the same pages.
    @Test func pagesAreThoseOfTheBackingFile() throws {
        try withMount { mount, source, fileSystem, _ in
            try write("aaaa", to: source + "/a")
            let file = try FileDescriptor.open(mount + "/a")
            let memory = try #require(mmap(nil, 4096, PROT_READ, MAP_SHARED, file.rawValue, 0))
            try #require(memory != MAP_FAILED)
            defer { munmap(memory, 4096) }
            #expect(memory.load(as: UInt8.self) == UInt8(ascii: "a"))
            try FileDescriptor.open(source + "/a", .writeOnly).writeAll("bbbb")
            #expect(memory.load(as: UInt8.self) == UInt8(ascii: "b"))
            #expect(fileSystem.count("read") == 0)
        }
    }

    /// With HANDLE_KILLPRIV_V2 the kernel leaves set-id bits to the server; a write through a backing file tells it by a
    /// SETATTR that asks for nothing.
    @Test func aWriteByAnotherUserTakesSetIdBitsAway() throws {
        try withMount { mount, source, fileSystem, session in
            #expect(session.capabilities.contains(.handleKillPrivileges2))
            try write("x", to: source + "/a")
            #expect(chmod(source + "/a", 0o6777) == 0)
            let number = try FileDescriptor.open(mount + "/a", .writeOnly).release()
            defer { Glibc.close(number) }
            // Between fork and _exit only system calls: the other threads' locks are not released in the child.
            let child = fork()
            if child == 0 {
                if setuid(12345) < 0 { _exit(2) }
                var byte = UInt8(ascii: "y")
                _exit(Glibc.write(number, &byte, 1) == 1 ? 0 : 1)
            }
            try #require(child > 0)
            var status: Int32 = 0
            #expect(waitpid(child, &status, 0) == child)
            #expect(status == 0)
            #expect(fileSystem.emptyChanges.load(ordering: .relaxed) == 1)
            #expect(try FileDescriptor.currentDirectory.status(of: source + "/a").permissions == 0o0777)
        }
    }

    @Test func registeringADirectoryIsRefused() throws {
        try withMount { _, source, _, session in
            let directory = try FileDescriptor.open(source, .directory)
            #expect(throws: Errno.self) { try session.registerBacking(directory) }
        }
    }
}
