public import Linux
internal import CFuse

/// Tells the kernel to drop what it has cached. Never from a method that serves a request of the same directory or
/// file: the kernel may hold the lock that the notification needs.
extension Session {
    /// Drops attributes, and the cached data from `offset` on, `length` bytes or, with 0, all of them; with a
    /// negative offset only attributes. Throws ENOENT if the kernel does not know the node.
    public func invalidate(_ node: NodeID, offset: Int64 = 0, length: Int64 = 0) throws(Errno) {
        try check(cfuse_notify_inode(core, node.rawValue, offset, length))
    }

    /// Drops what is known of a name in a directory. Throws ENOENT if the kernel does not know it.
    public func invalidate(name: Name, in parent: NodeID) throws(Errno) {
        try check(cfuse_notify_entry(core, parent.rawValue, name.pointer, name.length))
    }

    /// Puts the first `size` bytes of a file, all it has, into the kernel's cache of a node, so that reading them asks
    /// nobody. Only from a method that serves a request of another kind than read, and while no read of the node can be
    /// waiting: the kernel holds the pages that a read waits for. Throws ENOENT if the kernel does not know the node.
    public func store(_ file: borrowing FileDescriptor, size: Int, in node: NodeID) throws(Errno) {
        try check(cfuse_store_file(core, node.rawValue, file.rawValue, size))
    }

    private func check(_ result: Int32) throws(Errno) {
        if result < 0 { throw Errno(rawValue: 0 &- result) }
    }
}
