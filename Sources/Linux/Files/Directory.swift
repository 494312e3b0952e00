internal import CLinux
internal import Glibc

/// One entry of a directory as getdents64(2) gives it. The name is valid during the call it is passed to.
public struct DirectoryEntry {
    /// The name: bytes with a terminating zero.
    public let name: UnsafePointer<CChar>
    /// Its length in bytes, without the zero.
    public let nameLength: Int
    public let inode: UInt64
    /// `d_type`; nil where the file system does not tell (`DT_UNKNOWN`).
    public let type: FileType?
    /// The position after this entry, for `seek`.
    public let nextOffset: Int64

    /// Whether the name is `.` or `..`.
    public var isDotOrDotDot: Bool {
        let dot = CChar(bitPattern: UInt8(ascii: "."))
        return name[0] == dot && (name[1] == 0 || (name[1] == dot && name[2] == 0))
    }

    /// The name as an array with its terminating zero.
    public var bytes: [CChar] { Array(UnsafeBufferPointer(start: name, count: nameLength + 1)) }
}

extension FileDescriptor {
    /// Calls `body` for each entry from the current position on, in the file system's order. The descriptor must be open for
    /// reading (not `O_PATH`). `body` returns false to stop.
    ///
    /// - Parameter includingDots: whether `.` and `..` are entries as well.
    public func forEachEntry(
        includingDots: Bool = false, _ body: (DirectoryEntry) throws(Errno) -> Bool
    ) throws(Errno) {
        let size = 1 << 15
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 8)
        defer { buffer.deallocate() }
        let number = rawValue
        while true {
            let count = Int(try check { clinux_getdents64(number, buffer, size) })
            if count == 0 { return }
            var position = 0
            while position < count {
                // struct linux_dirent64 { u64 ino; s64 off; u16 reclen; u8 type; char name[]; }
                let record = buffer + position
                let length = Int(record.loadUnaligned(fromByteOffset: 16, as: UInt16.self))
                if length < 20 { throw .EIO }
                position += length
                let name = UnsafePointer((record + 19).assumingMemoryBound(to: CChar.self))
                let entry = DirectoryEntry(
                    name: name, nameLength: strlen(name),
                    inode: record.loadUnaligned(as: UInt64.self),
                    type: FileType(rawValue: UInt32(record.load(fromByteOffset: 18, as: UInt8.self)) << 12),
                    nextOffset: record.loadUnaligned(fromByteOffset: 8, as: Int64.self))
                if entry.isDotOrDotDot && !includingDots { continue }
                if try !body(entry) { return }
            }
        }
    }

    /// Names of all entries, each with its terminating zero, sorted bytewise.
    public func sortedEntryNames() throws(Errno) -> [[CChar]] {
        var names: [[CChar]] = []
        try forEachEntry { (entry: DirectoryEntry) throws(Errno) in
            names.append(entry.bytes)
            return true
        }
        return names.sorted { strcmp($0, $1) < 0 }
    }

    /// Removes a name and, where it is a directory, everything below it; never follows a symbolic link.
    /// A name that is gone already is no error.
    public func removeTree(_ path: UnsafePointer<CChar>) throws(Errno) {
        do throws(Errno) {
            try unlink(path)
            return
        } catch {
            if error == .ENOENT { return }
            // EISDIR is Linux's answer for a directory, EPERM POSIX's.
            if error != .EISDIR && error != .EPERM { throw error }
        }
        try removeDirectoryTree(path)
    }

    private func removeDirectoryTree(_ path: UnsafePointer<CChar>) throws(Errno) {
        do throws(Errno) {
            try removeDirectory(path)
            return
        } catch {
            if error == .ENOENT { return }
            if error != .ENOTEMPTY && error != .EEXIST { throw error }
        }
        let directory = try openForRemoval(path)
        for name in try directory.sortedEntryNames() {
            do throws(Errno) {
                try directory.removeTree(name)
            } catch {
                // The mode of a directory of one's own keeps nobody but oneself from emptying it.
                if error != .EACCES { throw error }
                try directory.setMode(0o700)
                try directory.removeTree(name)
            }
        }
        try removeDirectory(path)
    }

    private func openForRemoval(_ path: UnsafePointer<CChar>) throws(Errno) -> FileDescriptor {
        do throws(Errno) {
            return try open(path, [.directory, .noFollow])
        } catch {
            if error != .EACCES { throw error }
            try setMode(of: path, 0o700)
            return try open(path, [.directory, .noFollow])
        }
    }
}
