import Linux
import TestSupport
import Testing

/// What is on disk when the power goes: an ext4 of its own is cut off from its disk (`EXT4_IOC_SHUTDOWN` without flushing
/// the journal) and mounted again.
@Suite struct PowerCutTests {
    /// Directories for a union whose changes go to such a disk, which is gone afterwards.
    private final class Disk {
        let scratch: String
        var mount: String { scratch.appending("disk") }
        private(set) var isMounted = false

        init(_ scratch: String) throws {
            self.scratch = scratch
            for name in ["disk", "lower", "merged"] { try makeDirectory(scratch.appending(name)) }
            try mountImage(scratch.appending("image"), on: mount, bytes: 256 << 20)
            isMounted = true
            for name in ["upper", "work"] { try makeDirectory(mount.appending(name)) }
        }

        func attach() throws {
            try shell("mount -o loop image disk", in: scratch)
            isMounted = true
        }

        /// The machine stops, and starts again.
        func cut() throws {
            let script = "import fcntl, os, struct; fcntl.ioctl(os.open('.', 0), 0x8004587d, struct.pack('I', 2))"
            try shell("python3 -c \"\(script)\"", in: mount)
        }

        func detach() {
            if isMounted { _ = try? shell("umount disk", in: scratch) }
            isMounted = false
        }
    }

    private func withDisk(_ body: (Disk) throws -> Void) throws {
        try withScratch { scratch in
            let disk = try Disk(scratch)
            defer { disk.detach() }
            try body(disk)
        }
    }

    /// Mounts a union over the disk's directories while `body` runs.
    private func withUnion(on disk: Disk, _ body: (Area) throws -> Void) throws {
        let target = disk.scratch.appending("merged")
        let directories = "lowerdir=\(disk.scratch)/lower,upperdir=\(disk.mount)/upper,workdir=\(disk.mount)/work"
        let done = try runProgram([try MountHelper.path(), target, "-o", directories])
        try #require(done.status == 0, "\(done.output)")
        defer { _ = try? runProgram(["umount", target]) }
        try Area.with(target, body)
    }

    private static let text = String(repeating: "0123456789abcdef", count: 60 << 6)

    /// Something else makes the file system commit its journal.
    private func commitJournal(_ disk: Disk) throws {
        let file = try FileDescriptor.open(disk.mount.appending("other"), [.writeOnly, .create], mode: 0o600)
        try file.writeAll("x")
        try file.sync()
    }

    @Test("the bytes of a file that was only appended to are there", arguments: ["append", "chmod", "truncate"])
    func appended(how: String) throws {
        try withDisk { disk in
            let lower = disk.scratch.appending("lower")
            for number in 0..<30 {
                try FileDescriptor.open("\(lower)/f\(number)", [.writeOnly, .create], mode: 0o644).writeAll(Self.text)
            }
            try withUnion(on: disk) { area in
                for number in 0..<30 {
                    if how == "chmod" { try area.setMode("f\(number)", 0o600) }
                    if how == "truncate" {
                        try truncateFile(area.path.appending("f\(number)"), to: Self.text.utf8.count - 1)
                    }
                    try area.append("f\(number)", "!")
                }
                try commitJournal(disk)
                try disk.cut()
            }
            disk.detach()
            try disk.attach()
            try withUnion(on: disk) { area in
                let damaged = try (0..<30).filter { number in
                    let kept = how == "truncate" ? Self.text.dropLast() : Self.text[...]
                    return try !area.text("f\(number)").hasPrefix(kept)
                }
                #expect(damaged == [])
            }
        }
    }
}
