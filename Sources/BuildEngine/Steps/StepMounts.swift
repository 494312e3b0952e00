import Dockerfile
import LayerTree
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

        /// The key of a cache: it is another one if it begins with other files, or belongs to somebody else.
        ///
        /// - Parameter copy: which of the directories of a private cache, from 0.
        func cacheKey(copy: Int = 0) -> Digest {
            var hasher = KeyHasher("cache mount")
            hasher.add(id)
            hasher.add(source?.digest.hex ?? "")
            for number in [mount.mode, mount.userID, mount.groupID] { hasher.add(number.map(String.init) ?? "") }
            if copy > 0 { hasher.add(UInt64(copy)) }
            return hasher.finish()
        }
    }

    var items: [Item] = []

    /// The fields for the key of the step.
    var definition: [[String]] { items.map(\.definition) }

    /// The caches, with their keys.
    var cacheItems: [(key: Digest, item: Item)] {
        items.filter { $0.mount.kind == .cache }.map { ($0.cacheKey(), $0) }
    }

    /// The keys of the caches, with what people call them.
    var caches: [Digest: String] {
        Dictionary(cacheItems.map { ($0.key, $0.item.id) }) { first, _ in first }
    }

    /// The places that have to be there.
    var places: [BuildMountPoint] {
        items.filter { !$0.target.isEmpty }.map { BuildMountPoint(path: $0.target, isDirectory: $0.isDirectory) }
    }
}

extension StepMounts {
    /// Finds the places and sources of the mounts of a `RUN`.
    init(
        _ run: RunInstruction, _ state: StageState, _ sources: BuildSources, _ digests: DigestMemory
    ) throws(BuildError) {
        self.init()
        var agents = 0
        for mount in run.mounts {
            var item = StepMounts.Item(mount: mount, target: "", id: mount.id ?? "")
            var target = mount.target
            switch mount.kind {
            case .bind: item.source = try Source(of: mount, sources, digests)
            case .cache:
                if item.id.isEmpty { item.id = ContainerPath.normalized(mount.target ?? "") }
                if mount.from != nil { item.source = try Source(of: mount, sources, digests) }
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
            items.append(item)
        }
    }
}

extension StepMounts.Source {
    /// Finds what a mount shows, or what a cache begins with.
    init(of mount: RunMount, _ sources: BuildSources, _ digests: DigestMemory) throws(BuildError) {
        let files = try sources.files(of: mount.from)
        let path = mount.source ?? ""
        let names = TreePath.normalized(TreePath.names(path), clampingAtRoot: true) ?? []
        // What would be a pattern for COPY is a name here.
        let literal = TreePath.text(names).map { "\\*?[".contains($0) ? "\\\($0)" : "\($0)" }.joined()
        guard let selected = try files.tree.select(literal).first else {
            throw BuildError(
                .noSuchFile, "\(path): no such file \(mount.from.map { "in \($0)" } ?? "in the build context") to mount"
            )
        }
        let content = try digests.digest(
            of: files, CopyRules(owner: files.tree.isContext ? .root : nil), kind: "mount selection"
        ) { hasher in
            hasher.add(path)
        } add: { (digest) throws(BuildError) in
            try digest.add(selected)
        }
        self.init(tree: files.tree, selected: selected, directories: files.directories, digest: content.digest)
    }
}
