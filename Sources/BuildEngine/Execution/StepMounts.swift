import Dockerfile
import ImageStore
import Linux
import OCI
import Runtime

/// The mounts of a `RUN`, with their places and sources found.
struct StepMounts {
    /// Files of the context, a stage or an image that a mount shows, or that a cache begins with.
    struct Source {
        var tree: SourceTree
        /// What of the tree.
        var selected: SelectedSource
        /// The directories that are the tree, the top one first.
        var directories: [String]
        /// Of what is shown.
        var digest = Digest.sha256(of: "")
    }

    /// One mount.
    struct Item {
        var mount: RunMount
        /// Absolute, normalised; empty for a secret that is only a variable.
        var target: String
        /// What tells a cache, a secret or an agent from others.
        var id: String
        var source: Source?

        /// Whether a directory is mounted.
        var isDirectory: Bool {
            switch mount.kind {
            case .cache, .tmpfs: true
            case .bind: source?.selected.isDirectory ?? true
            case .secret, .ssh: false
            }
        }

        /// What it is called in a sentence.
        var title: String {
            switch mount.kind {
            case .secret, .ssh: "\(mount.kind.rawValue) \(id)"
            case .bind: "source of the mount at \(target)"
            case .cache, .tmpfs: "mount at \(target)"
            }
        }

        /// What the instruction says, for the key of the step: no content of caches, no value of secrets.
        var definition: [String] {
            let numbers = [mount.mode, mount.userID, mount.groupID].map { $0.map(String.init) ?? "" }
            let words = [
                mount.kind.rawValue, target, mount.kind == .bind ? "" : id, mount.sharing?.rawValue ?? "",
                mount.isReadOnly.map { $0 ? "ro" : "rw" } ?? "", mount.isRequired ? "required" : "",
                mount.size.map(String.init) ?? "", mount.environmentName ?? "", source?.digest.hex ?? "",
            ]
            return words + numbers
        }
    }

    var items: [Item] = []

    /// The fields for the key of the step.
    var definition: [[String]] { items.map(\.definition) }

    /// The places that have to be there.
    var places: [BuildMountPoint] {
        items.filter { !$0.target.isEmpty }.map { BuildMountPoint(path: $0.target, isDirectory: $0.isDirectory) }
    }
}

extension Executor {
    /// Finds the places and sources of the mounts of a `RUN`.
    func stepMounts(_ run: RunInstruction, _ state: StageState) throws(BuildError) -> StepMounts {
        var mounts = StepMounts()
        var agents = 0
        for mount in run.mounts {
            var item = StepMounts.Item(mount: mount, target: "", id: mount.id ?? "")
            var target = mount.target
            switch mount.kind {
            case .bind: item.source = try mountSource(mount)
            case .cache:
                if item.id.isEmpty { item.id = ContainerPath.normalized(mount.target ?? "") }
                if mount.from != nil { item.source = try mountSource(mount) }
            case .tmpfs: break
            case .secret:
                if item.id.isEmpty { item.id = target?.split(separator: "/").last.map(String.init) ?? "" }
                if item.id.isEmpty {
                    throw BuildError(.dockerfile, "a mount of type secret needs an id or a target")
                }
                if target == nil, mount.environmentName == nil { target = "/run/secrets/\(item.id)" }
            case .ssh:
                if item.id.isEmpty { item.id = "default" }
                target = target ?? "/run/buildkit/ssh_agent.\(agents)"
                agents += 1
            }
            if let target {
                item.target = ContainerPath.normalized(state.absolute(target))
                if item.target == "/" { throw BuildError(.dockerfile, "invalid mount target \"\(target)\"") }
            }
            mounts.items.append(item)
        }
        return mounts
    }

    private func mountSource(_ mount: RunMount) throws(BuildError) -> StepMounts.Source {
        let tree: SourceTree
        let files: FileDigests
        let directories: [String]
        var memory: Digest?
        if let from = mount.from, case .directory(let directory) = options.namedContexts[from] {
            let (context, known) = try context(named: directory)
            (tree, files) = (context.tree, known)
            directories = [directory]
        } else if let from = mount.from {
            let layers = try layers(from: from)
            memory = try memoryKey(layers, path: mount.source ?? "")
            directories = store.lowerPaths(layers.map(\.id))
            tree = SourceTree(root: try openLayers(layers.map(\.id)), isContext: false)
            files = FileDigests()
        } else {
            let (context, known) = try context()
            (tree, files) = (context.tree, known)
            directories = [options.context ?? "."]
        }
        let path = mount.source ?? ""
        let names = TreePath.normalized(TreePath.names(path), clampingAtRoot: true) ?? []
        // What would be a pattern for COPY is a name here.
        let literal = TreePath.text(names).map { "\\*?[".contains($0) ? "\\\($0)" : "\($0)" }.joined()
        guard let selected = try tree.select(literal).first else {
            throw BuildError(
                .noSuchFile, "\(path): no such file \(mount.from.map { "in \($0)" } ?? "in the build context") to mount"
            )
        }
        var source = StepMounts.Source(tree: tree, selected: selected, directories: directories)
        // Layers never change: what they show at a path is hashed once.
        if let memory, let known = try cache.digest(memory) {
            source.digest = known
            return source
        }
        var digest = ContentDigest(
            tree: tree, rules: CopyRules(owner: tree.isContext ? .root : nil), files: files,
            checkpoint: frequentCheckpoint)
        try digest.add(selected)
        source.digest = digest.finish()
        if let memory { try cache.put(source.digest, for: memory) }
        return source
    }

    /// What stands for a part of layers; nil while they are being hashed.
    private func memoryKey(_ layers: [BuildLayer], path: String) throws(BuildError) -> Digest? {
        guard layers.allSatisfy(\.isFinished) else { return nil }
        var hasher = KeyHasher("mount selection")
        hasher.add(try StageState.diffIDs(of: layers).map(\.hex))
        hasher.add(path)
        return hasher.finish()
    }

    /// The layers that a name means: those of a stage or an image.
    private func layers(from name: String) throws(BuildError) -> [BuildLayer] {
        switch plan.graph.origin(of: name) {
        case .stage(let index):
            guard let stage = board.state(of: index) else {
                throw BuildError(.dockerfile, "the stage \(name) is not built")
            }
            return stage.layers
        case .image(let reference): return try layers(of: try image(reference))
        case .scratch: return []
        }
    }
}
