internal import CLinux
internal import Glibc

/// A point in time as file systems keep it.
public struct TimeSpec: Hashable, Sendable {
    /// Seconds since 1970.
    public var seconds: Int64
    /// Nanoseconds within the second, or `omit`/`now` for `setTimes`.
    public var nanoseconds: Int64

    /// Puts seconds and nanoseconds together.
    public init(seconds: Int64, nanoseconds: Int64 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// `UTIME_OMIT`: leave that time as it is.
    public static let omit = TimeSpec(seconds: 0, nanoseconds: (1 << 30) - 2)
    /// `UTIME_NOW`: the kernel's clock.
    public static let now = TimeSpec(seconds: 0, nanoseconds: (1 << 30) - 1)
}

/// The kind of a file, from the `S_IFMT` bits of its mode.
public enum FileType: UInt32, Hashable, Sendable {
    case fifo = 0o010000
    case characterDevice = 0o020000
    case directory = 0o040000
    case blockDevice = 0o060000
    case regular = 0o100000
    case symbolicLink = 0o120000
    case socket = 0o140000

    /// The kind that a whole mode says; nil for bits that no Linux file has.
    @inlinable
    public init?(mode: UInt32) { self.init(rawValue: mode & 0o170000) }

    /// The value of `d_type` in a directory entry (`DT_*`).
    @inlinable
    public var directoryEntryType: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 12) }
}

/// What statx(2) says of a file.
public struct FileStatus: Hashable, Sendable {
    /// Inode number, unique within `device`.
    public var inode: UInt64
    /// Device of the file system, as `makedev` packs it.
    public var device: UInt64
    /// Device that a device node stands for.
    public var rawDevice: UInt64
    /// Type and permission bits (`st_mode`).
    public var mode: UInt32
    /// Number of hard links.
    public var linkCount: UInt32
    public var uid: UInt32
    public var gid: UInt32
    /// Size in bytes.
    public var size: Int64
    /// Allocated 512-byte units.
    public var blocks: Int64
    /// Preferred I/O size in bytes.
    public var blockSize: UInt32
    public var accessTime: TimeSpec
    public var modificationTime: TimeSpec
    public var changeTime: TimeSpec
    /// Time of birth; zero where the file system does not keep it.
    public var birthTime: TimeSpec

    /// All zero.
    public init() {
        inode = 0
        device = 0
        rawDevice = 0
        mode = 0
        linkCount = 0
        uid = 0
        gid = 0
        size = 0
        blocks = 0
        blockSize = 4096
        accessTime = TimeSpec(seconds: 0)
        modificationTime = TimeSpec(seconds: 0)
        changeTime = TimeSpec(seconds: 0)
        birthTime = TimeSpec(seconds: 0)
    }

    @inline(__always)
    init(_ st: clinux_stat) {
        inode = st.ino
        device = st.dev
        rawDevice = st.rdev
        mode = st.mode
        linkCount = st.nlink
        uid = st.uid
        gid = st.gid
        size = Int64(truncatingIfNeeded: st.size)
        blocks = Int64(truncatingIfNeeded: st.blocks)
        blockSize = st.blksize
        accessTime = TimeSpec(seconds: st.atime_sec, nanoseconds: Int64(st.atime_nsec))
        modificationTime = TimeSpec(seconds: st.mtime_sec, nanoseconds: Int64(st.mtime_nsec))
        changeTime = TimeSpec(seconds: st.ctime_sec, nanoseconds: Int64(st.ctime_nsec))
        birthTime = TimeSpec(seconds: st.btime_sec, nanoseconds: Int64(st.btime_nsec))
    }

    /// The kind of file; a mode without one counts as a regular file.
    @inlinable
    public var type: FileType { FileType(mode: mode) ?? .regular }
    @inlinable
    public var isDirectory: Bool { mode & 0o170000 == 0o040000 }
    @inlinable
    public var isRegular: Bool { mode & 0o170000 == 0o100000 }
    @inlinable
    public var isSymbolicLink: Bool { mode & 0o170000 == 0o120000 }
    /// Permission bits, set-id and sticky included.
    @inlinable
    public var permissions: UInt32 { mode & 0o7777 }
    /// Whether this is a whiteout as kernel overlayfs makes them: a character device 0:0.
    @inlinable
    public var isWhiteout: Bool { mode & 0o170000 == 0o020000 && rawDevice == 0 }
    /// Bytes that the file takes on disk.
    @inlinable
    public var allocatedSize: Int64 { blocks &* 512 }
}

extension FileDescriptor {
    /// Status of the open file itself.
    public func status() throws(Errno) -> FileStatus {
        try status(of: "", flags: clinux_AT_EMPTY_PATH)
    }

    /// Status of a path relative to this directory; a symbolic link at its end is not followed unless asked.
    public func status(of path: UnsafePointer<CChar>, followSymlinks: Bool = false) throws(Errno) -> FileStatus {
        try status(of: path, flags: followSymlinks ? 0 : AT_SYMLINK_NOFOLLOW)
    }

    /// As `status(of:)`, and nil where there is no such file.
    public func statusIfPresent(of path: UnsafePointer<CChar>) throws(Errno) -> FileStatus? {
        do throws(Errno) {
            return try status(of: path)
        } catch {
            if error == .ENOENT || error == .ENOTDIR { return nil }
            throw error
        }
    }

    @inline(__always)
    private func status(of path: UnsafePointer<CChar>, flags: Int32) throws(Errno) -> FileStatus {
        let number = rawValue
        var st = clinux_stat()
        // Not `check`: statx is not interrupted, and this call is the hottest of the union.
        if clinux_stat(number, path, flags, &st) < 0 { throw .current }
        return FileStatus(st)
    }
}

/// What statfs(2) says of a file system.
public struct FileSystemStatus: Sendable {
    /// The magic number, such as 0x65735546 for FUSE.
    public var type: UInt64
    public var blockSize: UInt64
    public var blocks: UInt64
    public var blocksFree: UInt64
    public var blocksAvailable: UInt64
    public var files: UInt64
    public var filesFree: UInt64
    public var nameLength: UInt64
    public var fragmentSize: UInt64
    /// The `ST_*` mount flags.
    public var flags: UInt64

    init(_ st: clinux_statfs) {
        type = st.type
        blockSize = st.block_size
        blocks = st.blocks
        blocksFree = st.blocks_free
        blocksAvailable = st.blocks_available
        files = st.files
        filesFree = st.files_free
        nameLength = st.name_length
        fragmentSize = st.fragment_size
        flags = st.flags
    }

    /// The file system that a path is on.
    public init(path: UnsafePointer<CChar>) throws(Errno) {
        var st = clinux_statfs()
        try checkVoid { clinux_statfs(path, &st) }
        self.init(st)
    }
}

extension FileDescriptor {
    /// The file system that the open file is on.
    public func fileSystemStatus() throws(Errno) -> FileSystemStatus {
        let number = rawValue
        var st = clinux_statfs()
        try checkVoid { clinux_fstatfs(number, &st) }
        return FileSystemStatus(st)
    }
}

/// Device numbers, packed as the C library packs them.
public struct DeviceNumber: Hashable, Sendable {
    /// The packed number, as in `FileStatus.rawDevice`.
    public let rawValue: UInt64
    /// Takes a packed number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Packs a major and a minor number.
    public init(major: UInt32, minor: UInt32) { rawValue = clinux_makedev(major, minor) }
    public var major: UInt32 { clinux_major(rawValue) }
    public var minor: UInt32 { clinux_minor(rawValue) }
}
