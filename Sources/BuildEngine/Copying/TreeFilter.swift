import Dockerfile
import LayerTree
import Linux

/// Which files of a tree take part: those that no pattern leaves out.
struct TreeFilter: Sendable {
    /// What becomes of a file or directory.
    enum Verdict {
        case included
        case excluded
        /// A directory that is left out itself, but may hold something that is taken back in; it comes along with that.
        case onlyWithContent
    }

    /// The ignore file's patterns, for paths from the root of the tree.
    var ignored: IgnorePatterns?
    /// The patterns of `--exclude`, for paths from the source that is copied.
    var excluded: IgnorePatterns?
    /// What `--parents` selects, as patterns that leave out all else, for paths from the source that is copied.
    var selected: IgnorePatterns?
    /// A directory that never takes part: the store, which would be copied into itself.
    var store: FileIdentity?

    /// Takes every file.
    static let everything = TreeFilter()

    /// Whether every file takes part, so that no path need be put together.
    var isEmpty: Bool {
        ignored?.isEmpty != false && excluded?.isEmpty != false && selected?.isEmpty != false
    }

    /// Decides about a file.
    ///
    /// - Parameters:
    ///   - path: from the root of the tree.
    ///   - source: how many bytes of it, slash included, lead to the source that is copied.
    func verdict(_ path: [UInt8], source: Int, isDirectory: Bool) -> Verdict {
        var verdict = Verdict.included
        if let ignored, !ignored.isEmpty, !path.isEmpty, ignored.excludes(path) {
            if !isDirectory || ignored.prunes(path) { return .excluded }
            verdict = .onlyWithContent
        }
        let below = path.dropFirst(source)
        for patterns in [excluded, selected] {
            guard let patterns, !patterns.isEmpty, !below.isEmpty, patterns.excludes(below) else { continue }
            if !isDirectory || patterns.prunes(below) { return .excluded }
            verdict = .onlyWithContent
        }
        return verdict
    }
}

/// A tree that files are copied from, with what of it takes part.
struct SourceTree: Sendable {
    var root: TreeDirectory
    var filter = TreeFilter.everything
    /// Whether the tree is the build context: its files belong to root in the image, whoever owns them here.
    var isContext: Bool

    /// What of a directory takes part, sorted by name, with the paths of the entries (empty while no filter needs them).
    func entries(
        of directory: TreeDirectory, path: [UInt8], source: Int
    ) throws(Errno) -> [(entry: TreeEntry, path: [UInt8])] {
        var result: [(entry: TreeEntry, path: [UInt8])] = []
        for entry in try directory.entries() {
            // Sockets mean nothing without the process that listens.
            if entry.status.type == .socket { continue }
            if let store = filter.store, entry.status.isDirectory, FileIdentity(entry.status) == store { continue }
            if filter.isEmpty {
                result.append((entry, []))
                continue
            }
            let below = path + (path.isEmpty ? [] : [UInt8(ascii: "/")]) + entry.name.bytes
            switch filter.verdict(below, source: source, isDirectory: entry.status.isDirectory) {
            case .excluded: continue
            case .included: result.append((entry, below))
            case .onlyWithContent:
                let inner = try directory.open(entry)
                if try hasContent(inner, path: below, source: source) { result.append((entry, below)) }
            }
        }
        return result
    }

    private func hasContent(_ directory: TreeDirectory, path: [UInt8], source: Int) throws(Errno) -> Bool {
        try !entries(of: directory, path: path, source: source).isEmpty
    }
}
