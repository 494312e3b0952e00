/// Flags of an open file in the reply to open, create and opendir (`FOPEN_*`).
public struct OpenReplyFlags: OptionSet, Sendable {
    /// The bits of `fuse_open_out.open_flags`.
    public let rawValue: UInt32
    /// Takes the bits of `fuse_open_out.open_flags`.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// No page cache for this open file.
    public static let directIO = OpenReplyFlags(rawValue: 1 << 0)
    /// Keep what the page cache holds from earlier opens.
    public static let keepCache = OpenReplyFlags(rawValue: 1 << 1)
    /// lseek fails.
    public static let nonSeekable = OpenReplyFlags(rawValue: 1 << 2)
    /// Keep the directory's entries in the kernel; with `keepCache` those of earlier opens too.
    public static let cacheDirectory = OpenReplyFlags(rawValue: 1 << 3)
    /// No file position at all.
    public static let stream = OpenReplyFlags(rawValue: 1 << 4)
    /// No FLUSH at close, unless the writeback cache is on.
    public static let noFlush = OpenReplyFlags(rawValue: 1 << 5)
    /// Direct writes to one file at the same time.
    public static let parallelDirectWrites = OpenReplyFlags(rawValue: 1 << 6)
    /// Reads, writes and maps go to the backing file; set by the reply methods that take a backing id.
    static let passthrough = OpenReplyFlags(rawValue: 1 << 7)
}

/// What the kernel adds to the flags of an open or create request (`fuse_open_in.open_flags`).
public struct OpenRequestFlags: OptionSet, Sendable {
    /// The bits of `fuse_open_in.open_flags`.
    public let rawValue: UInt32
    /// Takes the bits of `fuse_open_in.open_flags`.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The open truncates, and set-id bits and file capabilities have to go (`FUSE_OPEN_KILL_SUIDGID`).
    public static let killPrivileges = OpenRequestFlags(rawValue: 1 << 0)
}

/// Flags of a write request (`FUSE_WRITE_*`).
public struct WriteFlags: OptionSet, Sendable {
    /// The bits of `fuse_write_in.write_flags`.
    public let rawValue: UInt32
    /// Takes the bits of `fuse_write_in.write_flags`.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Written back from the page cache: the uid, gid and handle may be another writer's.
    public static let fromCache = WriteFlags(rawValue: 1 << 0)
    /// Set-id bits and file capabilities have to go.
    public static let killPrivileges = WriteFlags(rawValue: 1 << 2)
}

/// What the two sides of a session can do: the flags of the INIT request and reply (`FUSE_*` in `linux/fuse.h`).
///
/// Asked for in `Session.Options`; the session gets those of them that the kernel offers.
public struct Capabilities: OptionSet, Sendable, Hashable {
    /// `flags` in the low, `flags2` in the high 32 bits.
    public let rawValue: UInt64
    /// `flags` in the low, `flags2` in the high 32 bits.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let asyncRead = Capabilities(rawValue: 1 << 0)
    /// `O_TRUNC` arrives with open instead of as a SETATTR of its own.
    public static let atomicTruncate = Capabilities(rawValue: 1 << 3)
    /// lookup of "." and ".." is answered, so that NFS can export the mount.
    public static let exportSupport = Capabilities(rawValue: 1 << 4)
    public static let bigWrites = Capabilities(rawValue: 1 << 5)
    /// The server applies the umask (needed for default ACLs).
    public static let dontMask = Capabilities(rawValue: 1 << 6)
    public static let spliceWrite = Capabilities(rawValue: 1 << 7)
    public static let spliceMove = Capabilities(rawValue: 1 << 8)
    public static let spliceRead = Capabilities(rawValue: 1 << 9)
    public static let directoryIoctl = Capabilities(rawValue: 1 << 11)
    /// Cached pages go when attributes show another modification time.
    public static let automaticInvalidation = Capabilities(rawValue: 1 << 12)
    public static let readDirectoryPlus = Capabilities(rawValue: 1 << 13)
    /// READDIRPLUS only where the kernel guesses that attributes will be asked for.
    public static let adaptiveReadDirectoryPlus = Capabilities(rawValue: 1 << 14)
    public static let asyncDirectIO = Capabilities(rawValue: 1 << 15)
    /// Writes gather in the page cache; excludes passthrough.
    public static let writebackCache = Capabilities(rawValue: 1 << 16)
    /// The server may answer ENOSYS to open.
    public static let noOpen = Capabilities(rawValue: 1 << 17)
    /// Lookups and readdirs of one directory at the same time.
    public static let parallelDirectoryOperations = Capabilities(rawValue: 1 << 18)
    public static let handleKillPrivileges = Capabilities(rawValue: 1 << 19)
    /// The kernel checks and caches POSIX ACLs, which it reads and writes as `system.posix_acl_*`.
    public static let posixACL = Capabilities(rawValue: 1 << 20)
    public static let abortError = Capabilities(rawValue: 1 << 21)
    public static let maxPages = Capabilities(rawValue: 1 << 22)
    /// Targets of symbolic links stay in the page cache.
    public static let cacheSymbolicLinks = Capabilities(rawValue: 1 << 23)
    /// The server may answer ENOSYS to opendir; the kernel then caches directories as long as it can.
    public static let noOpenDirectory = Capabilities(rawValue: 1 << 24)
    /// Cached pages go only when the server says so.
    public static let explicitInvalidation = Capabilities(rawValue: 1 << 25)
    /// Requests say when set-id bits and file capabilities have to go, and writes do not ask for
    /// `security.capability` first.
    public static let handleKillPrivileges2 = Capabilities(rawValue: 1 << 28)
    /// SETXATTR carries flags of its own (`killSetGroupID`).
    public static let extendedSetXattr = Capabilities(rawValue: 1 << 29)
    static let extendedInit = Capabilities(rawValue: 1 << 30)
    public static let expireOnly = Capabilities(rawValue: 1 << 35)
    public static let directIOMap = Capabilities(rawValue: 1 << 36)
    /// Reads and writes of files with a backing id stay in the kernel. Root only.
    public static let passthrough = Capabilities(rawValue: 1 << 37)
    /// The kernel gives out no file handles that can be opened again, and tells file systems that lie on the mount so.
    public static let noExportSupport = Capabilities(rawValue: 1 << 38)

    /// What a server wants that owns the tree below it, and through which every change goes.
    public static let standard: Capabilities = [
        .asyncRead, .atomicTruncate, .bigWrites, .directoryIoctl, .readDirectoryPlus, .asyncDirectIO, .noOpen,
        .parallelDirectoryOperations, .abortError, .maxPages, .cacheSymbolicLinks, .noOpenDirectory,
        .explicitInvalidation, .handleKillPrivileges2, .extendedSetXattr, .expireOnly, .directIOMap, .passthrough,
    ]
}
