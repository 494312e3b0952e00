public import Linux
internal import CFuse

/// How long the kernel may keep what a reply says without asking again.
public struct Timeout: Hashable, Sendable {
    /// Whole seconds.
    public var seconds: UInt64
    /// Nanoseconds on top, below 1,000,000,000.
    public var nanoseconds: UInt32

    /// Puts seconds and nanoseconds together.
    @inlinable
    public init(seconds: UInt64, nanoseconds: UInt32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Ask again each time.
    public static var zero: Timeout { Timeout(seconds: 0) }
    /// Until the server says otherwise: some 30,000 years, which the kernel's arithmetic can still add to its clock.
    public static var unlimited: Timeout { Timeout(seconds: 1 << 40) }
}

/// What the kernel is told of an inode (`struct fuse_attr`).
public struct Attributes: Hashable, Sendable {
    /// `st_ino` as programs see it.
    public var inode: UInt64 = 0
    /// Size in bytes.
    public var size: UInt64 = 0
    /// Allocated 512-byte units.
    public var blocks: UInt64 = 0
    public var accessTime = TimeSpec(seconds: 0)
    public var modificationTime = TimeSpec(seconds: 0)
    public var changeTime = TimeSpec(seconds: 0)
    /// Type and permission bits, as `st_mode`.
    public var mode: UInt32 = 0
    public var linkCount: UInt32 = 1
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    /// The device that a device node stands for, as `makedev` packs it; the protocol carries its low 32 bits.
    public var rawDevice: UInt64 = 0
    /// Preferred I/O size in bytes.
    public var blockSize: UInt32 = 4096

    /// All zero but the link count and the block size.
    public init() {}

    /// What statx said of a file; change `inode` to what the mount shows.
    public init(_ status: FileStatus) {
        inode = status.inode
        size = UInt64(truncatingIfNeeded: status.size)
        blocks = UInt64(truncatingIfNeeded: status.blocks)
        accessTime = status.accessTime
        modificationTime = status.modificationTime
        changeTime = status.changeTime
        mode = status.mode
        linkCount = status.linkCount
        uid = status.uid
        gid = status.gid
        rawDevice = status.rawDevice
        blockSize = status.blockSize
    }

    /// The kind of file that `mode` says.
    public var type: FileType { FileType(mode: mode) ?? .regular }

    var wire: cfuse_attr {
        var out = cfuse_attr()
        out.ino = inode
        out.size = size
        out.blocks = blocks
        out.atime = UInt64(bitPattern: accessTime.seconds)
        out.mtime = UInt64(bitPattern: modificationTime.seconds)
        out.ctime = UInt64(bitPattern: changeTime.seconds)
        out.atimensec = UInt32(truncatingIfNeeded: accessTime.nanoseconds)
        out.mtimensec = UInt32(truncatingIfNeeded: modificationTime.nanoseconds)
        out.ctimensec = UInt32(truncatingIfNeeded: changeTime.nanoseconds)
        out.mode = mode
        out.nlink = linkCount
        out.uid = uid
        out.gid = gid
        out.rdev = UInt32(truncatingIfNeeded: rawDevice)
        out.blksize = blockSize
        return out
    }
}

/// The answer to "what is there under this name": a node and what is known of it (`struct fuse_entry_out`).
///
/// Each entry in a reply counts as one lookup of its node, which the kernel gives back through `forget`.
public struct Entry: Sendable {
    public var node: NodeID
    /// Tells apart two inodes that have the same `node` number one after the other.
    public var generation: UInt64 = 0
    public var attributes: Attributes
    /// How long the name may be taken to mean this node.
    public var entryTimeout: Timeout = .unlimited
    /// How long the attributes may be taken to be current.
    public var attributesTimeout: Timeout = .unlimited

    /// An entry that the kernel may keep until it is told otherwise.
    public init(node: NodeID, attributes: Attributes) {
        self.node = node
        self.attributes = attributes
    }

    /// "There is nothing of that name", which the kernel may remember for `timeout`.
    public static func negative(timeout: Timeout = .unlimited) -> Entry {
        var entry = Entry(node: NodeID(rawValue: 0), attributes: Attributes())
        entry.entryTimeout = timeout
        return entry
    }

    var wire: cfuse_entry_out {
        var out = cfuse_entry_out()
        out.nodeid = node.rawValue
        out.generation = generation
        out.entry_valid = entryTimeout.seconds
        out.entry_valid_nsec = entryTimeout.nanoseconds
        out.attr_valid = attributesTimeout.seconds
        out.attr_valid_nsec = attributesTimeout.nanoseconds
        out.attr = attributes.wire
        return out
    }
}
