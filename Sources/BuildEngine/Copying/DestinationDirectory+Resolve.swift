import LayerTree
import Linux

/// Where a path of the image leads.
struct DestinationLocation {
    /// The last directory on the way that exists.
    var directory: DestinationDirectory
    /// The names below it that do not exist; a file's own name where the path leads to a file.
    var rest: [FileName]
    /// What the path leads to, if that exists and is no directory.
    var file: FileStatus?

    /// Whether the path leads to a directory that exists.
    var isDirectory: Bool { rest.isEmpty }
}

extension DestinationDirectory {
    private static let linkLimit = 40

    /// Follows a path from this root. Links, absolute ones too, and `..` stay inside; a link whose target does not exist
    /// leads to where the target would be.
    ///
    /// ENOTDIR where a file is in the way, ELOOP where links lead in a circle.
    func resolve(_ names: [FileName]) throws(Errno) -> DestinationLocation {
        var chain = [self]
        var missing: [FileName] = []
        var pending = names[...]
        var links = 0
        while let name = pending.popFirst() {
            if name == TreePath.parent {
                if missing.popLast() == nil, chain.count > 1 { chain.removeLast() }
                continue
            }
            guard let current = chain.last, missing.isEmpty else {
                missing.append(name)
                continue
            }
            guard let status = try current.status(of: name) else {
                missing.append(name)
                continue
            }
            if status.isSymbolicLink {
                links += 1
                if links > Self.linkLimit { throw .ELOOP }
                let target = try current.readLink(name)
                if target.first == UInt8(ascii: "/") { chain.removeSubrange(1...) }
                pending = (TreePath.names(target) + pending)[...]
            } else if status.isDirectory {
                chain.append(try current.directory(name))
            } else if pending.isEmpty {
                return DestinationLocation(directory: current, rest: [name], file: status)
            } else {
                throw .ENOTDIR
            }
        }
        return DestinationLocation(directory: chain.last ?? self, rest: missing)
    }
}
