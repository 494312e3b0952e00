/// The number by which the kernel and the server call an inode (`nodeid` of the protocol).
///
/// Not the `st_ino` a program sees: that is `Attributes.inode`. A node lives from the first reply that names it until
/// the kernel has forgotten every lookup of it.
public struct NodeID: RawRepresentable, Hashable, Sendable {
    /// The number as the protocol carries it; 0 means "no node".
    public let rawValue: UInt64

    /// Takes the number as the protocol carries it.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The root of the mount (`FUSE_ROOT_ID`), known without a lookup.
    public static var root: NodeID { NodeID(rawValue: 1) }
}

/// What the server calls an open file or directory: chosen in the reply to open, handed back with each later request.
public struct HandleID: RawRepresentable, Hashable, Sendable {
    /// The number as the protocol carries it.
    public let rawValue: UInt64

    /// Takes any number that the server can find the open file by.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// For servers that keep nothing for an open file.
    public static var none: HandleID { HandleID(rawValue: 0) }
}

/// A file that the kernel reads and writes by itself, in place of the server; see `Session.registerBacking`.
public struct BackingID: RawRepresentable, Hashable, Sendable {
    /// The number that the kernel gave out; positive.
    public let rawValue: Int32

    /// Takes a number that the kernel gave out.
    @inlinable
    public init(rawValue: Int32) { self.rawValue = rawValue }
}

/// Who asks. The numbers are those of the user namespace in which the file system is mounted.
public struct Request: Sendable {
    public let uid: UInt32
    public let gid: UInt32
    /// Thread id of the caller; 0 where the kernel asks for itself, or the caller has no number in our pid namespace.
    public let pid: Int32
    /// The caller's umask, in requests that create something. The kernel has applied it already unless
    /// `Capabilities.dontMask` was negotiated.
    public let umask: UInt32

    /// Puts a request together; the session does this, and tests that call a file system without a mount.
    @inlinable
    public init(uid: UInt32, gid: UInt32, pid: Int32, umask: UInt32) {
        self.uid = uid
        self.gid = gid
        self.pid = pid
        self.umask = umask
    }
}
