internal import FUSE
internal import Linux

extension Union {
    /// The node of a name that is to be changed, counted as looked up once. ENOENT where there is none.
    func existing(_ parent: Node, _ name: Text) throws(Errno) -> Node {
        try checkLength(name)
        if let node = table.find(parent, name, counting: true) { return node }
        guard let entry = try lookup(parent, name) else { throw .ENOENT }
        return try node(entry.node)
    }

    /// unlink.
    func unlink(_ parent: Node, _ name: Text) throws(Errno) {
        try remove(parent, name, directory: false)
    }

    /// rmdir: of a directory that shows nothing, whatever whiteouts it holds.
    func rmdir(_ parent: Node, _ name: Text) throws(Errno) {
        try remove(parent, name, directory: true)
    }

    private func remove(_ parent: Node, _ name: Text, directory: Bool) throws(Errno) {
        _ = try writable()
        let node = try existing(parent, name)
        defer { forget(node.id, count: 1) }
        if directory != node.isDirectory { throw directory ? .ENOTDIR : .EISDIR }
        try copyUp(parent)
        try node.lock.with { () throws(Errno) in
            if node.flags.contains(.identified) {
                try tree.write { () throws(Errno) in try removeLocked(parent, name, node) }
            } else {
                try tree.read { () throws(Errno) in try removeLocked(parent, name, node) }
            }
        }
        entryRemoved(parent, name)
    }

    private func removeLocked(_ parent: Node, _ name: Text, _ node: Node) throws(Errno) {
        let (_, work) = try writable()
        if node.isDirectory, try !isEmpty(node) { throw .ENOTEMPTY }
        let place = try upperPlace(parent, name)
        try prepareLinkCount(of: node, losing: place)
        let upper = try place.statusIfPresent()
        if let upper, upper.isWhiteout { throw .ENOENT }
        var hides = true
        var status = FileStatus()
        if let upper {
            hides = try existsBelow(parent, name)
            status = upper
        } else {
            status = try self.place(of: node).status()
        }
        let isLast = node.isDirectory || links(of: node, status) <= 1
        if node.moreLinks.isEmpty { try keepRemains(of: node, try self.place(of: node), status) }
        if upper == nil {
            try takingName(of: node, status, at: place) { () throws(Errno) in try work.makeWhiteout(at: place) }
        } else if node.isDirectory {
            try removeDirectory(place, node, hides: hides, work)
        } else if hides {
            try work.replaceByWhiteout(file: place)
        } else {
            try place.directory.unlink(place.path)
        }
        if !node.isDirectory { nameRemoved(of: node, status) }
        table.removeLink(parent, name, of: node, isLast: isLast)
        if let state = node.directory { listings.drop(state) }
    }

    private func removeDirectory(
        _ place: borrowing Place, _ node: Node, hides: Bool, _ work: WorkDirectory
    ) throws(Errno) {
        if hides {
            let removed = try work.exchangeForWhiteout(place)
            work.discard(removed)
            return
        }
        do throws(Errno) {
            try place.directory.removeDirectory(place.path)
        } catch {
            if error != .ENOTEMPTY && error != .EEXIST { throw error }
            // Only whiteouts are in it.
            let temporary = try work.temporary()
            try place.rename(to: temporary)
            work.discard(temporary)
        }
    }
}
