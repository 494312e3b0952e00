import Dockerfile
import ImageStore
import Linux
import OCI
import Runtime

/// What `RUN` does: a command in a container on the layers so far; what it changed is the next layer.
struct RunStep: BuildStep {
    let run: RunInstruction
    let options: BuildOptions
    /// `--build-arg`, those of proxies included.
    let givenArguments: [String: String]
    let sources: BuildSources
    let digests: DigestMemory
    let caches: CacheMountHolder
    let commands: CommandRunner

    func layerStep(on state: StageState) throws(BuildError) -> LayerStep {
        try refuse()
        let arguments: [String] =
            switch run.body {
            case .shell(let text): state.shell + [text]
            case .exec(let arguments): arguments
            case .script(let text): [text]
            }
        if arguments.isEmpty { throw BuildError(.dockerfile, "RUN has no command") }
        let declared = state.scope.commandArguments.map { "\($0.key)=\($0.value)" }
        let names = state.scope.commandArguments.map { $0.key + "=" }
        // An argument that was declared after a variable of its name takes its place.
        let environment = state.image.config.env.filter { pair in !names.contains { pair.hasPrefix($0) } }
        let user = state.image.config.user ?? ""
        var isScript = false
        if case .script = run.body { isScript = true }
        let mounts = try StepMounts(run, state, sources, digests)
        let isolation = isolation
        let key = state.filesKey.step(
            "RUN",
            definition: [
                arguments, environment, declared, [user, state.workingDirectory, isScript ? "script" : ""],
            ] + mounts.definition + Self.definition(of: isolation)
                + options.volumes.map(\.definition))
        var command = BuildCommand(
            arguments: arguments, environment: environment + declared + proxies(state),
            workingDirectory: state.workingDirectory, user: user)
        command.isolation = isolation
        let prefix = declared.isEmpty ? "" : "|\(declared.count) \(declared.joined(separator: " ")) "
        let (layers, baseImage) = (state.layerIDs, state.baseImage)
        let createdBy = "RUN \(prefix)\(arguments.joined(separator: " ")) # strata"
        let description = StepDescription(
            arguments: arguments, user: user, directory: state.workingDirectory, buildArguments: declared,
            environment: environment, mounts: mounts, host: Self.definition(of: isolation))
        return LayerStep(
            key: key, createdBy: createdBy, cacheMounts: mounts.caches, description: description
        ) {
            (number: Int) throws(BuildError) in
            var held = HeldMounts(caches: try caches.hold(mounts, number))
            let mount = try fromRuntime { () throws(RuntimeError) in
                try BuildMount(
                    commands.runtime, layers: layers, imageID: baseImage,
                    mountPoints: mounts.places + options.volumes.map(\.place))
            }
            try held.make(mounts, on: mount, options)
            var command = command
            command.mounts = options.volumes.map(\.mount) + held.mounts
            command.environment += held.environment
            command.secretEnvironment = held.secretEnvironment
            let step = CommandStep(command: command, isScript: isScript, mount: mount, number: number)
            let pending = try commands.run(step, state)
            withExtendedLifetime(held) {}
            return pending
        }
    }

    /// What the command has of the host: as the build says, and then the instruction.
    private var isolation: Isolation {
        var isolation = options.isolation
        let network = run.network.flatMap { $0 == .default ? nil : $0 } ?? options.network
        isolation.network = network == RunInstruction.Network.none ? .none : .host
        isolation.isPrivileged = run.security == .insecure
        return isolation
    }

    /// What of that counts for the cache: all but the addresses of hosts. Nothing where all is as by default.
    private static func definition(of isolation: Isolation) -> [[String]] {
        if isolation == Isolation() { return [] }
        let limits = isolation.limits.map { "\($0.type)=\($0.soft):\($0.hard)" }
        return [
            [
                isolation.network == .host ? "" : isolation.network.rawValue, isolation.isPrivileged ? "insecure" : "",
                isolation.sharedMemory.map(String.init) ?? "",
            ], isolation.hosts.map(\.name), limits,
        ]
    }

    /// What the caller of the build has to allow is refused without that.
    private func refuse() throws(BuildError) {
        if run.security == .insecure, !options.entitlements.contains(.insecure) {
            throw BuildError(
                .notAllowed, "security.insecure is not allowed", remedy: "allow it with --allow security.insecure")
        }
    }

    /// Proxy settings are handed to commands without an `ARG`, and are no part of the cache key or of the history.
    private func proxies(_ state: StageState) -> [String] {
        givenArguments.filter { name, _ in
            BuildArguments.proxyNames.contains(name) && state.scope.value(of: name) == nil
        }.map { "\($0.key)=\($0.value)" }.sorted()
    }
}
