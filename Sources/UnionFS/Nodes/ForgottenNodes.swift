internal import Synchronization

/// Nodes that the kernel has forgotten, the latest so many of them: they stay in the table, so that a file handle
/// (name_to_handle_at(2)), of which only the kernel knows, still leads to its object after the kernel has dropped its caches.
///
/// A file handle holds the node's number. Nobody tells which nodes have handles out, so all are kept alike; a handle of a
/// node that has had to go is ESTALE.
final class ForgottenNodes: @unchecked Sendable {
    /// How many are kept: some ten megabytes of nodes.
    private static let limit = 1 << 16

    /// Off where the kernel does not resolve handles. Set before the first request.
    nonisolated(unsafe) var isEnabled = false
    private let lock = Lock()
    /// In the order in which they were forgotten, from `oldest` on once there are as many as may be. Guarded by `lock`. A
    /// node may be in use again; it then stays where it is and is passed over when its turn comes.
    private var nodes: [Node] = []
    private var oldest = 0

    /// Keeps a node, and returns the one whose turn it is to go.
    func keep(_ node: Node) -> Node? {
        lock.with {
            if node.flags.contains(.kept) { return nil }
            node.set(.kept)
            if nodes.count < Self.limit {
                nodes.append(node)
                return nil
            }
            let leaving = nodes[oldest]
            nodes[oldest] = node
            oldest = (oldest + 1) % Self.limit
            leaving.clear(.kept)
            return leaving
        }
    }

    /// Whether the node is one of them.
    func holds(_ node: Node) -> Bool { node.flags.contains(.kept) }
}
