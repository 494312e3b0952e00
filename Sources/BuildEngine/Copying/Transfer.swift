import Dockerfile
import LayerTree
import Linux

/// What a `COPY` or `ADD` takes and where it goes, with its sources found.
struct Transfer {
    /// One thing to copy.
    enum Item {
        case file(SelectedSource)
        case heredoc(Heredoc)

        /// Whether it makes the destination a directory, whatever its name.
        var isDirectory: Bool {
            if case .file(let source) = self { source.isDirectory } else { false }
        }
    }

    /// In order.
    let items: [Item]
    /// Absolute; ends in `/` if it has to be a directory.
    let destination: String
    /// The sources as written, or with the content of here-documents.
    let sourceTexts: [String]

    /// Whether the destination is written as a directory.
    private let wantsDirectory: Bool

    /// Finds the sources.
    ///
    /// A pattern that nothing matches is no source, as for BuildKit; even if there is no other.
    ///
    /// `noSuchFile` if a source that is no pattern does not exist; `forbiddenPath`; `badDestination` for several sources
    /// and a destination that is no directory by its name.
    ///
    /// - Parameters:
    ///   - keepsParents: `--parents`.
    ///   - fetch: gives what a source that is an address leads to; nil for any other source.
    init(
        _ files: FileTransfer, from tree: SourceTree, destination: String, keepsParents: Bool = false,
        fetch: (String) throws(BuildError) -> SelectedSource? = { (_) throws(BuildError) in nil }
    ) throws(BuildError) {
        var items: [Item] = []
        var texts: [String] = []
        for source in files.sources {
            switch source {
            case .heredoc(let heredoc):
                items.append(.heredoc(heredoc))
                texts.append("<<\(heredoc.name)\n\(heredoc.content)")
            case .path(let path):
                texts.append(path)
                if let fetched = try fetch(path) {
                    items.append(.file(fetched))
                    continue
                }
                let selected = keepsParents ? try tree.selectWithParents(path) : try tree.select(path)
                if selected.isEmpty, !Self.isPattern(path) { throw Self.missing(path, tree) }
                items += selected.map { .file($0) }
            }
        }
        self.items = items
        sourceTexts = texts
        let last = destination.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init)
        wantsDirectory = last == "" || last == "." || last == ".."
        self.destination = destination
        if files.sources.count > 1, !wantsDirectory {
            throw BuildError(
                .badDestination, "several sources are copied to \(files.destination), which is no directory",
                remedy: "end the destination with a /")
        }
    }

    static func isPattern(_ path: String) -> Bool {
        path.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[") }
    }

    private static func missing(_ path: String, _ tree: SourceTree) -> BuildError {
        guard tree.isContext else { return BuildError(.noSuchFile, "\(path): no such file to copy from there") }
        let ignores = tree.filter.ignored?.isEmpty == false
        return BuildError(
            .noSuchFile, "\(path): no such file in the build context",
            remedy: ignores ? "check the path, and whether the ignore file leaves it out" : nil)
    }

    /// Hashes what is copied.
    func add(to digest: inout ContentDigest) throws(BuildError) {
        for item in items {
            switch item {
            case .file(let source): try digest.add(source)
            case .heredoc(let heredoc): digest.add(heredoc: heredoc.name, heredoc.content)
            }
        }
    }

    // MARK: Copying

    /// Copies everything.
    ///
    /// - Parameter unpack: gives the tree to copy in place of a file that is an archive to be unpacked, else nil.
    func carryOut(
        with copier: inout TreeCopier, unpack: (SelectedSource) throws(BuildError) -> SourceTree?
    ) throws(BuildError) {
        for item in items {
            let location = try follow(copier.root)
            if items.count > 1, !wantsDirectory, !location.isDirectory, !item.isDirectory {
                throw BuildError(
                    .badDestination, "several files are copied to \(destination), which is no directory",
                    remedy: "end the destination with a /")
            }
            switch item {
            case .heredoc(let heredoc):
                let (directory, name) = try place(FileName(heredoc.name), location, copier.rules)
                try copier.write(heredoc.content, to: directory, as: name)
            case .file(let source):
                copier.turn(to: source.tree)
                if source.isDirectory {
                    try copyDirectory(source, location, &copier)
                } else if let tree = try unpack(source) {
                    var unpacker = TreeCopier(tree: tree, rules: unpackRules(copier), root: copier.root)
                    unpacker.checkpoint = copier.checkpoint
                    unpacker.isUnpacking = true
                    let target = try directory(at: location, copier.rules)
                    try unpacker.copyContents(of: tree.root, path: [], source: 0, to: target)
                } else if let entry = source.location.entry {
                    let (directory, name) = try place(source.name, location, copier.rules)
                    try copier.copy(
                        entry, from: source.location.parent, path: source.path, source: source.prefixLength,
                        to: directory, as: name)
                }
            }
        }
    }

    /// What an archive says of owners counts, unless the instruction says otherwise.
    private func unpackRules(_ copier: TreeCopier) -> CopyRules {
        var rules = copier.rules
        if rules.owner == .root { rules.owner = nil }
        return rules
    }

    private func copyDirectory(
        _ source: SelectedSource, _ location: DestinationLocation, _ copier: inout TreeCopier
    ) throws(BuildError) {
        let target = try directory(at: location, copier.rules)
        let opened = try attempting("open \(TreePath.text(source.location.path))") { () throws(Errno) in
            try source.location.open()
        }
        try copier.copyContents(
            of: opened, path: source.path, source: source.prefixLength, to: target)
    }

    private func follow(_ root: DestinationDirectory) throws(BuildError) -> DestinationLocation {
        do throws(Errno) {
            return try root.resolve(TreePath.names(destination))
        } catch {
            if error == .ENOTDIR {
                throw BuildError(.badDestination, "cannot copy to \(destination): a file is in the way")
            }
            throw BuildError("follow \(destination)", error)
        }
    }

    /// The directory that the destination is, made if it is not there.
    private func directory(
        at location: DestinationLocation, _ rules: CopyRules
    ) throws(BuildError) -> DestinationDirectory {
        if location.file != nil {
            throw BuildError(.badDestination, "cannot copy a directory to \(destination): a file is there")
        }
        try location.directory.requireStorable(location.rest)
        return try attempting("create \(destination)") { () throws(Errno) in
            try location.directory.makeDirectories(
                location.rest, mode: rules.parentMode, owner: rules.parentOwner)
        }
    }

    /// The directory and name that a file goes to.
    private func place(
        _ name: FileName, _ location: DestinationLocation, _ rules: CopyRules
    ) throws(BuildError) -> (DestinationDirectory, FileName) {
        if wantsDirectory || location.isDirectory {
            return (try directory(at: location, rules), name)
        }
        guard let last = location.rest.last else { return (location.directory, name) }
        if location.file != nil { return (location.directory, last) }
        try location.directory.requireStorable(location.rest)
        let parent = try attempting("create \(destination)") { () throws(Errno) in
            try location.directory.makeDirectories(
                location.rest.dropLast(), mode: rules.parentMode, owner: rules.parentOwner)
        }
        return (parent, last)
    }
}
