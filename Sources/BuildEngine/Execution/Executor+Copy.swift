import Dockerfile
import ImageStore
import Linux
import OCI
import Runtime

extension Executor {
    /// What `COPY` does: files of the context, a stage or an image go straight into a new layer.
    func copyStep(_ copy: CopyInstruction, _ state: StageState) throws(BuildError) -> LayerStep {
        for case .path(let path) in copy.files.sources where RemoteAddress.isWeb(path) {
            throw BuildError(.unsupported, "COPY does not take the address \(path)", remedy: "use ADD")
        }
        let source = try transferSource(copy.files, from: copy.from)
        return try transferStep(TransferPlan(kind: "COPY", keepsParents: copy.parents), copy.files, source, state)
    }

    /// What `ADD` does: as `COPY` from the context, archives are unpacked, and addresses fetched.
    ///
    /// What is fetched is unpacked only if `--unpack` says so.
    func addStep(_ add: AddInstruction, _ state: StageState) throws(BuildError) -> LayerStep {
        var plan = TransferPlan(kind: "ADD")
        plan.unpacks = add.unpack ?? true
        plan.unpacksFetched = add.unpack ?? false
        let hasRemote = add.files.sources.contains {
            if case .path(let path) = $0 { RemoteAddress.isRemote(path) } else { false }
        }
        if hasRemote {
            plan.add = add
            plan.scratch = try fromStore(store.makeTemporaryDirectory)
        }
        if add.checksum != nil, !hasRemote || add.files.sources.count != 1 {
            throw BuildError(.dockerfile, "ADD --checksum is for one source, which has to be an address")
        }
        return try transferStep(plan, add.files, try transferSource(add.files, from: nil), state)
    }

    /// What sets `COPY` and `ADD` with their flags apart.
    private struct TransferPlan {
        var kind: String
        var keepsParents = false
        /// Whether archives are unpacked: those of the context, and those that were fetched.
        var unpacks = false
        var unpacksFetched = false
        /// The instruction and a place for what it fetches, if it does.
        var add: AddInstruction?
        var scratch: TemporaryDirectory?

        /// What of it the result depends on.
        var definition: [String] {
            [
                unpacks ? "unpack" : "", unpacksFetched ? "unpack fetched" : "", keepsParents ? "parents" : "",
            ]
        }
    }

    // MARK: Sources

    /// Where files are taken from.
    private struct TransferSource {
        var tree: SourceTree
        var files: FileDigests
        /// The layers, if the files are those of an image: what is selected of them never changes. Nil while they are
        /// being hashed: reading what is copied takes no longer than waiting.
        var stack: [Digest]?
        /// What they are called; nil for files of a context.
        var origin: String?
    }

    private func transferSource(
        _ transfer: FileTransfer, from: String?
    ) throws(BuildError) -> TransferSource {
        guard let from else {
            let needsContext = transfer.sources.contains {
                if case .path(let path) = $0 { !RemoteAddress.isRemote(path) } else { false }
            }
            guard needsContext else {
                let nothing = try openLayers([])
                return TransferSource(tree: SourceTree(root: nothing, isContext: true), files: FileDigests())
            }
            let (context, files) = try context()
            return TransferSource(tree: context.tree, files: files)
        }
        if case .directory(let directory) = options.namedContexts[from] {
            let (context, files) = try context(named: directory)
            return TransferSource(tree: context.tree, files: files)
        }
        let layers: [BuildLayer]
        switch plan.graph.origin(of: from) {
        case .stage(let index):
            guard let stage = board.state(of: index) else {
                throw BuildError(.dockerfile, "the stage \(from) is not built")
            }
            layers = stage.layers
        case .image(let name): layers = try self.layers(of: try image(name))
        case .scratch: layers = []
        }
        let stack = layers.allSatisfy(\.isFinished) ? try StageState.diffIDs(of: layers) : nil
        return TransferSource(
            tree: SourceTree(root: try openLayers(layers.map(\.id)), isContext: false), files: FileDigests(),
            stack: stack, origin: from)
    }

    /// The root of a stack of layers, bottom first.
    func openLayers(_ layers: [LayerID]) throws(BuildError) -> TreeDirectory {
        try attempting("open the layers") { () throws(Errno) in
            try TreeDirectory(layers: store.lowerPaths(layers), marks: store.marks)
        }
    }

    // MARK: The step

    private func transferStep(
        _ plan: TransferPlan, _ files: FileTransfer, _ source: TransferSource, _ state: StageState
    ) throws(BuildError) -> LayerStep {
        var source = source
        if !files.excludes.isEmpty {
            source.tree.filter.excluded = try fromDockerfile { () throws(DockerfileError) in
                try IgnorePatterns(files.excludes)
            }
        }
        let rules = try CopyRules(files, isContext: source.tree.isContext) { () throws(BuildError) in
            try self.users(of: state)
        }
        var fetched = 0
        let transfer = try Transfer(
            files, from: source.tree, destination: state.absolute(files.destination), keepsParents: plan.keepsParents
        ) { (text) throws(BuildError) in
            guard let add = plan.add, let scratch = plan.scratch else { return nil }
            fetched += 1
            var found = try self.fetchSource(text, add, into: scratch, fetched)
            found?.tree.filter.excluded = source.tree.filter.excluded
            return found
        }
        let content = try contentDigest(of: transfer, files, source, rules, keepsParents: plan.keepsParents)
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
            let scratch = try fromStore(self.store.makeTemporaryDirectory)
            let upper = try fromStore { () throws(StoreError) in try scratch.makeDirectory("upper") }
            let lower = try self.openLayers(layers)
            let root = try attempting("write \(upper)") { () throws(Errno) in
                try DestinationDirectory(upper: upper, lower: lower, marks: self.store.marks)
            }
            var copier = TreeCopier(tree: tree, rules: rules, root: root)
            copier.checkpoint = self.frequentCheckpoint
            try transfer.carryOut(with: &copier) { (selected: SelectedSource) throws(BuildError) in
                let unpacks = selected.digest == nil ? plan.unpacks : plan.unpacksFetched
                return unpacks ? try self.unpacked(selected, rules) : nil
            }
            // What was fetched is there until now.
            withExtendedLifetime(plan.scratch) {}
            return try fromStore { () throws(StoreError) in
                try self.store.commitLayer(takingUpper: upper, lowers: layers)
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

    /// The digest of what is copied. Of layers, which never change, it is computed only once.
    private func contentDigest(
        of transfer: Transfer, _ files: FileTransfer, _ source: TransferSource, _ rules: CopyRules,
        keepsParents: Bool
    ) throws(BuildError) -> CopiedContent {
        var memory: Digest?
        if let stack = source.stack {
            var hasher = KeyHasher("selection")
            hasher.add(stack.map(\.hex))
            hasher.add(transfer.sourceTexts)
            hasher.add(files.excludes)
            if keepsParents { hasher.add("parents") }
            hasher.add([rules.owner.map { "\($0.uid):\($0.gid)" } ?? "", files.mode ?? ""])
            let key = hasher.finish()
            if let known = try cache.digest(key) { return CopiedContent(digest: known) }
            memory = key
        }
        var digest = ContentDigest(
            tree: source.tree, rules: rules, files: source.files, checkpoint: frequentCheckpoint)
        try transfer.add(to: &digest)
        let result = digest.finish()
        if let memory { try cache.put(result, for: memory) }
        return CopiedContent(digest: result, manifest: digest.manifest)
    }

    // MARK: Users

    /// The users and groups of a stage's image.
    func users(of state: StageState) throws(BuildError) -> UserDatabase {
        let root = try openLayers(state.layerIDs)
        let scratch = try fromStore(store.makeTemporaryDirectory)
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
