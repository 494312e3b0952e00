internal import FUSE
internal import Glibc
internal import Linux
internal import Synchronization

/// A stack of directories seen as one: what each operation means, without the protocol that asks for it.
///
/// `UnionFileSystem` calls these methods from several threads at a time. They take nodes, which the node table
/// finds by the kernel's numbers, and names, which are bytes. The order in which locks are taken is written down
/// in NodeTable.swift.
public final class Union: @unchecked Sendable {
    let stack: LayerStack
    /// Nil where the union is read-only.
    let work: WorkDirectory?
    let table: NodeTable
    /// Paths of the upper layer: see the lock order in NodeTable.swift.
    let tree = ReadWriteLock()
    let configuration: Configuration
    /// Registers files that the kernel is to read and write by itself. Set before the first request.
    nonisolated(unsafe) var backings: Backings?
    /// Tells the kernel what it does not know. Set before the first request; nil where nobody has mounted the union.
    nonisolated(unsafe) var kernel: KernelCache?
    /// Directories whose entries are kept in memory.
    let listings = ListingCache()
    /// Who files belong to that this process makes.
    let ownUser = geteuid()
    let ownGroup = getegid()
    /// Whether owners are shown that the layers do not have.
    let mapsOwners: Bool

    init(stack: LayerStack, work: WorkDirectory?, configuration: Configuration) throws(Errno) {
        self.stack = stack
        self.work = configuration.isReadOnly ? nil : work
        self.configuration = configuration
        mapsOwners = !configuration.owners.isIdentity
        let parts = stack.lowers.map { LowerPart(layer: UInt16(clamping: $0.index), path: .root) }
        let directory = DirectoryState(
            lowers: parts, isResolved: true, mayMerge: parts.count + (stack.upper == nil ? 0 : 1) > 1)
        let inode: UInt64
        if let lower = stack.lowers.first {
            inode = lower.inode(try lower.root.status().inode)
        } else {
            inode = 1
        }
        table = NodeTable(
            root: directory, inode: inode, flags: stack.upper == nil ? [] : .upper, epoch: .random(in: 0 ... .max))
    }

    /// The upper layer, for a change. EROFS where there is none.
    func writable() throws(Errno) -> (layer: Layer, work: WorkDirectory) {
        guard let layer = stack.upper, let work else { throw .EROFS }
        return (layer, work)
    }

    /// What only directories have; ENOTDIR for anything else.
    func state(of node: Node) throws(Errno) -> DirectoryState {
        guard let state = node.directory else { throw .ENOTDIR }
        return state
    }

    /// Whether a layer is on overlay or FUSE itself, so that backing files are two file systems deep.
    public var hasStackedLayers: Bool {
        let (overlay, fuse): (UInt64, UInt64) = (0x794c_7630, 0x6573_5546)
        var seen: Set<UInt64> = []
        let layers = stack.lowers + stack.dataLayers + [stack.upper].compactMap { $0 }
        for layer in layers where seen.insert(layer.device).inserted {
            let type = try? layer.root.fileSystemStatus().type
            if type == overlay || type == fuse { return true }
        }
        return false
    }

    // MARK: Places

    /// Where the node's object is. The caller holds the tree lock. ESTALE for a node without a name.
    func place(of node: Node) throws(Errno) -> Place {
        if node.isRemoved || (node.link == nil && !node.isRoot) { throw .ESTALE }
        if node.isUpper, let upper = stack.upper {
            if let entry = node.index, let work { return try work.index.place(entry) }
            return try .upper(upper, node)
        }
        if let directory = node.directory {
            guard let part = directory.lock.with({ directory.lowers.first }) else { throw .EIO }
            return try stack.place(part)
        }
        guard let link = node.link, let directory = link.parent.directory else { throw .EIO }
        let part = directory.lock.with { directory.lowers.first { $0.layer == node.lowerLayer } }
        guard let part else { throw .EIO }
        return try stack.place(part, link.text)
    }

    /// Where `name` in the directory is or would be in the upper layer. The caller holds the tree lock.
    func upperPlace(_ parent: Node, _ name: Text) throws(Errno) -> Place {
        guard let upper = stack.upper else { throw .EROFS }
        if parent.isRemoved { throw .ENOENT }
        return try .upper(upper, parent, name)
    }

    // MARK: Directory parts

    /// All lower parts of a directory, found when they are first asked for. The caller holds the tree lock.
    func lowers(of node: Node) throws(Errno) -> [LowerPart] {
        let state = try state(of: node)
        let known = state.lock.with { state.isResolved ? state.lowers : nil }
        if let known { return known }
        guard let link = node.link else { throw .ESTALE }
        let parents = try lowers(of: link.parent)
        // A directory that is not resolved is still where its lower parts are: rename resolves it first.
        guard let first = state.lock.with({ state.lowers.first }) else { return [] }
        let start = parents.firstIndex { $0.layer == first.layer } ?? 0
        let parts = try stack.parts(of: link.text, in: parents, from: start)
        return state.lock.with {
            if !state.isResolved {
                if !parts.isEmpty { state.lowers = parts }
                state.isResolved = true
            }
            return state.lowers
        }
    }

    /// The lower parts of a directory, with what is known of `.wh.` names in it and in its upper part: each directory that
    /// lies over another is looked through for them once.
    func searchable(_ node: Node) throws(Errno) -> (lowers: [LowerPart], upperHasMarkers: Bool) {
        let state = try state(of: node)
        if let known = state.lock.with({ state.markersKnown ? (state.lowers, state.upperHasMarkers) : nil }) {
            return known
        }
        var parts = try lowers(of: node)
        let isUpper = node.isUpper && !parts.isEmpty
        let isPure = node.flags.contains(.pure)
        var upperMarkers = Markers()
        let readsForeign = stack.marks.readsForeign
        if readsForeign && isUpper && !isPure, let upper = stack.upper {
            upperMarkers = try markers(at: try Place.upper(upper, node))
            if upperMarkers.isOpaque { parts = [] }
        }
        var index = 0
        while index < parts.count {
            parts[index].hasMarkers = false
            let place = try stack.place(parts[index])
            parts[index].hasWhiteoutFiles = try stack.marks.directory(at: place).hasWhiteoutFiles
            // The lowest part hides nothing.
            if readsForeign && index + 1 < parts.count {
                let found = try markers(at: place)
                parts[index].hasMarkers = found.hasAny
                if found.isOpaque { parts.removeSubrange((index + 1)...) }
            }
            index += 1
        }
        return state.lock.with {
            if !state.markersKnown {
                state.lowers = parts
                state.upperHasMarkers = upperMarkers.hasAny
                state.markersKnown = true
            }
            return (state.lowers, state.upperHasMarkers)
        }
    }

    private struct Markers {
        var hasAny = false
        var isOpaque = false
    }

    private func markers(at place: borrowing Place) throws(Errno) -> Markers {
        var result = Markers()
        let directory = try place.open([.readOnly, .directory])
        try directory.forEachEntry { (entry: DirectoryEntry) throws(Errno) in
            // Most names do not start with a dot.
            if entry.name[0] == 46 {
                let name = Text(entry.name, length: entry.nameLength)
                if name.equals(Marks.opaqueMarker) {
                    result.isOpaque = true
                    result.hasAny = true
                } else if Marks.isMarker(name) {
                    result.hasAny = true
                }
            }
            return true
        }
        return result
    }

    // MARK: Tables

    /// The node of a number that the kernel sent.
    func node(_ id: NodeID) throws(Errno) -> Node { try table.node(id) }

    /// Gives lookups back, and frees what the node kept open if it goes.
    func forget(_ id: NodeID, count: UInt64) {
        guard let node = table.nodeIfKnown(id) else { return }
        if table.forget(node, count: Int(clamping: count)) != nil { release(everythingOf: node) }
    }
}
