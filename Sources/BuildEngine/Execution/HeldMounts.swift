import Dockerfile
import ImageStore
import Linux
import OCI
import Runtime

/// The mounts of a step while its command runs: the caches that it holds, and what was put into the command.
struct HeldMounts {
    var caches: [String: CacheMount] = [:]
    var mounts: [RuntimeSpecification.Mount] = []
    var environment: [String] = []
    var secretEnvironment: [String] = []
}

extension Executor {
    /// Takes hold of the caches of a step, in one order for all steps so that no two wait for each other.
    func holdCaches(_ step: StepMounts, _ number: Int) throws(BuildError) -> HeldMounts {
        var held = HeldMounts()
        let caches = step.items.filter { $0.mount.kind == .cache }.map { (key: cacheKey($0), item: $0) }
        for (key, item) in caches.sorted(by: { $0.key.hex < $1.key.hex }) where held.caches[key.hex] == nil {
            let isLocked = caches.contains { $0.key == key && $0.item.mount.sharing == .locked }
            let cache = try hold(key, item, isLocked: isLocked, number)
            if cache.isNew { try fill(cache, item, key) }
            held.caches[key.hex] = cache
        }
        return held
    }

    /// The keys of a step's caches, with what people call them.
    func cacheMounts(of step: StepMounts) -> [Digest: String] {
        let caches = step.items.filter { $0.mount.kind == .cache }
        return Dictionary(caches.map { (cacheKey($0), $0.id) }) { first, _ in first }
    }

    /// A cache is another one if it begins with other files, or belongs to somebody else.
    private func cacheKey(_ item: StepMounts.Item, copy: Int = 0) -> Digest {
        var hasher = KeyHasher("cache mount")
        hasher.add(item.id)
        hasher.add(item.source?.digest.hex ?? "")
        for number in [item.mount.mode, item.mount.userID, item.mount.groupID] {
            hasher.add(number.map(String.init) ?? "")
        }
        if copy > 0 { hasher.add(UInt64(copy)) }
        return hasher.finish()
    }

    private func hold(
        _ key: Digest, _ item: StepMounts.Item, isLocked: Bool, _ number: Int
    ) throws(BuildError) -> CacheMount {
        let isPrivate = item.mount.sharing == .private
        var copy = 0
        var hasTold = false
        while true {
            try checkpoint()
            let wanted = copy == 0 ? key : cacheKey(item, copy: copy)
            let cache = try fromStore { () throws(StoreError) in
                try store.cacheMount(key: wanted, name: item.id, exclusive: isLocked || isPrivate)
            }
            if let cache { return cache }
            if isPrivate {
                // Somebody has it: the next one.
                copy += 1
                continue
            }
            if !hasTold { reporter.note(number, "waiting for the cache \(item.id)") }
            hasTold = true
            MonotonicClock.sleep(milliseconds: 20)
        }
    }

    /// Puts into a directory what another store left of a cache; false where none did.
    private func takeOver(_ key: Digest, into content: String) -> Bool {
        guard let layer = cache.imports?.mount(key) else { return false }
        do {
            let tree = try TreeDirectory(layers: [store.layerPath(layer.id)], marks: store.marks)
            let root = try DestinationDirectory(upper: content, marks: nil)
            var copier = TreeCopier(tree: SourceTree(root: tree, isContext: false), rules: CopyRules(), root: root)
            copier.checkpoint = frequentCheckpoint
            try copier.copyContents(of: tree, path: [], source: 0, to: root)
            return true
        } catch {
            reporter.report(.warning("a cache mount of another store cannot be used: \(error)"))
            return false
        }
    }

    private func fill(_ cache: CacheMount, _ item: StepMounts.Item, _ key: Digest) throws(BuildError) {
        let scratch = try fromStore(store.makeTemporaryDirectory)
        var content = try fromStore { () throws(StoreError) in try scratch.makeDirectory("data") }
        let isTakenOver = takeOver(key, into: content)
        if !isTakenOver { content = try fromStore { () throws(StoreError) in try scratch.makeDirectory("new") } }
        if !isTakenOver, let source = item.source {
            guard source.selected.isDirectory else {
                throw BuildError(
                    .badDestination, "the cache \(item.id) begins with \(source.selected.name.text), a file")
            }
            let opened = try attempting("fill the cache \(item.id)") { () throws(Errno) in
                let directory = try source.selected.location.open()
                return (directory, try DestinationDirectory(upper: content, marks: nil))
            }
            let rules = CopyRules(owner: source.tree.isContext ? .root : nil)
            var copier = TreeCopier(tree: source.tree, rules: rules, root: opened.1)
            copier.checkpoint = frequentCheckpoint
            try copier.copyContents(
                of: opened.0, path: source.selected.path, source: source.selected.prefixLength, to: opened.1)
        }
        let mount = item.mount
        try attempting("fill the cache \(item.id)") { () throws(Errno) in
            let directory = try FileDescriptor.open(content, [.directory])
            try directory.setOwner(uid: mount.userID ?? 0, gid: mount.groupID ?? 0)
            try directory.setMode(mount.mode ?? 0o755)
        }
        try fromStore { () throws(StoreError) in try cache.publish(content) }
    }

    // MARK: On the mounted root file system

    /// Makes the mounts of a step ready for its command.
    func make(_ step: StepMounts, _ held: inout HeldMounts, on mount: BuildMount) throws(BuildError) {
        for item in step.items {
            switch item.mount.kind {
            case .bind: held.mounts.append(try bind(item, on: mount))
            case .cache:
                guard let cache = held.caches[cacheKey(item).hex] else { continue }
                held.mounts.append(.bind(cache.path, at: item.target, readOnly: item.mount.isReadOnly ?? false))
            case .tmpfs:
                let size = item.mount.size.map { ["size=\($0)"] } ?? []
                held.mounts.append(
                    RuntimeSpecification.Mount(
                        item.target, type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"] + size))
            case .secret: try addSecret(item, to: &held, on: mount)
            case .ssh: try addAgent(item, to: &held, on: mount)
            }
        }
    }

    private func bind(
        _ item: StepMounts.Item, on mount: BuildMount
    ) throws(BuildError) -> RuntimeSpecification.Mount {
        guard let source = item.source else { throw BuildError(.dockerfile, "a bind mount without a source") }
        let isWritable = item.mount.isReadOnly == false
        var directories = source.directories
        var path = source.selected.location.path
        if source.tree.isContext {
            // The union is of the source's directory alone, as the ignore file's work need not be done for the rest.
            let last = source.selected.isDirectory ? nil : path.popLast()
            let root = TreePath.text(path)
            directories = directories.map { root == "/" ? $0 : $0 + root }
            if last == nil, let mask = try mask(source, mount) { directories.insert(mask, at: 0) }
            path = last.map { [$0] } ?? []
        }
        let root = try fromRuntime { () throws(RuntimeError) in
            try mount.mountStack(
                directories.map(Self.absolute), isWritable: isWritable, belongsToRoot: source.tree.isContext)
        }
        let place = path.isEmpty ? root : root + TreePath.text(path)
        return .bind(place, at: item.target, readOnly: !isWritable)
    }

    private static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        let here = (try? FileDescriptor.currentDirectory.readLink("/proc/self/cwd")) ?? []
        return String(decoding: here, as: UTF8.self) + "/" + path
    }

    /// A layer that hides what the ignore file leaves out; nil where that is nothing.
    private func mask(_ source: StepMounts.Source, _ mount: BuildMount) throws(BuildError) -> String? {
        let filter = source.tree.filter
        if filter.isEmpty, filter.store == nil { return nil }
        let path = try fromRuntime { () throws(RuntimeError) in try mount.makeDirectory("mask") }
        let isNeeded = try attempting("apply the ignore file") { () throws(Errno) in
            let directory = try source.selected.location.open()
            let mask = try FileDescriptor.open(path, [.directory])
            return try ContextMask(tree: source.tree).write(
                directory, path: source.selected.path, source: source.selected.prefixLength, to: mask)
        }
        return isNeeded ? path : nil
    }

    private func addSecret(
        _ item: StepMounts.Item, to held: inout HeldMounts, on mount: BuildMount
    ) throws(BuildError) {
        let secret = options.secrets[item.id]
        guard let value = try secret?.value(environment: options.environment) else {
            if !item.mount.isRequired { return }
            throw BuildError(
                .noSuchSecret, "the secret \(item.id) is required and was not given",
                remedy: "give it with --secret id=\(item.id),src=FILE")
        }
        if let name = item.mount.environmentName {
            held.secretEnvironment.append("\(name)=\(String(decoding: value, as: UTF8.self))")
        }
        if item.target.isEmpty { return }
        let directory = try fromRuntime { () throws(RuntimeError) in try mount.privateDirectory() }
        let path = "\(directory)/secret\(held.mounts.count)"
        try attempting("write the secret \(item.id)") { () throws(Errno) in
            let file = try FileDescriptor.open(path, [.writeOnly, .create, .exclusive], mode: 0o600)
            try file.writeAll(value)
            try file.setOwner(uid: item.mount.userID ?? 0, gid: item.mount.groupID ?? 0)
            try file.setMode(item.mount.mode ?? 0o400)
        }
        held.mounts.append(.bind(path, at: item.target, readOnly: true))
    }

    private func addAgent(
        _ item: StepMounts.Item, to held: inout HeldMounts, on mount: BuildMount
    ) throws(BuildError) {
        guard let agent = options.agents[item.id] else {
            if !item.mount.isRequired { return }
            throw BuildError(
                .noSuchSecret, "the SSH agent \(item.id) is required and was not given",
                remedy: "give it with --ssh \(item.id)")
        }
        let owner = (uid: item.mount.userID ?? 0, gid: item.mount.groupID ?? 0)
        let path = try fromRuntime { () throws(RuntimeError) in
            try mount.relaySocket(to: agent.socket, owner: owner, mode: item.mount.mode ?? 0o600)
        }
        held.mounts.append(.bind(path, at: item.target))
        if !held.environment.contains(where: { $0.hasPrefix("SSH_AUTH_SOCK=") }) {
            held.environment.append("SSH_AUTH_SOCK=\(item.target)")
        }
    }
}
