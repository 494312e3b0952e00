import Dockerfile
import LayerTree
import Linux
import OCI

extension SourceTree {
    /// Finds what a source of `COPY --parents` names. Each result is a directory whose content is copied, with a filter
    /// that lets through what the pattern matches, and the directories on the way to it.
    ///
    /// What stands before the first `/./` of the source is the directory that paths are kept from, the root if there is
    /// none; it may be a pattern of its own. What follows is a pattern in which `**` stands for any number of directories.
    /// Empty if nothing is found. (Dockerfile reference, "COPY --parents".)
    ///
    /// `forbiddenPath` where a path of the context leads out of it.
    func selectWithParents(_ source: String) throws(BuildError) -> [SelectedSource] {
        let (pivot, rest) = Self.cutAtPivot(source)
        guard let names = TreePath.normalized(TreePath.names(rest), clampingAtRoot: !isContext) else {
            throw BuildError(
                .forbiddenPath, "forbidden path outside the build context: \(source)",
                remedy: "copy only what is below the directory that the build is given")
        }
        var found: [SelectedSource] = []
        for directory in try select(pivot) where directory.isDirectory {
            guard let kept = try keep(names, of: directory, source) else { continue }
            found.append(kept)
        }
        return found
    }

    private static func cutAtPivot(_ source: String) -> (pivot: String, rest: String) {
        let bytes = Array(source.utf8)
        for index in bytes.indices where bytes[index...].starts(with: Array("/./".utf8)) {
            return (
                String(decoding: bytes[..<index], as: UTF8.self), String(decoding: bytes[(index + 3)...], as: UTF8.self)
            )
        }
        return ("", source)
    }

    /// The directory with the filter; nil if nothing in it matches.
    private func keep(
        _ names: [FileName], of directory: SelectedSource, _ source: String
    ) throws(BuildError) -> SelectedSource? {
        var kept = directory
        if !names.isEmpty {
            let pattern = String(decoding: TreePath.bytes(names), as: UTF8.self)
            kept.tree.filter.selected = try fromDockerfile { () throws(DockerfileError) in
                try IgnorePatterns(["**", "!" + pattern])
            }
        }
        let isEmpty = try attempting("look for \(source)") { () throws(Errno) in
            try kept.tree.entries(of: kept.location.open(), path: kept.path, source: kept.prefixLength).isEmpty
        }
        return isEmpty && !names.isEmpty ? nil : kept
    }
}
