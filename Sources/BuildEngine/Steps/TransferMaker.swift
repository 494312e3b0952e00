import Dockerfile
import ImageStore
import LayerTree
import Linux
import OCI
import Runtime

/// What sets `COPY` and `ADD` with their flags apart.
struct TransferPlan {
    var kind: String
    var keepsParents = false
    /// Whether archives are unpacked: those of the context, and those that were fetched.
    var unpacks = false
    var unpacksFetched = false
    /// Where what is fetched lies.
    var scratch: TemporaryDirectory?

    /// What of it the result depends on.
    var definition: [String] {
        [
            unpacks ? "unpack" : "", unpacksFetched ? "unpack fetched" : "", keepsParents ? "parents" : "",
        ]
    }
}

extension FileTransfer.Source {
    /// Whether it is a file of what is copied from, not a here-document and not an address.
    var isFile: Bool {
        if case .path(let path) = self { !RemoteAddress.isRemote(path) } else { false }
    }
}

/// Makes the steps of `COPY` and `ADD`.
struct TransferMaker: Sendable {
    let store: ImageStore
    let digests: DigestMemory
    let stop: StopCheck

    /// What is copied from where no instruction asks for a file.
    func nothing() throws(BuildError) -> SourceFiles {
        SourceFiles(tree: SourceTree(root: try store.openLayers([]), isContext: true))
    }

    /// The step of an instruction.
    ///
    /// - Parameter fetch: gives what a source that is an address leads to; nil for any other source.
    func layerStep(
        _ plan: TransferPlan, _ files: FileTransfer, from source: SourceFiles, on state: StageState,
        fetch: (String) throws(BuildError) -> SelectedSource? = { (_) throws(BuildError) in nil }
    ) throws(BuildError) -> LayerStep {
        var source = source
        if !files.excludes.isEmpty {
            source.tree.filter.excluded = try fromDockerfile { () throws(DockerfileError) in
                try IgnorePatterns(files.excludes)
            }
        }
        let rules = try CopyRules(files, isContext: source.tree.isContext) { () throws(BuildError) in
            try store.users(of: state)
        }
        let transfer = try Transfer(
            files, from: source.tree, destination: state.absolute(files.destination), keepsParents: plan.keepsParents
        ) { (text) throws(BuildError) in
            var found = try fetch(text)
            found?.tree.filter.excluded = source.tree.filter.excluded
            return found
        }
        let content = try content(of: transfer, files, source, rules, keepsParents: plan.keepsParents)
        // As the image has them: names of users stand for numbers there.
        let owner = rules.owner.map { "\($0.uid):\($0.gid)" } ?? ""
        // A layer of its own goes by what is copied alone, and sees nothing of the image: no link there is followed.
        let key = (files.link ? CacheKey.independent : state.filesKey).step(
            plan.kind, definition: [[transfer.destination, owner, files.mode ?? ""] + plan.definition],
            content: content.digest)
        let layers = files.link ? [] : state.layerIDs
        let tree = source.tree
        let description = StepDescription(
            files, to: transfer.destination, owner: owner, from: source.origin, content)
        let createdBy = Self.text(plan.kind, files, keepsParents: plan.keepsParents)
        return LayerStep(key: key, createdBy: createdBy, isIndependent: files.link, description: description) {
            (_: Int) throws(BuildError) in
            let scratch = try fromStore(store.makeTemporaryDirectory)
            let upper = try fromStore { () throws(StoreError) in try scratch.makeDirectory("upper") }
            let lower = try store.openLayers(layers)
            let root = try attempting("write \(upper)") { () throws(Errno) in
                try DestinationDirectory(upper: upper, lower: lower, marks: store.marks)
            }
            var copier = TreeCopier(tree: tree, rules: rules, root: root)
            copier.checkpoint = stop.checkNowAndThen
            try transfer.carryOut(with: &copier) { (selected: SelectedSource) throws(BuildError) in
                let unpacks = selected.digest == nil ? plan.unpacks : plan.unpacksFetched
                return unpacks ? try store.unpacked(selected) : nil
            }
            // What was fetched is there until now.
            withExtendedLifetime(plan.scratch) {}
            return try fromStore { () throws(StoreError) in
                try store.commitLayer(takingUpper: upper, lowers: layers)
            }
        }
    }

    /// The history's line: what was written, with the values of variables.
    private static func text(_ kind: String, _ files: FileTransfer, keepsParents: Bool) -> String {
        var words = [kind]
        if let owner = files.owner { words.append("--chown=\(owner)") }
        if let mode = files.mode { words.append("--chmod=\(mode)") }
        if keepsParents { words.append("--parents") }
        if files.link { words.append("--link") }
        for source in files.sources {
            switch source {
            case .path(let path): words.append(path)
            case .heredoc(let heredoc): words.append("<<\(heredoc.name)")
            }
        }
        words += [files.destination, "# strata"]
        return words.joined(separator: " ")
    }

    /// The digest of what is copied.
    private func content(
        of transfer: Transfer, _ files: FileTransfer, _ source: SourceFiles, _ rules: CopyRules, keepsParents: Bool
    ) throws(BuildError) -> CopiedContent {
        try digests.digest(of: source, rules, kind: "selection") { hasher in
            hasher.add(transfer.sourceTexts)
            hasher.add(files.excludes)
            if keepsParents { hasher.add("parents") }
            hasher.add([rules.owner.map { "\($0.uid):\($0.gid)" } ?? "", files.mode ?? ""])
        } add: { (digest) throws(BuildError) in
            try transfer.add(to: &digest)
        }
    }
}

extension ImageStore {
    /// The users and groups of a stage's image.
    func users(of state: StageState) throws(BuildError) -> UserDatabase {
        let root = try openLayers(state.layerIDs)
        let scratch = try fromStore(makeTemporaryDirectory)
        let copy = try fromStore { () throws(StoreError) in try scratch.makeDirectory("etc") }
        for name in ["passwd", "group"] {
            try attempting("read /etc/\(name) of the image") { () throws(Errno) in
                guard let location = try root.resolve(TreePath.names("etc/\(name)")), let entry = location.entry,
                    entry.status.isRegular
                else { return }
                let bytes = try location.parent.openFile(entry).readAll(limit: 16 << 20)
                try FileDescriptor.open("\(copy)/\(name)", [.writeOnly, .create], mode: 0o600).writeAll(bytes)
            }
        }
        return UserDatabase(root: scratch.path)
    }
}
