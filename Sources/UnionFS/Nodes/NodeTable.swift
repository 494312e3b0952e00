internal import FUSE
internal import Linux
internal import Synchronization

/// The nodes that the kernel knows, by number and by name.
///
/// # The lock order of the union
///
/// A thread takes locks only downwards in this list, and one of a kind at a time unless said otherwise.
///
/// 1. `Node.lock`: copy-up of a node and its open file. A parent's copy-up is finished before its child's starts, so
///    no two are held at once. Nothing that an unrelated file needs is held with it during a copy of data.
/// 2. `Union.tree`, a read-write lock: paths. Whoever composes a path of the upper layer holds it for reading until
///    the system call with that path is done; whoever changes a link of a node that others can reach (rename, removal
///    of one of several names) holds it for writing.
/// 3. `DirectoryState.lock`: the parts and the entries of one directory. A parent's is never asked for with its
///    child's held.
/// 4. `NodeTable.identities`: nodes with several names, and the lists of their names.
/// 5. `NodeTable` shards: the names of a directory are spread over them by hash. Several are taken in ascending order,
///    and only with `identities` held or by a rename.
/// 6. Locks of leaves: free numbers, temporary names, backing files, forgotten nodes.
final class NodeTable: @unchecked Sendable {
    private static let shardCount = 64

    /// Names by hash, chained through the links.
    struct Shard {
        var buckets: [Link?] = Array(repeating: nil, count: 16)
        var count = 0
    }

    private let shardLocks: UnsafeMutablePointer<Lock>
    private let shards: UnsafeMutablePointer<Shard>
    private let identities = Lock()
    /// Nodes with several names by inode number. Guarded by `identities`.
    private var byInode: [UInt64: Node] = [:]
    /// How many of them have no known name any more, but still one on disk: that one need not be one of several.
    private let nameless = Atomic<Int>(0)
    /// Nodes by number.
    let numbers: NodeNumbers
    /// Nodes that the kernel has forgotten and may still ask for by a file handle.
    let forgotten = ForgottenNodes()
    let root: Node

    /// - Parameter epoch: see `NodeNumbers`.
    init(root directory: DirectoryState, inode: UInt64, flags: Node.Flags, epoch: UInt32 = 0) {
        numbers = NodeNumbers(epoch: epoch)
        shardLocks = .allocate(capacity: Self.shardCount)
        shards = .allocate(capacity: Self.shardCount)
        for index in 0..<Self.shardCount {
            (shardLocks + index).initialize(to: Lock())
            (shards + index).initialize(to: Shard())
        }
        root = Node(
            id: .root, inode: inode, type: .directory, flags: flags.union(.listed),
            lowerLayer: directory.lowers.first?.layer ?? 0, directory: directory)
        root.lookups.store(1, ordering: .relaxed)
        numbers.setRoot(root)
    }

    deinit {
        // Links and nodes hold each other: take them apart.
        for index in 0..<Self.shardCount {
            for bucket in shards[index].buckets {
                var link = bucket
                while let current = link {
                    link = current.next
                    current.next = nil
                    current.node.link = nil
                    current.node.moreLinks = []
                }
            }
        }
        shards.deinitialize(count: Self.shardCount).deallocate()
        shardLocks.deinitialize(count: Self.shardCount).deallocate()
    }

    // MARK: Finding

    /// The node of a number that the kernel sent; ESTALE where there is none.
    @inline(__always)
    func node(_ id: NodeID) throws(Errno) -> Node {
        if let node = numbers.node(id) { return node }
        throw .ESTALE
    }

    func nodeIfKnown(_ id: NodeID) -> Node? { numbers.node(id) }

    static func hash(_ parent: Node, _ name: Text) -> UInt32 {
        UInt32(truncatingIfNeeded: name.hash(seed: parent.id.rawValue))
    }

    private static func shard(_ hash: UInt32) -> Int { Int(truncatingIfNeeded: hash & UInt32(shardCount - 1)) }

    /// The node of a name, if it is known; `counting` adds a lookup to it.
    func find(_ parent: Node, _ name: Text, counting: Bool) -> Node? {
        let hash = Self.hash(parent, name)
        let index = Self.shard(hash)
        return shardLocks[index].with {
            guard let node = chained(index, hash, parent, name)?.node else { return nil }
            if counting { node.lookups.wrappingAdd(1, ordering: .relaxed) }
            return node
        }
    }

    private func chained(_ index: Int, _ hash: UInt32, _ parent: Node, _ name: Text) -> Link? {
        let bucket = Int(truncatingIfNeeded: (hash >> 6) & UInt32(shards[index].buckets.count - 1))
        var link = shards[index].buckets[bucket]
        while let current = link {
            if current.hash == hash, current.parent === parent, name.equals(current.name, current.length) {
                return current
            }
            link = current.next
        }
        return nil
    }

    // MARK: Entering

    /// The node of a name that was found on disk: the known one, or a new one. Counts a lookup.
    func enter(_ parent: Node, _ name: Text, _ found: Description) -> Node {
        let hash = Self.hash(parent, name)
        let index = Self.shard(hash)
        if found.type == .directory || !found.hasSeveralNames && nameless.load(ordering: .acquiring) == 0 {
            return shardLocks[index].with { enterLocked(index, hash, parent, name, found) }
        }
        return identities.with {
            shardLocks[index].with {
                if let known = byInode[found.inode], known.type == found.type,
                    chained(index, hash, parent, name) == nil
                {
                    addLocked(index, hash, parent, name, to: known)
                    known.lookups.wrappingAdd(1, ordering: .relaxed)
                    return known
                }
                let node = enterLocked(index, hash, parent, name, found)
                if found.hasSeveralNames { identify(node) }
                return node
            }
        }
    }

    private func enterLocked(_ index: Int, _ hash: UInt32, _ parent: Node, _ name: Text, _ found: Description) -> Node {
        if let known = chained(index, hash, parent, name)?.node {
            known.lookups.wrappingAdd(1, ordering: .relaxed)
            return known
        }
        let node = numbers.add { id in
            Node(
                id: id, inode: found.inode, type: found.type, flags: found.flags.union(.listed),
                lowerLayer: found.lowerLayer, directory: found.directory)
        }
        node.lookups.store(1, ordering: .relaxed)
        node.index = found.index
        node.data = found.data
        addLocked(index, hash, parent, name, to: node)
        return node
    }

    /// A node without a name (`O_TMPFILE`). Counts a lookup.
    func enterNameless(_ found: Description) -> Node {
        let node = numbers.add { id in
            Node(
                id: id, inode: found.inode, type: found.type, flags: found.flags.union([.listed, .removed]),
                lowerLayer: 0, directory: nil)
        }
        node.lookups.store(1, ordering: .relaxed)
        return node
    }

    private func addLocked(_ index: Int, _ hash: UInt32, _ parent: Node, _ name: Text, to node: Node) {
        let link = Link(node: node, parent: parent, name: name, hash: hash)
        if node.link == nil {
            if node.isNameless { nameless.wrappingSubtract(1, ordering: .acquiringAndReleasing) }
            node.link = link
            node.clear(.removed)
        } else {
            node.moreLinks.append(link)
        }
        insertLocked(index, link)
    }

    private func insertLocked(_ index: Int, _ link: Link) {
        if shards[index].count >= shards[index].buckets.count { grow(index) }
        let bucket = Int(truncatingIfNeeded: (link.hash >> 6) & UInt32(shards[index].buckets.count - 1))
        link.next = shards[index].buckets[bucket]
        shards[index].buckets[bucket] = link
        shards[index].count += 1
        link.parent.children.wrappingAdd(1, ordering: .relaxed)
    }

    private func grow(_ index: Int) {
        var buckets = [Link?](repeating: nil, count: shards[index].buckets.count * 2)
        let mask = UInt32(truncatingIfNeeded: buckets.count - 1)
        for chain in shards[index].buckets {
            var link = chain
            while let current = link {
                link = current.next
                let bucket = Int(truncatingIfNeeded: (current.hash >> 6) & mask)
                current.next = buckets[bucket]
                buckets[bucket] = current
            }
        }
        shards[index].buckets = buckets
    }

    private func detachLocked(_ index: Int, _ link: Link) {
        let bucket = Int(truncatingIfNeeded: (link.hash >> 6) & UInt32(shards[index].buckets.count - 1))
        var previous: Link?
        var current = shards[index].buckets[bucket]
        while let candidate = current, candidate !== link {
            previous = candidate
            current = candidate.next
        }
        guard current != nil else { return }
        if let previous { previous.next = link.next } else { shards[index].buckets[bucket] = link.next }
        link.next = nil
        shards[index].count -= 1
        link.parent.children.wrappingSubtract(1, ordering: .relaxed)
    }

    /// `identities` is held.
    private func identify(_ node: Node) {
        node.set(.identified)
        byInode[node.inode] = node
    }

    // MARK: Changing names

    /// A further name of a node, made by link(2). Counts a lookup. The caller holds the tree lock for writing if the
    /// node had no name.
    func addLink(_ parent: Node, _ name: Text, to node: Node) {
        let hash = Self.hash(parent, name)
        let index = Self.shard(hash)
        identities.with {
            shardLocks[index].with {
                if let stale = chained(index, hash, parent, name) { detachLocked(index, stale) }
                addLocked(index, hash, parent, name, to: node)
                identify(node)
                node.lookups.wrappingAdd(1, ordering: .relaxed)
            }
        }
    }

    /// A name has been removed. Returns whether it was the node's last known one: the node then counts as removed, until
    /// another of its names is looked up, which is possible unless `isLast` says that there is none. The caller holds
    /// the tree lock for writing if the node has several names.
    @discardableResult
    func removeLink(_ parent: Node, _ name: Text, of node: Node, isLast: Bool) -> Bool {
        let hash = Self.hash(parent, name)
        let index = Self.shard(hash)
        return identities.with {
            let link = shardLocks[index].with { () -> Link? in
                guard let link = chained(index, hash, parent, name), link.node === node else { return nil }
                detachLocked(index, link)
                return link
            }
            guard let link else { return node.link == nil }
            if node.link === link {
                node.link = node.moreLinks.popLast()
            } else {
                node.moreLinks.removeAll { $0 === link }
            }
            if node.link == nil {
                node.set(.removed)
                if node.isNameless && isLast {
                    node.clear(.identified)
                    if byInode[node.inode] === node { byInode[node.inode] = nil }
                } else if node.isNameless {
                    nameless.wrappingAdd(1, ordering: .acquiringAndReleasing)
                }
                return true
            }
            return false
        }
    }

    /// A name now is another one. The caller holds the tree lock for writing.
    func moveLink(_ parent: Node, _ name: Text, to newParent: Node, _ newName: Text) {
        let (oldHash, newHash) = (Self.hash(parent, name), Self.hash(newParent, newName))
        withShards(Self.shard(oldHash), Self.shard(newHash)) {
            guard let link = chained(Self.shard(oldHash), oldHash, parent, name) else { return }
            detachLocked(Self.shard(oldHash), link)
            link.move(to: newParent, newName, hash: newHash)
            insertLocked(Self.shard(newHash), link)
        }
    }

    /// Two names change places. The caller holds the tree lock for writing.
    func exchangeLinks(_ parent: Node, _ name: Text, _ other: Node, _ otherName: Text) {
        let (hash, otherHash) = (Self.hash(parent, name), Self.hash(other, otherName))
        withShards(Self.shard(hash), Self.shard(otherHash)) {
            let link = chained(Self.shard(hash), hash, parent, name)
            let otherLink = chained(Self.shard(otherHash), otherHash, other, otherName)
            if let link { detachLocked(Self.shard(hash), link) }
            if let otherLink { detachLocked(Self.shard(otherHash), otherLink) }
            if let link {
                link.move(to: other, otherName, hash: otherHash)
                insertLocked(Self.shard(otherHash), link)
            }
            if let otherLink {
                otherLink.move(to: parent, name, hash: hash)
                insertLocked(Self.shard(hash), otherLink)
            }
        }
    }

    private func withShards(_ first: Int, _ second: Int, _ body: () -> Void) {
        shardLocks[min(first, second)].lock()
        if first != second { shardLocks[max(first, second)].lock() }
        body()
        if first != second { shardLocks[max(first, second)].unlock() }
        shardLocks[min(first, second)].unlock()
    }

    /// The caller holds the tree lock.
    func names(of node: Node) -> [KnownName] {
        identities.with { ([node.link].compactMap { $0 } + node.moreLinks).map { KnownName($0) } }
    }

    /// All names of a node become those of a new node of the same inode number, in the upper layer; the old node keeps what
    /// is open and has no name any more. The new one is returned and counts as looked up once. The caller holds the tree
    /// lock for writing.
    @discardableResult
    func replace(_ node: Node) -> Node {
        identities.with {
            let links = [node.link].compactMap { $0 } + node.moreLinks
            let new = numbers.add { id in
                Node(
                    id: id, inode: node.inode, type: node.type,
                    flags: node.flags.subtracting([.removed, .kept]).union([.upper, .listed]),
                    lowerLayer: node.lowerLayer, directory: nil)
            }
            new.index = node.index
            new.lookups.store(1, ordering: .relaxed)
            for link in links {
                let index = Self.shard(link.hash)
                shardLocks[index].with {
                    let (parent, hash) = (link.parent, link.hash)
                    detachLocked(index, link)
                    addLocked(index, hash, parent, link.text, to: new)
                }
            }
            node.link = nil
            node.moreLinks = []
            if node.flags.contains(.identified) {
                node.clear(.identified)
                byInode[node.inode] = new
            }
            return new
        }
    }

    // MARK: Forgetting

    /// The kernel gives lookups back. Returns the node that has left the table, which may be one forgotten long ago.
    @discardableResult
    func forget(_ node: Node, count: Int) -> Node? {
        let left = node.lookups.wrappingSubtract(count, ordering: .acquiringAndReleasing).newValue
        if left > 0 { return nil }
        // What the kernel had of the file's bytes has gone with its inode.
        node.clear(.stored)
        if node.isRemoved || !forgotten.isEnabled { return collect(node) ? node : nil }
        guard let oldest = forgotten.keep(node) else { return nil }
        return collect(oldest) ? oldest : nil
    }

    /// Takes a node out if nobody needs it, and then its parent if that was kept for it alone.
    private func collect(_ node: Node) -> Bool {
        if node.isRoot { return false }
        guard isUnused(node) else { return false }
        var parents: [Node] = []
        let collected = identities.withIf(node.flags.contains(.identified)) { () -> Bool in
            let links = [node.link].compactMap { $0 } + node.moreLinks
            let indices = Set(links.map { Self.shard($0.hash) }).sorted()
            for index in indices { shardLocks[index].lock() }
            defer { for index in indices.reversed() { shardLocks[index].unlock() } }
            // A lookup by name or a rename may have come in between.
            guard isUnused(node), links.allSatisfy({ indices.contains(Self.shard($0.hash)) }), numbers.remove(node)
            else { return false }
            if node.isNameless { nameless.wrappingSubtract(1, ordering: .acquiringAndReleasing) }
            for link in links {
                parents.append(link.parent)
                detachLocked(Self.shard(link.hash), link)
            }
            node.link = nil
            node.moreLinks = []
            node.set(.removed)
            if node.flags.contains(.identified), byInode[node.inode] === node { byInode[node.inode] = nil }
            return true
        }
        for parent in parents where isUnused(parent) && !forgotten.holds(parent) { _ = collect(parent) }
        return collected
    }

    private func isUnused(_ node: Node) -> Bool {
        node.lookups.load(ordering: .acquiring) <= 0 && node.children.load(ordering: .acquiring) == 0
            && node.flags.contains(.listed)
    }
}
