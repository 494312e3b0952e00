public import Linux
internal import CFuse

/// The reply to read.
///
/// Must be answered exactly once, on the thread that received it; dropped unanswered it answers EIO. Each method
/// returns false where the kernel took no notice, because the caller was interrupted or the mount has gone.
public struct DataReply: ~Copyable {
    private var core: ReplyCore

    init(_ core: consuming ReplyCore) { self.core = core }

    /// Answers that the operation failed.
    @discardableResult
    public consuming func error(_ error: Errno) -> Bool { core.status(error.rawValue) }

    /// Answers with bytes; none means the end of the file.
    @discardableResult
    public consuming func data(_ bytes: UnsafeRawBufferPointer) -> Bool { core.bytes(bytes) }

    /// Answers with `count` bytes of an open file from `offset` on, or fewer at its end; a failed read is answered
    /// with its error. The bytes are spliced where that pays.
    @discardableResult
    public consuming func data(from file: borrowing FileDescriptor, offset: Int64, count: Int) -> Bool {
        core.file(file.rawValue, offset: offset, count: count)
    }
}

/// The reply to write and copyFileRange.
///
/// Must be answered exactly once, on the thread that received it; dropped unanswered it answers EIO. Each method
/// returns false where the kernel took no notice, because the caller was interrupted or the mount has gone.
public struct WriteReply: ~Copyable {
    private var core: ReplyCore
    /// Whether the count has 64 bits.
    private let isWide: Bool

    init(_ core: consuming ReplyCore, isWide: Bool = false) {
        self.core = core
        self.isWide = isWide
    }

    /// Answers that the operation failed.
    @discardableResult
    public consuming func error(_ error: Errno) -> Bool { core.status(error.rawValue) }

    /// Answers with the number of bytes that were written.
    @discardableResult
    public consuming func written(_ count: Int) -> Bool {
        if isWide { return core.structure(UInt64(clamping: count)) }
        return core.structure((UInt32(clamping: count), UInt32(0)))
    }
}

/// The reply to getxattr and listxattr.
///
/// Must be answered exactly once, on the thread that received it; dropped unanswered it answers EIO. Each method
/// returns false where the kernel took no notice, because the caller was interrupted or the mount has gone.
public struct XattrReply: ~Copyable {
    private var core: ReplyCore

    init(_ core: consuming ReplyCore) { self.core = core }

    /// Answers that the operation failed.
    @discardableResult
    public consuming func error(_ error: Errno) -> Bool { core.status(error.rawValue) }

    /// Answers how many bytes the value or the list takes, to a request that came with size 0.
    @discardableResult
    public consuming func size(_ count: Int) -> Bool {
        core.structure((UInt32(clamping: count), UInt32(0)))
    }

    /// Answers with the value, or with the list of names, each followed by a zero.
    @discardableResult
    public consuming func value(_ bytes: UnsafeRawBufferPointer) -> Bool { core.bytes(bytes) }

    /// Answers with the size if the request asked for it (`requested` 0), with the value if it fits, else ERANGE.
    @discardableResult
    public consuming func value(_ bytes: UnsafeRawBufferPointer, requested: Int) -> Bool {
        if requested == 0 { return size(bytes.count) }
        if bytes.count > requested { return error(.ERANGE) }
        return value(bytes)
    }
}

/// The reply to lseek.
///
/// Must be answered exactly once, on the thread that received it; dropped unanswered it answers EIO. Each method
/// returns false where the kernel took no notice, because the caller was interrupted or the mount has gone.
public struct SeekReply: ~Copyable {
    private var core: ReplyCore

    init(_ core: consuming ReplyCore) { self.core = core }

    /// Answers that the operation failed.
    @discardableResult
    public consuming func error(_ error: Errno) -> Bool { core.status(error.rawValue) }

    /// Answers with the offset found.
    @discardableResult
    public consuming func offset(_ offset: Int64) -> Bool { core.structure(UInt64(bitPattern: offset)) }
}

/// The reply to statfs.
///
/// Must be answered exactly once, on the thread that received it; dropped unanswered it answers EIO. Each method
/// returns false where the kernel took no notice, because the caller was interrupted or the mount has gone.
public struct FileSystemStatusReply: ~Copyable {
    private var core: ReplyCore

    init(_ core: consuming ReplyCore) { self.core = core }

    /// Answers that the operation failed.
    @discardableResult
    public consuming func error(_ error: Errno) -> Bool { core.status(error.rawValue) }

    /// Answers with the state of a file system; pass that of the upper directory.
    @discardableResult
    public consuming func status(_ status: FileSystemStatus) -> Bool {
        var out = cfuse_statfs_out()
        out.blocks = status.blocks
        out.bfree = status.blocksFree
        out.bavail = status.blocksAvailable
        out.files = status.files
        out.ffree = status.filesFree
        out.bsize = UInt32(clamping: status.blockSize)
        out.namelen = UInt32(clamping: status.nameLength)
        out.frsize = UInt32(clamping: status.fragmentSize)
        return core.structure(out)
    }
}

/// The reply to readdir and readdirplus.
///
/// Must be answered exactly once, on the thread that received it; dropped unanswered it answers EIO. Each method
/// returns false where the kernel took no notice, because the caller was interrupted or the mount has gone.
public struct DirectoryReply: ~Copyable {
    private var core: ReplyCore

    init(_ core: consuming ReplyCore) { self.core = core }

    /// Answers that the operation failed.
    @discardableResult
    public consuming func error(_ error: Errno) -> Bool { core.status(error.rawValue) }

    /// Answers with the entries gathered; an empty buffer means the end of the directory.
    @discardableResult
    public consuming func entries(_ buffer: borrowing DirectoryBuffer) -> Bool { core.bytes(buffer.bytes) }
}

/// The reply to readlink.
///
/// Must be answered exactly once, on the thread that received it; dropped unanswered it answers EIO. Each method
/// returns false where the kernel took no notice, because the caller was interrupted or the mount has gone.
public struct LinkTargetReply: ~Copyable {
    private var core: ReplyCore

    init(_ core: consuming ReplyCore) { self.core = core }

    /// Answers that the operation failed.
    @discardableResult
    public consuming func error(_ error: Errno) -> Bool { core.status(error.rawValue) }

    /// Answers with the target of the link.
    @discardableResult
    public consuming func target(_ bytes: UnsafeRawBufferPointer) -> Bool { core.bytes(bytes) }
}

/// The reply to ioctl.
///
/// Must be answered exactly once, on the thread that received it; dropped unanswered it answers EIO. Each method
/// returns false where the kernel took no notice, because the caller was interrupted or the mount has gone.
public struct IoctlReply: ~Copyable {
    private var core: ReplyCore

    init(_ core: consuming ReplyCore) { self.core = core }

    /// Answers that the operation failed.
    @discardableResult
    public consuming func error(_ error: Errno) -> Bool { core.status(error.rawValue) }

    /// Answers with the call's result and the bytes for the caller's memory.
    @discardableResult
    public consuming func result(_ result: Int32, output: UnsafeRawBufferPointer = .init(start: nil, count: 0)) -> Bool
    {
        core.pieces((result, UInt32(0), UInt32(0), UInt32(0)), output)
    }
}

/// The reply to statx.
///
/// Must be answered exactly once, on the thread that received it; dropped unanswered it answers EIO. Each method
/// returns false where the kernel took no notice, because the caller was interrupted or the mount has gone.
public struct StatusExtendedReply: ~Copyable {
    private var core: ReplyCore

    init(_ core: consuming ReplyCore) { self.core = core }

    /// Answers that the operation failed.
    @discardableResult
    public consuming func error(_ error: Errno) -> Bool { core.status(error.rawValue) }

    /// Answers with the attributes and the time of birth.
    @discardableResult
    public consuming func status(
        _ attributes: Attributes, birthTime: TimeSpec?, timeout: Timeout = .unlimited
    ) -> Bool {
        core.structure(statusReply(attributes, birthTime, timeout))
    }
}

/// `struct fuse_statx_out`.
private func statusReply(_ attributes: Attributes, _ birthTime: TimeSpec?, _ timeout: Timeout) -> cfuse_statx_out {
    func time(_ time: TimeSpec) -> cfuse_statx_time {
        cfuse_statx_time(
            seconds: time.seconds, nanoseconds: UInt32(truncatingIfNeeded: time.nanoseconds), reserved: 0)
    }
    var out = cfuse_statx_out()
    out.attr_valid = timeout.seconds
    out.attr_valid_nsec = timeout.nanoseconds
    out.mask = birthTime == nil ? 0x7ff : 0xfff
    out.blksize = attributes.blockSize
    out.nlink = attributes.linkCount
    out.uid = attributes.uid
    out.gid = attributes.gid
    out.mode = UInt16(truncatingIfNeeded: attributes.mode)
    out.ino = attributes.inode
    out.size = attributes.size
    out.blocks = attributes.blocks
    out.atime = time(attributes.accessTime)
    out.mtime = time(attributes.modificationTime)
    out.ctime = time(attributes.changeTime)
    if let birthTime { out.btime = time(birthTime) }
    let device = DeviceNumber(rawValue: attributes.rawDevice)
    out.rdev_major = device.major
    out.rdev_minor = device.minor
    return out
}
