internal import CLinux
internal import Glibc

/// The flags of open(2), by the names of its manual page.
public struct OpenFlags: OptionSet, Hashable, Sendable {
    /// The bits as the kernel takes them.
    public let rawValue: Int32

    /// Takes the bits as the kernel gives them.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    public static let readOnly: OpenFlags = []
    public static let writeOnly = OpenFlags(rawValue: O_WRONLY)
    public static let readWrite = OpenFlags(rawValue: O_RDWR)
    public static let append = OpenFlags(rawValue: O_APPEND)
    public static let create = OpenFlags(rawValue: O_CREAT)
    public static let exclusive = OpenFlags(rawValue: O_EXCL)
    public static let truncate = OpenFlags(rawValue: O_TRUNC)
    public static let directory = OpenFlags(rawValue: O_DIRECTORY)
    public static let noFollow = OpenFlags(rawValue: O_NOFOLLOW)
    public static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
    public static let closeOnExec = OpenFlags(rawValue: O_CLOEXEC)
    public static let synchronous = OpenFlags(rawValue: O_SYNC)
    public static let noControllingTerminal = OpenFlags(rawValue: O_NOCTTY)
    /// Names the file without opening it for data; see `O_PATH` in open(2).
    public static let path = OpenFlags(rawValue: clinux_O_PATH)
    /// An unnamed file in the directory that is opened; see `O_TMPFILE` in open(2).
    public static let temporaryFile = OpenFlags(rawValue: clinux_O_TMPFILE)
    public static let direct = OpenFlags(rawValue: clinux_O_DIRECT)
    public static let noAccessTime = OpenFlags(rawValue: clinux_O_NOATIME)
    public static let largeFile = OpenFlags(rawValue: clinux_O_LARGEFILE)

    /// Whether a descriptor opened with these flags can write.
    public var canWrite: Bool { rawValue & O_ACCMODE != O_RDONLY }
    /// Whether the file can be mapped into memory to be written: such a mapping needs the right to read, too.
    public var canMapForWriting: Bool { rawValue & O_ACCMODE == O_RDWR }
}

/// How openat2(2) may resolve a path; the names follow `RESOLVE_*`.
public struct ResolveFlags: OptionSet, Hashable, Sendable {
    /// The bits as the kernel takes them.
    public let rawValue: UInt64

    /// Takes the bits of `struct open_how`.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Fails with EXDEV where a component would leave the directory.
    public static let beneath = ResolveFlags(rawValue: clinux_RESOLVE_BENEATH)
    /// Fails with ELOOP at any symbolic link.
    public static let noSymlinks = ResolveFlags(rawValue: clinux_RESOLVE_NO_SYMLINKS)
    public static let noMagicLinks = ResolveFlags(rawValue: clinux_RESOLVE_NO_MAGICLINKS)
    public static let noMountCrossing = ResolveFlags(rawValue: clinux_RESOLVE_NO_XDEV)
    /// Treats the directory as the root: `..` and absolute links stay inside.
    public static let inRoot = ResolveFlags(rawValue: clinux_RESOLVE_IN_ROOT)
}
