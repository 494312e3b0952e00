internal import FUSE
internal import Glibc
internal import Linux

// Files whose data were copied up while somebody read the lower one: the readers' node goes on with the lower file's bytes,
// and the upper file is another node, its successor (`separateFromReaders`). Whatever is changed through the old
// node, which is all but bytes, changes the new one.
extension Union {
    /// The node that has the upper file, for one whose readers have the lower one; nil for any other node.
    func successor(of node: Node) -> Node? {
        guard node.flags.contains(.superseded) else { return nil }
        return node.lock.with { node.file?.successor }
    }

    /// What programs see through the old node: the upper file with the bytes of the lower one, because who maps a file must not
    /// be told of more bytes than there are. `own` is what is known of the file that is read; nobody does unless `isRead`.
    func attributes(ofSuperseded own: Attributes, by successor: Node, isRead: Bool) throws(Errno) -> Attributes {
        var result = try getattr(successor)
        if !isRead { return result }
        result.size = own.size
        result.blocks = own.blocks
        result.accessTime = own.accessTime
        result.modificationTime = own.modificationTime
        return result
    }

    /// Before ESTALE is answered, which makes the kernel look one name up again: waits until it has dropped the others, so that
    /// from the first change on all lead to the new node. Not for long, since whoever holds the lock of their
    /// directory may wait for us. No lock is held.
    func waitForDroppedNames(of node: Node) {
        guard node.flags.contains(.superseded) else { return }
        let end = MonotonicClock.milliseconds + 100
        while !node.flags.contains(.namesDropped), MonotonicClock.milliseconds < end { usleep(50) }
    }

    /// The upper file, opened to be written through the old node; nil for a node that is not superseded. No lock is held.
    func upperFile(ofSuperseded node: Node) throws(Errno) -> SharedDescriptor? {
        guard let successor = successor(of: node) else { return nil }
        do throws(Errno) {
            try copyUp(successor, .data())
            return try tree.read { () throws(Errno) in
                SharedDescriptor(try place(of: successor).open(.readWrite), canWrite: true)
            }
        } catch {
            if !successor.isRemoved { throw error }
        }
        return try successor.lock.with { () throws(Errno) in try changeableRemains(of: successor, .data()) }
    }

    /// The kernel knows the attributes of the successor, and what was changed is not changed through it.
    func changed(successorOf node: Node) {
        if let successor = successor(of: node) { kernel?.attributesChanged(successor) }
    }

    /// What a reply says of a node and its name, with how long the kernel may keep it.
    func entry(of node: Node, _ attributes: Attributes) -> Entry {
        var entry = Entry(node: node.id, attributes: attributes)
        entry.entryTimeout = configuration.timeout
        entry.attributesTimeout = attributesTimeout(of: node)
        return entry
    }

    /// For how long the kernel may keep a node's attributes: not at all where another node's changes change them, or stores
    /// through a mapping.
    func attributesTimeout(of node: Node) -> Timeout {
        node.flags.isDisjoint(with: [.superseded, .mayBeMapped]) ? configuration.timeout : .zero
    }
}
