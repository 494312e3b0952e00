import Dockerfile
import LayerTree
import Linux
import OCI

/// One file or directory that a source of `COPY` or `ADD` names.
struct SelectedSource: Sendable {
    /// Where it is, links followed.
    var location: TreeLocation
    /// The last name of the path as it was written or matched, which a file keeps in a directory.
    var name: FileName
    /// The tree it is in, with what of that takes part.
    var tree: SourceTree
    /// The digest of its content, of something fetched for this step; nil for what is to be read.
    var digest: Digest?

    /// Whether it is a directory, whose contents are copied.
    var isDirectory: Bool { location.isDirectory }

    /// The path in its tree as bytes.
    var path: [UInt8] { TreePath.bytes(location.path) }

    /// How many bytes of paths below it lead to it.
    var prefixLength: Int {
        let count = path.count
        return count == 0 ? 0 : count + 1
    }
}

extension SourceTree {
    /// Finds what a source names: a path, or a pattern whose matches come sorted. Empty if there is nothing.
    ///
    /// `forbiddenPath` where a path of the context leads out of it.
    func select(_ source: String) throws(BuildError) -> [SelectedSource] {
        let written = TreePath.names(source)
        guard let names = TreePath.normalized(written, clampingAtRoot: !isContext) else {
            throw BuildError(
                .forbiddenPath, "forbidden path outside the build context: \(source)",
                remedy: "copy only what is below the directory that the build is given")
        }
        let patterns = try fromDockerfile { () throws(DockerfileError) in
            var patterns: [GlobPattern] = []
            for name in names { patterns.append(try GlobPattern(name.text)) }
            return patterns
        }
        return try attempting("look for \(source)") { () throws(Errno) in
            if patterns.allSatisfy({ $0.literal != nil }) {
                // A name of bytes that are not text cannot be written in a Dockerfile, so texts are enough.
                let path = patterns.compactMap { $0.literal.map { FileName($0) } }
                return try selected(path).map { [$0] } ?? []
            }
            var matches: [SelectedSource] = []
            for path in try self.matches(patterns[...], in: root, path: []) {
                if let match = try selected(path) { matches.append(match) }
            }
            return matches
        }
    }

    private func selected(_ path: [FileName]) throws(Errno) -> SelectedSource? {
        guard let location = try root.resolve(path), try isIncluded(location) else { return nil }
        // The path as written counts as well: a link that is left out leads nowhere.
        let written = TreePath.bytes(path)
        let isLink = location.path != path
        if isLink, filter.ignored?.excludes(written) == true { return nil }
        return SelectedSource(location: location, name: path.last ?? FileName(""), tree: self)
    }

    /// Whether a source takes part; a directory that is left out does if something below it is taken back in.
    private func isIncluded(_ location: TreeLocation) throws(Errno) -> Bool {
        guard let ignored = filter.ignored, !ignored.isEmpty, let entry = location.entry else { return true }
        let path = TreePath.bytes(location.path)
        guard ignored.excludes(path) else { return true }
        guard entry.status.isDirectory, !ignored.prunes(path) else { return false }
        return try !entries(of: location.open(), path: path, source: path.count + 1).isEmpty
    }

    /// The paths that match, found directory by directory; links to directories are followed.
    private func matches(
        _ patterns: ArraySlice<GlobPattern>, in directory: TreeDirectory, path: [FileName]
    ) throws(Errno) -> [[FileName]] {
        guard let pattern = patterns.first else { return [path] }
        let rest = patterns.dropFirst()
        var names: [FileName] = []
        if let literal = pattern.literal {
            names = [FileName(literal)]
        } else {
            names = try directory.entries().map(\.name).filter { pattern.matches($0.bytes) }
        }
        var found: [[FileName]] = []
        for name in names {
            let below = path + [name]
            if rest.isEmpty {
                if try directory.entry(name) != nil { found.append(below) }
            } else if let location = try root.resolve(below), location.isDirectory {
                found += try matches(rest, in: try location.open(), path: below)
            }
        }
        return found
    }
}
