import Linux

/// A path of a tree, found.
struct TreeLocation: Sendable {
    /// The path without links and `..`; empty for the root.
    var path: [FileName]
    /// The directory it is in; the root itself for the root.
    var parent: TreeDirectory
    /// What is there; nil for the root.
    var entry: TreeEntry?

    /// Whether it is a directory.
    var isDirectory: Bool { entry?.status.isDirectory ?? true }

    /// The directory that it is.
    func open() throws(Errno) -> TreeDirectory {
        guard let entry else { return parent }
        return try parent.open(entry)
    }
}

extension TreeDirectory {
    /// As many links as the kernel follows in one path.
    private static let linkLimit = 40

    /// Finds a path below this directory, which counts as the root: links, absolute ones too, and `..` stay inside.
    ///
    /// - Parameter followsLast: whether a link at the end of the path is followed.
    /// - Returns: nil where there is no such file. ELOOP where links lead in a circle.
    func resolve(_ names: [FileName], followsLast: Bool = true) throws(Errno) -> TreeLocation? {
        var chain: [(directory: TreeDirectory, name: FileName?)] = [(self, nil)]
        var pending = names[...]
        var links = 0
        while let name = pending.popFirst() {
            if name == TreePath.parent {
                if chain.count > 1 { chain.removeLast() }
                continue
            }
            guard let current = chain.last?.directory, let entry = try current.entry(name) else { return nil }
            let path = chain.compactMap(\.name)
            if entry.status.isSymbolicLink, followsLast || !pending.isEmpty {
                links += 1
                if links > Self.linkLimit { throw .ELOOP }
                let target = try current.readLink(entry)
                if target.first == UInt8(ascii: "/") { chain.removeSubrange(1...) }
                pending = (TreePath.names(target) + pending)[...]
            } else if pending.isEmpty {
                return TreeLocation(path: path + [name], parent: current, entry: entry)
            } else if entry.status.isDirectory {
                chain.append((try current.open(entry), name))
            } else {
                return nil
            }
        }
        // The path ended with "..", a link to a directory above, or is the root.
        let path = chain.compactMap(\.name)
        guard let last = path.last, chain.count > 1 else { return TreeLocation(path: [], parent: self, entry: nil) }
        let parent = chain[chain.count - 2].directory
        return TreeLocation(path: path, parent: parent, entry: try parent.entry(last))
    }

    /// The content of a file below this directory, links followed within it; nil where there is none.
    func readFile(_ names: [FileName], limit: Int) throws(Errno) -> [UInt8]? {
        guard let location = try resolve(names), let entry = location.entry else { return nil }
        return try location.parent.openFile(entry).readAll(limit: limit)
    }
}
