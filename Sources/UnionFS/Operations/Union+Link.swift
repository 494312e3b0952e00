internal import FUSE
internal import Linux

extension Union {
    /// link: a further name for a file, which is copied up first.
    func link(_ node: Node, _ parent: Node, _ name: Text) throws(Errno) -> Entry {
        if node.isDirectory { throw .EPERM }
        if let successor = successor(of: node) { return try link(successor, parent, name) }
        let (_, work) = try writable()
        try checkCreatable(name)
        if !node.isRemoved { try copyUp(node) }
        try anchor(node)
        try copyUp(parent)
        return try node.lock.with { () throws(Errno) -> Entry in
            try tree.write { () throws(Errno) -> Entry in
                let target = try upperPlace(parent, name)
                try prepareLinkCount(of: node)
                do throws(Errno) {
                    try makeLink(of: node, at: target)
                } catch {
                    guard error == .EEXIST, try target.status().isWhiteout else { throw error }
                    let temporary = try work.temporary()
                    try makeLink(of: node, at: temporary)
                    do throws(Errno) {
                        try temporary.rename(to: target)
                    } catch {
                        work.discard(temporary)
                        throw error
                    }
                }
                if let entry = node.index { indexChanged(entry, by: 1) }
                let status = try target.status()
                table.addLink(parent, name, to: node)
                markImpure(parent, node)
                entryAdded(parent, name, target, status)
                return entry(of: node, try attributes(of: node, status))
            }
        }
    }

    /// By path, or by what is open of a file that has no name yet (`O_TMPFILE`) or any more.
    private func makeLink(of node: Node, at target: borrowing Place) throws(Errno) {
        if !node.isRemoved {
            let source = try place(of: node)
            try source.makeLink(at: target)
            return
        }
        guard let file = node.file, let descriptor = file.descriptor, !file.isLower else { throw .ENOENT }
        try descriptor.value.makeLink(in: target.directory, at: target.path)
    }

    /// The link count that programs see of a file.
    func linkCount(of node: Node, _ status: FileStatus) -> UInt32 { UInt32(clamping: links(of: node, status)) }
}
