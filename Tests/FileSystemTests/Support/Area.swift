import Glibc
import Linux

/// A directory to play in, with short words for what tests do all the time. Paths are relative to it.
final class Area {
    /// The absolute path.
    let path: String
    /// Open for reading.
    private(set) var root: FileDescriptor

    private init(_ path: String) throws(Errno) {
        self.path = path
        root = try FileDescriptor.open(path, [.directory])
    }

    /// Calls `body` with an area; nothing of it is open afterwards, so that a mount can be taken away.
    static func with<Result>(_ path: String, _ body: (Area) throws -> Result) throws -> Result {
        let area = try Area(path)
        defer { area.root = FileDescriptor(owning: -1) }
        return try body(area)
    }

    // MARK: Making

    /// A regular file with some text.
    func file(_ name: String, _ text: String = "text", mode: UInt32 = 0o644) throws {
        let file = try root.open(name, [.writeOnly, .create, .exclusive], mode: 0o600)
        try file.writeAll(text)
        try file.setMode(mode)
    }

    func directory(_ name: String, mode: UInt32 = 0o755) throws {
        try root.makeDirectory(name, mode: 0o700)
        try root.setMode(of: name, mode)
    }

    func symlink(_ name: String, to target: String) throws { try root.makeSymbolicLink(name, to: target) }

    func link(_ name: String, to existing: String) throws { try root.makeLink(of: existing, in: root, at: name) }

    /// A whiteout in the kernel's format; for lower layers, since the mount refuses it.
    func whiteout(_ name: String) throws { try root.makeNode(name, mode: S_IFCHR, device: 0) }

    /// Marks a directory of a lower layer opaque, in the kernel's format.
    func markOpaque(_ name: String) throws {
        let prefix = UserNamespace.isInside ? "user" : "trusted"
        try root.setAttribute("\(prefix).overlay.opaque", of: name, [UInt8(ascii: "y")])
    }

    // MARK: Changing

    func open(_ name: String, _ flags: OpenFlags = .readOnly, mode: UInt32 = 0o644) throws(Errno) -> FileDescriptor {
        try root.open(name, flags, mode: mode)
    }

    /// Replaces the contents of a file that exists.
    func overwrite(_ name: String, _ text: String) throws {
        try root.open(name, [.writeOnly, .truncate]).writeAll(text)
    }

    func append(_ name: String, _ text: String) throws { try root.open(name, [.writeOnly, .append]).writeAll(text) }

    func rename(_ old: String, _ new: String, _ flags: RenameFlags = []) throws(Errno) {
        try root.rename(old, to: root, new, flags: flags)
    }

    func remove(_ name: String) throws(Errno) { try root.unlink(name) }

    func removeDirectory(_ name: String) throws(Errno) { try root.removeDirectory(name) }

    func setMode(_ name: String, _ mode: UInt32) throws(Errno) { try root.setMode(of: name, mode) }

    func setOwner(_ name: String, uid: UInt32?, gid: UInt32?) throws(Errno) {
        try root.setOwner(of: name, uid: uid, gid: gid)
    }

    // MARK: Looking

    func status(_ name: String) throws(Errno) -> FileStatus { try root.status(of: name) }

    func exists(_ name: String) throws(Errno) -> Bool { try root.statusIfPresent(of: name) != nil }

    func text(_ name: String) throws -> String { String(decoding: try root.open(name).readAll(), as: UTF8.self) }

    func target(_ name: String) throws -> String { String(decoding: try root.readLink(name), as: UTF8.self) }

    /// The names in a directory, sorted bytewise.
    func names(_ directory: String = ".") throws -> [String] {
        try root.open(directory, [.directory]).sortedEntryNames().map { name in
            String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}

extension FileDescriptor {
    /// Opens what this descriptor has open once more: open(2) of `/proc/self/fd/N`.
    func reopened(_ flags: OpenFlags) throws(Errno) -> FileDescriptor {
        try withProcPath { (path: UnsafePointer<CChar>) throws(Errno) in try FileDescriptor.open(path, flags) }
    }

    /// Reads up to `count` bytes at an offset.
    func bytes(at offset: Int64, count: Int) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: count)
        let got = try buffer.withUnsafeMutableBytes { try read(into: $0, at: offset) }
        return Array(buffer[..<got])
    }

    func text(at offset: Int64 = 0, count: Int = 4096) throws -> String {
        String(decoding: try bytes(at: offset, count: count), as: UTF8.self)
    }

    /// Writes all of a text at an offset.
    func write(_ text: String, at offset: Int64) throws {
        var bytes = Array(text.utf8)
        let count = try bytes.withUnsafeMutableBytes { try write(UnsafeRawBufferPointer($0), at: offset) }
        if count != bytes.count { throw SetupFailure("pwrite took \(count) bytes of \(bytes.count)") }
    }
}
