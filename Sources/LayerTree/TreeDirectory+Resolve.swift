package import Linux

/// A path of a tree, found.
package struct TreeLocation: Sendable {
    /// The path without links and `..`; empty for the root.
    package var path: [FileName]
    /// The directory it is in; the root itself for the root.
    package var parent: TreeDirectory
    /// What is there; nil for the root.
    package var entry: TreeEntry?

    /// Whether it is a directory.
    package var isDirectory: Bool { entry?.status.isDirectory ?? true }

    /// The directory that it is.
    package func open() throws(Errno) -> TreeDirectory {
        guard let entry else { return parent }
        return try parent.open(entry)
    }
}

/// Where the search for a path of a tree ends.
package enum TreeSearch: Sendable {
    /// The path exists.
    case found(TreeLocation)
    /// It does not: `chain` are the directories that exist on the way, each with its path, from the root on, and `rest` the
    /// names that are missing below the last of them.
    case missing(chain: [(path: [FileName], directory: TreeDirectory)], rest: [FileName])
    /// The path cannot exist: ENOTDIR where something else is where a directory is needed, ELOOP where links lead in a
    /// circle, ENOENT where `..` follows a name that is missing.
    case blocked(Errno)
}

extension TreeDirectory {
    /// As many links as the kernel follows in one path.
    private static let linkLimit = 40

    /// Looks for a path below this directory, which counts as the root: links, absolute ones too, and `..` stay inside.
    ///
    /// - Parameter followsLast: whether a link at the end of the path is followed.
    package func search(_ names: [FileName], followsLast: Bool = true) throws(Errno) -> TreeSearch {
        var chain: [(path: [FileName], directory: TreeDirectory)] = [([], self)]
        var pending = names[...]
        var links = 0
        while let name = pending.popFirst() {
            if name == TreePath.parent {
                if chain.count > 1 { chain.removeLast() }
                continue
            }
            let (path, current) = chain[chain.count - 1]
            guard let entry = try current.entry(name) else {
                // Upwards from what does not exist leads nowhere.
                return pending.contains(TreePath.parent)
                    ? .blocked(.ENOENT) : .missing(chain: chain, rest: [name] + pending)
            }
            if entry.status.isSymbolicLink, followsLast || !pending.isEmpty {
                links += 1
                if links > Self.linkLimit { return .blocked(.ELOOP) }
                let target = try current.readLink(entry)
                if target.first == UInt8(ascii: "/") { chain.removeSubrange(1...) }
                pending = (TreePath.names(target) + pending)[...]
            } else if pending.isEmpty {
                return .found(TreeLocation(path: path + [name], parent: current, entry: entry))
            } else if entry.status.isDirectory {
                chain.append((path + [name], try current.open(entry)))
            } else {
                return .blocked(.ENOTDIR)
            }
        }
        // The path ended with "..", a link to a directory above, or is the root.
        let path = chain[chain.count - 1].path
        guard let last = path.last else { return .found(TreeLocation(path: [], parent: self, entry: nil)) }
        let parent = chain[chain.count - 2].directory
        return .found(TreeLocation(path: path, parent: parent, entry: try parent.entry(last)))
    }

    /// Finds a path below this directory, by the rules of `search`; nil where there is no such file.
    ///
    /// - Throws: ELOOP where links lead in a circle.
    package func resolve(_ names: [FileName], followsLast: Bool = true) throws(Errno) -> TreeLocation? {
        switch try search(names, followsLast: followsLast) {
        case .found(let location): return location
        case .missing: return nil
        case .blocked(let error):
            if error == .ELOOP { throw error }
            return nil
        }
    }

    /// The content of a file below this directory, links followed within it; nil where there is none.
    package func readFile(_ names: [FileName], limit: Int) throws(Errno) -> [UInt8]? {
        guard let location = try resolve(names), let entry = location.entry else { return nil }
        return try location.parent.openFile(entry).readAll(limit: limit)
    }
}
