import FUSE
import Glibc
import Linux
import Testing

@testable import UnionFS

/// What changes leave in the upper directory, and that they leave the lower ones alone.
@Suite struct UnionChangeTests {
    @Test func `copy-up keeps owner, mode, times, attributes and holes`() throws {
        let sandbox = try Sandbox()
        try sandbox.directory("a/d", mode: 0o750)
        try sandbox.file("a/d/f", "start")
        let path = "\(sandbox.path)/a/d/f"
        let file = try FileDescriptor.open(path, .readWrite)
        try file.truncate(to: 8 << 20)
        _ = try "end".utf8.withContiguousStorageIfAvailable {
            try file.write(UnsafeRawBufferPointer($0), at: (8 << 20) - 3)
        }
        try file.setAttribute("user.note", Array("kept".utf8))
        try file.setOwner(uid: 12, gid: 34)
        try file.setMode(0o6751)
        try file.setTimes(
            access: TimeSpec(seconds: 1, nanoseconds: 2), modification: TimeSpec(seconds: 3, nanoseconds: 4))
        try FileDescriptor.currentDirectory.setTimes(
            of: "\(sandbox.path)/a/d", access: TimeSpec(seconds: 5), modification: TimeSpec(seconds: 6))
        let before = try sandbox.status("a/d/f")

        let union = try sandbox.union("a")
        let node = try union.find("d/f")
        let inode = try union.getattr(node).inode
        try union.copyUp(node, .data())
        let after = try sandbox.status("upper/d/f")
        #expect(after.mode == before.mode && after.uid == 12 && after.gid == 34)
        #expect(after.size == before.size && after.allocatedSize <= before.allocatedSize)
        #expect(after.modificationTime == before.modificationTime && after.accessTime == before.accessTime)
        #expect(try sandbox.attribute("user.note", of: "upper/d/f") == "kept")
        #expect(try sandbox.text("upper/d/f") == sandbox.text("a/d/f"))
        #expect(try union.getattr(node).inode == inode)
        #expect(try sandbox.status("upper/d").modificationTime == TimeSpec(seconds: 6))
        #expect(try sandbox.status("upper/d").permissions == 0o750)
        // Not even its inode was touched; reading it here was.
        #expect(try sandbox.status("a/d/f").changeTime == before.changeTime)
    }

    @Test func `the inode number outlives copy-up, rename and the union itself`() throws {
        let sandbox = try Sandbox()
        try sandbox.file("a/f", "text")
        var inode: UInt64 = 0
        do {
            let union = try sandbox.union("a")
            inode = try union.getattr(try union.find("f")).inode
            try named("f") { old in
                try named("g") { new in
                    try union.rename(union.table.root, old, to: union.table.root, new, flags: 0)
                }
            }
        }
        let union = try sandbox.union("a")
        #expect(try union.getattr(try union.find("g")).inode == inode)
        #expect(try !union.exists("f"))
    }

    @Test func `removing a lower name leaves a whiteout, an upper one nothing`() throws {
        let sandbox = try Sandbox()
        try sandbox.file("a/lower")
        try sandbox.file("upper/pure")
        let union = try sandbox.union("a")
        for name in ["lower", "pure"] { try named(name) { try union.unlink(union.table.root, $0) } }
        #expect(try sandbox.status("upper/lower").isWhiteout)
        #expect(try !sandbox.exists("upper/pure"))
        #expect(try sandbox.exists("a/lower"))
        #expect(try union.names("").isEmpty)
    }

    @Test func `whiteouts are one inode`() throws {
        let sandbox = try Sandbox()
        for name in ["x", "y"] { try sandbox.file("a/\(name)") }
        let union = try sandbox.union("a")
        for name in ["x", "y"] { try named(name) { try union.unlink(union.table.root, $0) } }
        #expect(try sandbox.status("upper/x").inode == sandbox.status("upper/y").inode)
    }

    @Test func `a directory made where a lower one was removed is opaque`() throws {
        let sandbox = try Sandbox()
        try sandbox.directory("a/d")
        try sandbox.file("a/d/x")
        let union = try sandbox.union("a")
        let directory = try union.find("d")
        #expect(throws: Errno.ENOTEMPTY) { try named("d") { try union.rmdir(union.table.root, $0) } }
        try named("x") { try union.unlink(directory, $0) }
        try named("d") { try union.rmdir(union.table.root, $0) }
        #expect(try sandbox.status("upper/d").isWhiteout)
        _ = try named("d") { try union.mkdir(union.table.root, $0, mode: 0o755, root) }
        #expect(try sandbox.attribute("trusted.overlay.opaque", of: "upper/d") == "y")
        #expect(try union.names("d").isEmpty)
    }

    @Test func `a lower directory moves in constant time and keeps what is in it`() throws {
        let sandbox = try Sandbox()
        try sandbox.directory("a/d")
        try sandbox.directory("a/d/sub")
        try sandbox.file("a/d/sub/x", "deep")
        try sandbox.directory("a/t")
        do {
            let union = try sandbox.union("a")
            let target = try union.find("t")
            try named("d") { old in
                try named("e") { new in try union.rename(union.table.root, old, to: target, new, flags: 0) }
            }
            #expect(try union.read("t/e/sub/x") == "deep")
        }
        #expect(try sandbox.attribute("trusted.overlay.redirect", of: "upper/t/e") == "/d")
        #expect(try !sandbox.exists("upper/t/e/sub"))
        #expect(try sandbox.status("upper/d").isWhiteout)
        #expect(try sandbox.union("a").read("t/e/sub/x") == "deep")
    }

    @Test func `names of one lower file stay one file`() throws {
        let sandbox = try Sandbox()
        try sandbox.file("a/f", "old")
        try sandbox.directory("a/d")
        try FileDescriptor.currentDirectory.makeLink(
            of: "\(sandbox.path)/a/f", in: FileDescriptor.currentDirectory, at: "\(sandbox.path)/a/d/g")
        do {
            let union = try sandbox.union("a")
            try union.write("new", to: "f")
            #expect(try union.read("d/g") == "new")
            #expect(try union.getattr(try union.find("d/g")).linkCount == 2)
            union.finish()
        }
        // As on the kernel's overlay, the index alone knows the other name.
        #expect(try !sandbox.exists("upper/d"))
        #expect(try sandbox.text("a/f") == "old")
        let union = try sandbox.union("a")
        try named("f") { try union.unlink(union.table.root, $0) }
        #expect(try union.getattr(try union.find("d/g")).linkCount == 1)
    }

    @Test func `programs neither make nor see what belongs to the union`() throws {
        let sandbox = try Sandbox()
        try sandbox.directory("upper/d")
        try sandbox.attribute("trusted.overlay.opaque", "y", of: "upper/d")
        let union = try sandbox.union("a")
        let node = try union.find("d")
        #expect(throws: Errno.EPERM) {
            try named("w") { try union.mknod(union.table.root, $0, mode: S_IFCHR, device: 0, root) }
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 8)
        defer { buffer.deallocate() }
        #expect(throws: Errno.ENODATA) {
            try named("trusted.overlay.opaque") { try union.getxattr(node, $0, into: buffer) }
        }
        #expect(try union.listxattr(node, root, into: buffer) == 0)
        try named("trusted.overlay.opaque") {
            try union.setxattr(node, $0, UnsafeRawBufferPointer(start: nil, count: 0), flags: 0, killSetGroupID: false)
        }
        #expect(try sandbox.attribute("trusted.overlay.overlay.opaque", of: "upper/d") == "")
        #expect(try sandbox.attribute("trusted.overlay.opaque", of: "upper/d") == "y")
        let names = try union.listxattr(node, root, into: buffer)
        #expect(String(decoding: buffer[..<names], as: UTF8.self) == "trusted.overlay.opaque\0")
    }

    @Test func `without an upper directory nothing changes`() throws {
        let sandbox = try Sandbox()
        try sandbox.file("a/f")
        let union = try sandbox.union("a", upper: false)
        let node = try union.find("f")
        #expect(throws: Errno.EROFS) { try union.open(node, .writeOnly, by: nil) }
        #expect(throws: Errno.EROFS) { try named("f") { try union.unlink(union.table.root, $0) } }
        #expect(throws: Errno.EROFS) { try named("d") { try union.mkdir(union.table.root, $0, mode: 0o755, root) } }
    }

    @Test func `what a crash left is removed, and a second union on the same directories refused`() throws {
        let sandbox = try Sandbox()
        try sandbox.directory("work/work")
        try sandbox.file("work/work/#7")
        let union = try sandbox.union("a")
        #expect(try !sandbox.exists("work/work/#7"))
        _ = withExtendedLifetime(union) {
            #expect { try sandbox.union("b") } throws: { ($0 as? UnionFailure)?.code == .busy }
        }
    }

    @Test func `directories that do not fit are named`() throws {
        let sandbox = try Sandbox()
        #expect { try sandbox.union("missing") } throws: { error in
            let failure = error as? UnionFailure
            return failure?.code == .directory && failure?.message.contains("missing") == true
        }
        var configuration = sandbox.configuration(["a"])
        configuration.work = "/dev/shm"
        #expect { try Union(configuration) } throws: { ($0 as? UnionFailure)?.code == .differentFileSystems }
    }
}
