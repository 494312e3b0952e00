internal import FUSE
internal import Linux
internal import Synchronization

/// An object of the union that the kernel knows: what an inode is to the kernel.
///
/// A file with several names has one node and several links. A node lives in the table from the first reply
/// that names it until the kernel has forgotten it and nothing below it is known either.
final class Node: @unchecked Sendable {
    /// What is known of a node and only ever becomes more, but for `removed`.
    struct Flags: OptionSet {
        let rawValue: UInt32
        /// The object exists in the upper layer, at the node's path.
        static let upper = Flags(rawValue: 1)
        /// The last name is gone.
        static let removed = Flags(rawValue: 2)
        /// Entered in the table's list of files with several names.
        static let identified = Flags(rawValue: 4)
        /// Known to the table by its number.
        static let listed = Flags(rawValue: 8)
        /// Names in this directory of the upper layer may be those of lower inodes, so that readdir has to look.
        static let impure = Flags(rawValue: 16)
        /// Whether `impure` is known.
        static let purityKnown = Flags(rawValue: 32)
        /// The directory has a default ACL.
        static let defaultACL = Flags(rawValue: 64)
        /// Whether `defaultACL` is known.
        static let defaultACLKnown = Flags(rawValue: 128)
        /// The directory was made by this mount and lies over nothing: it holds no whiteouts that we did not make.
        static let pure = Flags(rawValue: 256)
        /// A lower file that the kernel keeps in the mount's own page cache: see `Union.caching`.
        static let cached = Flags(rawValue: 512)
        /// The file has no capabilities: known, so that the kernel's question before a write costs no system call.
        static let noCapability = Flags(rawValue: 2048)
        /// The bytes of a small file have been given to the kernel.
        static let stored = Flags(rawValue: 16384)
        /// The file has neither set-id bits nor capabilities that a write would have to take away. Set before one looks,
        /// cleared after one has changed them: so it never says so of a file that has.
        static let plain = Flags(rawValue: 65536)
        /// Whether `cached` is known.
        static let cachingKnown = Flags(rawValue: 1024)
        /// What is at the node's place are the attributes alone; the data are at `Node.data`.
        static let metacopy = Flags(rawValue: 4096)
        /// Of a lower file: whether `metacopy` is known.
        static let metacopyKnown = Flags(rawValue: 8192)
        /// Among the nodes that stay findable although the kernel has forgotten them.
        static let kept = Flags(rawValue: 1 << 18)
        /// Readers have a lower file open through this node, whose upper file is another one: `OpenFile.successor`.
        static let superseded = Flags(rawValue: 1 << 17)
        /// Of a superseded node: the kernel takes none of its names for this node any more.
        static let namesDropped = Flags(rawValue: 1 << 19)
        /// Somebody has, or had, the upper file open such that the kernel lets him write it through a mapping, about which it
        /// says nothing: its times may change at any moment.
        static let mayBeMapped = Flags(rawValue: 1 << 21)
        /// Of a cached file: it is so small that its bytes are handed to the kernel when it is opened first.
        static let storable = Flags(rawValue: 1 << 20)
    }

    let id: NodeID
    /// `st_ino` as programs see it; the same before and after copy-up.
    let inode: UInt64
    let type: FileType
    /// The lower layer of a file's data before copy-up, or that a directory's topmost lower part is in; 0 for none.
    let lowerLayer: UInt16
    private let bits: Atomic<UInt32>
    /// Names the kernel has been told and has not given back.
    let lookups = Atomic<Int>(0)
    /// Links of the table whose parent this is.
    let children = Atomic<Int32>(0)

    /// Held during copy-up and while the open file changes; see the lock order in NodeTable.swift.
    let lock = Lock()
    /// The name through which the object is reached. Nil for the root, and once the last name is gone. Changes under the
    /// tree's write lock; the table's locks guard it besides.
    var link: Link?
    /// Further known names. Guarded by the table's identity lock.
    var moreLinks: [Link] = []
    /// What only a directory has.
    let directory: DirectoryState?
    /// Where the copy of a file is that had several names below. Set before the node counts as upper.
    var index: IndexEntry?
    /// Where the data are, or were, of a file that counts or counted as `metacopy`; nil where they cannot be found. Set
    /// before that flag, and not changed afterwards.
    var data: DataFile?
    /// The open file, or what is left of a file without a name. Guarded by `lock`.
    var file: OpenFile?

    init(
        id: NodeID, inode: UInt64, type: FileType, flags: Flags, lowerLayer: UInt16, directory: DirectoryState?
    ) {
        self.id = id
        self.inode = inode
        self.type = type
        self.lowerLayer = lowerLayer
        self.directory = directory
        bits = Atomic(flags.rawValue)
    }

    var flags: Flags { Flags(rawValue: bits.load(ordering: .acquiring)) }
    func set(_ flags: Flags) { bits.bitwiseOr(flags.rawValue, ordering: .acquiringAndReleasing) }
    func clear(_ flags: Flags) { bits.bitwiseAnd(~flags.rawValue, ordering: .acquiringAndReleasing) }

    var isUpper: Bool { flags.contains(.upper) }
    var isRemoved: Bool { flags.contains(.removed) }
    /// Whether no name is known of a file that had several.
    var isNameless: Bool { flags.isSuperset(of: [.removed, .identified]) }
    var isMetacopy: Bool { flags.contains(.metacopy) }
    /// Whether a reader gets the bytes of a lower layer.
    var hasDataBelow: Bool { !flags.contains(.upper) || flags.contains(.metacopy) }
    var isDirectory: Bool { type == .directory }
    var isRoot: Bool { id == .root }
}

/// A name that the kernel knows, for whoever holds no lock on it.
struct KnownName {
    let parent: NodeID
    /// With a zero at the end.
    let name: [CChar]

    init(_ link: Link) {
        parent = link.parent.id
        name = link.text.bytes.map { CChar(bitPattern: $0) } + [0]
    }
}

/// A name of a node in a directory: what a dentry is to the kernel.
final class Link: @unchecked Sendable {
    let node: Node
    /// The directory. Strong, so that a path can be composed from any link. Changes under the tree's write lock.
    private(set) var parent: Node
    /// The bytes, with a zero behind them. Changes under the tree's write lock.
    private(set) var name: UnsafeMutablePointer<CChar>
    private var shortLength: UInt16
    /// Where the table keeps it; guarded by the table's locks.
    var hash: UInt32
    var next: Link?

    init(node: Node, parent: Node, name: Text, hash: UInt32) {
        self.node = node
        self.parent = parent
        self.hash = hash
        shortLength = UInt16(clamping: name.length)
        self.name = Link.copy(name)
    }

    var length: Int { Int(shortLength) }

    deinit { name.deallocate() }

    func move(to parent: Node, _ name: Text, hash: UInt32) {
        self.parent = parent
        self.name.deallocate()
        self.name = Link.copy(name)
        shortLength = UInt16(clamping: name.length)
        self.hash = hash
    }

    var text: Text { Text(name, length: length) }

    private static func copy(_ name: Text) -> UnsafeMutablePointer<CChar> {
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: name.length + 1)
        copy.update(from: name.pointer, count: name.length)
        copy[name.length] = 0
        return copy
    }
}

/// What the union knows of a directory besides its node.
final class DirectoryState: @unchecked Sendable {
    /// Guards everything here. Nothing is called with it held but the layers' own system calls.
    let lock = Lock()
    /// The directory's parts in the lower layers, topmost first. Those after the first are looked for when they are
    /// needed, unless `isResolved`.
    var lowers: [LowerPart]
    var isResolved: Bool
    /// Where the directory is in the union of the lower layers alone, which is what a redirect has to say. Nil where it is
    /// the same as in the layer of the first part: everywhere but below a directory that was renamed in a lower layer.
    let pathBelow: LowerPath?
    /// Whether there may be more than one part, so that the link count says nothing.
    let mayMerge: Bool
    /// Whether the upper part may hold `.wh.` names.
    var upperHasMarkers = true
    /// Whether `hasMarkers` and `upperHasMarkers` are known.
    var markersKnown = false
    /// The entries, while they are wanted.
    var listing: MergedDirectory?
    /// Tells `ListingCache` which reading of the directory they are from.
    var listingNumber: UInt64 = 0

    init(lowers: [LowerPart], isResolved: Bool, mayMerge: Bool, pathBelow: LowerPath? = nil) {
        self.lowers = lowers
        self.pathBelow = pathBelow
        self.isResolved = isResolved
        self.mayMerge = mayMerge
    }
}

extension NodeTable {
    /// What a lookup found, as far as the table needs it.
    struct Description {
        var inode: UInt64
        var type: FileType
        var flags: Node.Flags
        var lowerLayer: UInt16 = 0
        var directory: DirectoryState?
        /// See `Node.index`.
        var index: IndexEntry?
        /// See `Node.data`.
        var data: DataFile?
        /// The file has further names, which may be known already.
        var hasSeveralNames = false
    }
}
