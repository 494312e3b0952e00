import Dockerfile
import ImageStore
import Linux
import OCI
import Runtime

extension Executor {
    /// What `RUN` does: a command in a container on the layers so far; what it changed is the next layer.
    func runStep(_ run: RunInstruction, _ state: StageState) throws(BuildError) -> LayerStep {
        try refuse(run)
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
        let mounts = try stepMounts(run, state)
        let isolation = isolation(of: run)
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
            key: key, createdBy: createdBy, cacheMounts: cacheMounts(of: mounts), description: description
        ) {
            (number: Int) throws(BuildError) in
            var held = try self.holdCaches(mounts, number)
            let mount = try fromRuntime { () throws(RuntimeError) in
                try BuildMount(
                    self.runtime, layers: layers, imageID: baseImage,
                    mountPoints: mounts.places + self.options.volumes.map(\.place))
            }
            try self.make(mounts, &held, on: mount)
            var command = command
            command.mounts = self.options.volumes.map(\.mount) + held.mounts
            command.environment += held.environment
            command.secretEnvironment = held.secretEnvironment
            let step = CommandStep(command: command, isScript: isScript, mount: mount, number: number)
            let pending = try self.run(step, state)
            withExtendedLifetime(held) {}
            return pending
        }
    }

    /// What the command has of the host: as the build says, and then the instruction.
    private func isolation(of run: RunInstruction) -> Isolation {
        var isolation = options.isolation
        let network = run.network.flatMap { $0 == .default ? nil : $0 } ?? options.network
        isolation.hasNetwork = network != RunInstruction.Network.none
        isolation.isPrivileged = run.security == .insecure
        return isolation
    }

    /// What of that counts for the cache: all but the addresses of hosts. Nothing where all is as by default.
    private static func definition(of isolation: Isolation) -> [[String]] {
        if isolation == Isolation() { return [] }
        let limits = isolation.limits.map { "\($0.type)=\($0.soft):\($0.hard)" }
        return [
            [
                isolation.hasNetwork ? "" : "none", isolation.isPrivileged ? "insecure" : "",
                isolation.sharedMemory.map(String.init) ?? "",
            ], isolation.hosts.map(\.name), limits,
        ]
    }

    /// What the caller of the build has to allow is refused without that.
    private func refuse(_ run: RunInstruction) throws(BuildError) {
        if run.security == .insecure, !options.entitlements.contains(.insecure) {
            throw BuildError(
                .notAllowed, "security.insecure is not allowed", remedy: "allow it with --allow security.insecure")
        }
    }

    /// Proxy settings are handed to commands without an `ARG`, and are no part of the cache key or of the history.
    private func proxies(_ state: StageState) -> [String] {
        arguments.given.filter { name, _ in
            BuildArguments.proxyNames.contains(name) && state.scope.value(of: name) == nil
        }.map { "\($0.key)=\($0.value)" }.sorted()
    }

    private func run(_ step: CommandStep, _ state: StageState) throws(BuildError) -> PendingLayer {
        try checkpoint()
        var step = step
        let script = step.isScript ? try StepScript(step.command.arguments[0], in: step.mount.rootfs) : nil
        if let script { step.command.arguments = [script.path] }
        var lines = LastLines()
        let status: Int32
        do throws(RuntimeError) {
            status = try step.mount.run(step.command, cancellation: stop) { stream, bytes in
                lines.append(bytes)
                self.reporter.output(step.number, stream, bytes)
            }
        } catch {
            try checkpoint()
            guard error.code == .commandNotFound || error.code == .commandNotExecutable else {
                throw BuildError(error)
            }
            // As a shell would have it: the reason on standard error, and the status that stands for it.
            Array("\(error.message)\n".utf8).withUnsafeBytes {
                lines.append($0)
                reporter.output(step.number, .standardError, $0)
            }
            try script?.remove()
            throw failure(step, status: error.exitCode, lines.finish(), state)
        }
        try script?.remove()
        try checkpoint()
        if status != 0 { throw failure(step, status: status, lines.finish(), state) }
        return try fromRuntime { () throws(RuntimeError) in try step.mount.commit() }
    }
}

/// A here-document with an interpreter of its own, put into the root file system for the time of its execution.
private struct StepScript {
    /// The path in the container.
    let path: String
    private let rootfs: String
    private let status: FileStatus

    init(_ text: String, in rootfs: String) throws(BuildError) {
        let name = ".strata-run-\(String(UInt64.random(in: .min ... .max), radix: 36))"
        path = "/" + name
        self.rootfs = rootfs
        status = try attempting("write \(path)") { () throws(Errno) in
            let root = try FileDescriptor.open(rootfs, [.directory])
            let status = try root.status()
            let file = try root.open(name, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o755)
            try file.setMode(0o755)
            try file.writeAll(text)
            return status
        }
    }

    /// Takes the script away again, as if it had never been there.
    func remove() throws(BuildError) {
        try attempting("remove \(path)") { () throws(Errno) in
            let root = try FileDescriptor.open(rootfs, [.directory])
            try root.unlink(String(path.dropFirst()))
            try root.setTimes(access: status.accessTime, modification: status.modificationTime)
        }
    }
}
