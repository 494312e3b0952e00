import Dockerfile
import ImageStore
import LayerTree
import Linux
import OCI
import Runtime

/// The mounts of a step while its command runs: the caches that it holds, and what was put into the command.
struct HeldMounts {
    var caches: [String: CacheMount] = [:]
    var mounts: [RuntimeSpecification.Mount] = []
    var environment: [String] = []
    var secretEnvironment: [String] = []

    /// Makes the mounts of a step ready for its command.
    mutating func make(_ step: StepMounts, on mount: BuildMount, _ options: BuildOptions) throws(BuildError) {
        for item in step.items {
            switch item.mount.kind {
            case .bind: mounts.append(try bind(item, on: mount))
            case .cache:
                guard let cache = caches[item.cacheKey().hex] else { continue }
                mounts.append(.bind(cache.path, at: item.target, readOnly: item.mount.isReadOnly ?? false))
            case .tmpfs:
                let size = item.mount.size.map { ["size=\($0)"] } ?? []
                mounts.append(
                    RuntimeSpecification.Mount(
                        item.target, type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"] + size))
            case .secret: try addSecret(item, on: mount, options)
            case .ssh: try addAgent(item, on: mount, options)
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

    private mutating func addSecret(
        _ item: StepMounts.Item, on mount: BuildMount, _ options: BuildOptions
    ) throws(BuildError) {
        let secret = options.secrets[item.id]
        guard let value = try secret?.value(environment: options.environment) else {
            if !item.mount.isRequired { return }
            throw BuildError(
                .noSuchSecret, "the secret \(item.id) is required and was not given",
                remedy: "give it with --secret id=\(item.id),src=FILE")
        }
        if let name = item.mount.environmentName {
            secretEnvironment.append("\(name)=\(String(decoding: value, as: UTF8.self))")
        }
        if item.target.isEmpty { return }
        let directory = try fromRuntime { () throws(RuntimeError) in try mount.privateDirectory() }
        let path = "\(directory)/secret\(mounts.count)"
        try attempting("write the secret \(item.id)") { () throws(Errno) in
            let file = try FileDescriptor.open(path, [.writeOnly, .create, .exclusive], mode: 0o600)
            try file.writeAll(value)
            try file.setOwner(uid: item.mount.userID ?? 0, gid: item.mount.groupID ?? 0)
            try file.setMode(item.mount.mode ?? 0o400)
        }
        mounts.append(.bind(path, at: item.target, readOnly: true))
    }

    private mutating func addAgent(
        _ item: StepMounts.Item, on mount: BuildMount, _ options: BuildOptions
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
        mounts.append(.bind(path, at: item.target))
        if !environment.contains(where: { $0.hasPrefix("SSH_AUTH_SOCK=") }) {
            environment.append("SSH_AUTH_SOCK=\(item.target)")
        }
    }
}
