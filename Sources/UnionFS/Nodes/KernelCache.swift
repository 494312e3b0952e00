internal import FUSE
internal import Linux

/// What the kernel remembers of nodes and names, and is told to ask for again.
final class KernelCache: Sendable {
    private unowned let session: Session

    init(session: Session) { self.session = session }

    /// Makes the kernel ask for the attributes of a node again: something has changed them that it does not know of. Takes
    /// no lock in the kernel that a request may hold.
    func attributesChanged(_ node: Node) { try? session.invalidate(node.id, offset: -1) }

    /// Makes the kernel read the entries of a directory again: `..` is another one. The pages that it drops are locked by
    /// nobody who waits for an answer of ours.
    func entriesChanged(_ node: Node) { try? session.invalidate(node.id) }

    /// Makes the kernel look names up again that were those of a node. On a thread of its own: the kernel waits for
    /// the lock of a directory, whose holder may wait for an answer of ours.
    func drop(_ names: [KnownName], of node: Node) {
        let session = session
        PrivateThread.detach {
            for known in names {
                known.name.withUnsafeBufferPointer { name in
                    guard let pointer = name.baseAddress else { return }
                    try? session.invalidate(name: Name(pointer), in: known.parent)
                }
            }
            node.set(.namesDropped)
        }
    }
}
