public import FUSE

/// What a union is made of.
public struct Configuration: Sendable {
    /// The immutable directories, topmost first; at least one.
    public var lower: [String] = []
    /// The directory that takes all changes; nil for a read-only union.
    public var upper: String?
    /// An empty directory on the file system of `upper`, for what is unfinished. Needed with `upper`.
    public var work: String?
    /// Whether the union is read-only even though it has an upper directory.
    public var isReadOnly = false
    /// Keep marks in `user.overlay.` instead of `trusted.overlay.` attributes, as the kernel's overlay does with this
    /// option: for whoever may not write the latter.
    public var usesUserAttributes = false
    /// Whether only marks count that a union with the same kind of attributes writes: the directories belong to a store,
    /// and what programs or archives brought into them under other names (`.wh.`, attributes of other overlays) is data.
    public var ignoresForeignMarks = false
    /// Whether the directories are thrown away after a crash: no sync reaches the disk, and the work directory is marked so
    /// that nobody mounts it again unaware.
    public var isVolatile = false
    /// Whether a sync asked of the union reaches the disk.
    public var syncs = true
    /// Whether reading changes access times in the upper directory.
    public var accessTimes = AccessTimes.changed
    /// Who owns files, if others than the layers say.
    public var owners = OwnerMapping()
    /// Whether the link count of every directory is 1, "not counted".
    public var hasStaticLinkCounts = false
    /// Whether inode numbers are cut to 32 bits, for old programs.
    public var hasShortInodeNumbers = false
    /// How long the kernel may keep names and attributes: for directories that others change behind the union's back.
    public var timeout = Timeout.unlimited
    /// Directories that are searched for nothing but the data of files whose attributes lie in a layer above (the
    /// kernel's "data-only lower layers"), topmost first.
    public var dataOnly: [String] = []
    /// Whether a change of attributes leaves the data in the lower layer, and such files of other unions are read (the
    /// kernel's `metacopy`).
    public var usesMetacopy = true
    /// Where large lower files are such that nobody writes them while others read: they are read as backing files.
    public var sharedDirectories = SharedDirectories.standard
    /// Whether programs see extended attributes at all.
    public var hasExtendedAttributes = true

    /// Nothing yet.
    public init() {}

    /// Whether fsync does nothing.
    var ignoresSync: Bool { isVolatile || !syncs }
}

/// What reading does to access times: mount(8), `noatime` and `nodiratime`.
public enum AccessTimes: Sendable {
    /// What it does in the upper directory's file system.
    case changed
    /// Nothing for directories.
    case keptOfDirectories
    /// Nothing at all.
    case kept
}

/// Why a union could not be put together: one sentence that names the directory and the reason.
public struct UnionFailure: Error, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Code: Sendable {
        /// No lower directory was given, or an upper one without a work directory.
        case incomplete
        /// A directory is missing, is not a directory, or cannot be opened.
        case directory
        /// The work directory is not on the upper directory's file system.
        case differentFileSystems
        /// Another mount uses the upper or the work directory.
        case busy
        /// The work directory cannot be prepared.
        case work
        /// A mount before this one has marked the work directory as unfit for others.
        case incompatible
        /// Two of the directories are one, or one lies in another where it must not.
        case overlap
    }

    /// What went wrong, for comparison.
    public let code: Code
    /// The sentence.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
