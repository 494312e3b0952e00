import CLinux
import Glibc
import Linux
import Testing

/// mknod(2), unnamed files, sockets, locks.
@Suite struct SpecialFileTests {
    @Test("mknod makes pipes, sockets, devices and regular files", arguments: Subject.allCases)
    func makeNodes(on subject: Subject) throws {
        let device = DeviceNumber(major: 250, minor: 70_000).rawValue
        let kinds: [(String, FileType, UInt64)] = [
            ("p", .fifo, 0), ("s", .socket, 0), ("r", .regular, 0), ("c", .characterDevice, device),
            ("b", .blockDevice, device),
        ]
        try subject.run { area in
            for (name, type, device) in kinds {
                try area.root.makeNode(name, mode: type.rawValue | 0o640, device: device)
                let status = try area.status(name)
                #expect(status.type == type && status.permissions == 0o640 && status.rawDevice == device)
                expectError(.EEXIST) { try area.root.makeNode(name, mode: type.rawValue | 0o640, device: device) }
            }
        }
    }

    @Test("given nodes keep type and device through a change of mode", arguments: Subject.allCases)
    func copyUpNodes(on subject: Subject) throws {
        let device = DeviceNumber(major: 1, minor: 3).rawValue
        try subject.run(given: {
            try $0.root.makeNode("null", mode: S_IFCHR | 0o600, device: device)
            try $0.root.makeNode("s", mode: S_IFSOCK | 0o600)
        }) { area throws in
            try area.setMode("null", 0o666)
            try area.setMode("s", 0o666)
            #expect(try area.status("null").rawDevice == device)
            #expect(try area.status("null").type == .characterDevice && area.status("s").type == .socket)
            // It is the real device: nothing comes out, everything goes in.
            try area.open("null", .readWrite).writeAll("away with it")
            #expect(try area.text("null") == "")
        }
    }

    @Test("nobody makes a whiteout through a union", arguments: Subject.allCases)
    func whiteout(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f") }) { area throws in
            if subject.isUnion {
                expectError(.EPERM) { try area.root.makeNode("w", mode: S_IFCHR | 0o600, device: 0) }
                #expect(try area.names() == ["f"])
            } else {
                try area.root.makeNode("w", mode: S_IFCHR | 0o600, device: 0)
            }
        }
    }

    @Test("only root makes devices", arguments: Subject.allCases)
    func unprivileged(on subject: Subject) throws {
        try subject.run(given: { try $0.directory("d", mode: 0o777) }) { area throws in
            try asUser(1000) {
                expectError(.EPERM) {
                    try area.root.makeNode(
                        "d/c", mode: S_IFCHR | 0o600, device: DeviceNumber(major: 1, minor: 3).rawValue)
                }
                try area.root.makeNode("d/p", mode: S_IFIFO | 0o600)
            }
            #expect(try area.names("d") == ["p"])
        }
    }

    @Test("O_TMPFILE: a file without a name, until it is given one", arguments: Subject.allCases)
    func temporaryFile(on subject: Subject) throws {
        try subject.run(given: { try $0.directory("d") }) { area throws in
            let file = try area.open("d", [.temporaryFile, .readWrite], mode: 0o640)
            #expect(try file.status().linkCount == 0)
            try file.writeAll("text")
            #expect(try file.text() == "text")
            #expect(try area.names("d") == [])
            try file.makeLink(in: area.root, at: "d/f")
            #expect(try area.text("d/f") == "text")
            let status = try area.status("d/f")
            #expect(status.linkCount == 1 && status.permissions == 0o640)
            #expect(try file.status().inode == status.inode)
            try area.append("d/f", "!")
            #expect(try file.text() == "text!")
            expectError(.EEXIST) { try file.makeLink(in: area.root, at: "d/f") }
        }
    }

    @Test("O_TMPFILE in a set-group-id directory takes its group, and the umask counts", arguments: Subject.allCases)
    func temporaryFileGroup(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("d")
            try $0.setOwner("d", uid: 0, gid: 2000)
            try $0.setMode("d", 0o2775)
        }) { area throws in
            let file = try withMask(0o027) { try area.open("d", [.temporaryFile, .writeOnly], mode: 0o666).release() }
            let owned = FileDescriptor(owning: file)
            #expect(try owned.status().gid == 2000)
            #expect(try owned.status().permissions == 0o640)
        }
    }

    @Test("O_TMPFILE|O_EXCL never gets a name, O_TMPFILE needs to write", arguments: Subject.allCases)
    func temporaryFileRefusals(on subject: Subject) throws {
        try subject.run { area in
            let file = try area.open(".", [.temporaryFile, .readWrite, .exclusive], mode: 0o600)
            expectError(.ENOENT) { try file.makeLink(in: area.root, at: "f") }
            expectError(.EINVAL) { _ = try area.open(".", [.temporaryFile], mode: 0o600) }
            #expect(try area.names() == [])
        }
    }

    @Test("a socket can be bound, reached and unlinked", arguments: Subject.allCases)
    func socket(on subject: Subject) throws {
        try subject.run { area in
            let listener = try UnixSocket()
            try listener.bind(area.path.appending("s"))
            #expect(try area.status("s").type == .socket)
            let client = try UnixSocket()
            try client.connect(area.path.appending("s"))
            expectError(Errno(rawValue: EADDRINUSE)) { try UnixSocket().bind(area.path.appending("s")) }
            try area.remove("s")
            expectError(.ENOENT) { try UnixSocket().connect(area.path.appending("s")) }
        }
    }

    @Test("flock: shared locks share, exclusive ones exclude", arguments: Subject.allCases)
    func wholeFileLocks(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f") }) { area throws in
            let first = try area.open("f", .readWrite)
            let second = try area.open("f", .readWrite)
            #expect(try first.lock(exclusive: false, blocking: false))
            #expect(try second.lock(exclusive: false, blocking: false))
            #expect(try !first.lock(exclusive: true, blocking: false))
            try second.close()
            #expect(try first.lock(exclusive: true, blocking: false))
            let third = try area.open("f", .readWrite)
            #expect(try !third.lock(exclusive: false, blocking: false))
        }
    }

    @Test("fcntl locks hold for ranges", arguments: Subject.allCases)
    func rangeLocks(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "0123456789") }) { area throws in
            let first = try area.open("f", .readWrite)
            let second = try area.open("f", .readWrite)
            #expect(try lockRange(first, type: F_WRLCK, start: 0, length: 5))
            #expect(try !lockRange(second, type: F_RDLCK, start: 4, length: 1))
            #expect(try lockRange(second, type: F_WRLCK, start: 5, length: 5))
            #expect(try lockRange(first, type: F_UNLCK, start: 0, length: 5))
            #expect(try lockRange(second, type: F_RDLCK, start: 0, length: 5))
        }
    }
}

/// A listening or connected stream socket of the file system.
private struct UnixSocket: ~Copyable {
    private let descriptor: FileDescriptor

    init() throws {
        let number = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        if number < 0 { throw Errno.current }
        descriptor = FileDescriptor(owning: number)
    }

    func bind(_ path: String) throws {
        try withAddress(path) { Glibc.bind(descriptor.rawValue, $0, $1) }
        if listen(descriptor.rawValue, 1) < 0 { throw Errno.current }
    }

    func connect(_ path: String) throws { try withAddress(path) { Glibc.connect(descriptor.rawValue, $0, $1) } }

    private func withAddress(_ path: String, _ call: (UnsafePointer<sockaddr>, socklen_t) -> Int32) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8CString)
        guard bytes.count <= MemoryLayout.size(ofValue: address.sun_path) else { throw Errno.ENAMETOOLONG }
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            for (index, byte) in bytes.enumerated() { room[index] = UInt8(bitPattern: byte) }
        }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                call($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if result < 0 { throw Errno.current }
    }
}
