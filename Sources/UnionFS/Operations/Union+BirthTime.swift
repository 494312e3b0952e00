internal import FUSE
internal import Linux

extension Union {
    /// When an object was made; for one that was copied up, when its lower object was, so that a copy-up does not show. Nil
    /// where the layer's file system does not tell.
    func birthTime(_ node: Node) -> TimeSpec? {
        if let successor = successor(of: node) { return birthTime(successor) }
        let time: TimeSpec?
        if node.isRemoved {
            let file = node.lock.with { node.file?.copy() }
            time = (try? file?.attributeSource?.value.status().birthTime) ?? file?.remains?.birthTime
        } else {
            time = try? tree.read { () throws(Errno) in try birthTime(ofNamed: node) }
        }
        return time?.seconds == 0 ? nil : time
    }

    private func birthTime(ofNamed node: Node) throws(Errno) -> TimeSpec {
        if let directory = node.directory, let part = directory.lock.with({ directory.lowers.first }) {
            return try stack.place(part).status().birthTime
        }
        let place = try place(of: node)
        let status = try place.status()
        if node.isUpper, place.layer.inode(status.inode) != node.inode,
            let time = try origin(of: place, status)?.birthTime
        {
            return time
        }
        return status.birthTime
    }
}
