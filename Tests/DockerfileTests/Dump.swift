import Dockerfile

/// A text of everything that a parse has found, one line for each thing, for comparison with a stored one.
struct Dump {
    private(set) var lines: [String] = []

    init(_ document: DockerfileDocument) {
        let directives = document.directives
        lines.append("escape \(directives.escape.rawValue)")
        if let syntax = directives.syntax { lines.append("syntax \(syntax)") }
        if let check = directives.check { lines.append("check \(check)") }
        for instruction in document.globalArguments { add(instruction) }
        for stage in document.stages {
            lines.append("stage \(stage.index) \(stage.origin.range) \(quoted(stage.text))")
            lines.append("    base \(quoted(stage.base)) name \(quoted(stage.name)) platform \(quoted(stage.platform))")
            for instruction in stage.instructions { add(instruction) }
        }
    }

    mutating func add(_ graph: StageGraph) {
        for node in graph.nodes {
            let index = node.stage.index
            lines.append(
                "graph \(index) base \(node.base) needs \(graph.dependencies(of: index)) order \(graph.order(for: index))"
                    + " images \(graph.images(for: index))")
        }
    }

    private mutating func add(_ instruction: Instruction) {
        lines.append("\(instruction.origin.range) \(quoted(instruction.text))")
        for detail in details(instruction.operation) { lines.append("    \(detail)") }
    }

    /// Line feeds as `\n`, so that a thing stays on its line; the rest as it is.
    private func escaped(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n")
    }

    private func quoted(_ text: String?) -> String { text.map { "<\(escaped($0))>" } ?? "nil" }

    private func details(_ operation: Instruction.Operation) -> [String] {
        switch operation {
        case .add(let add):
            files(add.files) + [
                "checksum \(quoted(add.checksum)) keep-git-dir \(add.keepGitDirectory)"
                    + " unpack \(add.unpack.map(String.init) ?? "nil")"
            ]
        case .copy(let copy): files(copy.files) + ["from \(quoted(copy.from)) parents \(copy.parents)"]
        case .argument(let argument): argument.declarations.map { "arg \($0.name) = \(quoted($0.defaultValue))" }
        case .command(let form): ["cmd \(form)"]
        case .entrypoint(let form): ["entrypoint \(form)"]
        case .environment(let pairs): pairs.map { "env \(quoted($0.key)) = \(quoted($0.value))" }
        case .label(let pairs): pairs.map { "label \(quoted($0.key)) = \(quoted($0.value))" }
        case .expose(let ports): ["expose \(ports)"]
        case .healthcheck(let check): healthcheck(check)
        case .maintainer(let name): ["maintainer \(quoted(name))"]
        case .onBuild(let trigger): ["onbuild \(quoted(trigger))"]
        case .run(let run): self.run(run)
        case .shell(let words): ["shell \(words)"]
        case .stopSignal(let signal): ["stopsignal \(quoted(signal))"]
        case .user(let user): ["user \(quoted(user))"]
        case .volume(let paths): ["volume \(paths)"]
        case .workingDirectory(let path): ["workdir \(quoted(path))"]
        }
    }

    private func files(_ files: FileTransfer) -> [String] {
        files.sources.map { source in
            switch source {
            case .path(let path): "source \(quoted(path))"
            case .heredoc(let document):
                "source \(document.name) \(quoted(document.content)) expands \(document.expands)"
                    + " strips \(document.stripsTabs)"
            }
        } + [
            "destination \(quoted(files.destination))",
            "chown \(quoted(files.owner)) chmod \(quoted(files.mode)) link \(files.link) exclude \(files.excludes)",
        ]
    }

    private func run(_ run: RunInstruction) -> [String] {
        var lines = ["\(run.body)"]
        if let network = run.network { lines.append("network \(network)") }
        if let security = run.security { lines.append("security \(security)") }
        for mount in run.mounts {
            var fields = ["mount \(mount.kind) target \(quoted(mount.target))"]
            if let source = mount.source { fields.append("source \(source)") }
            if let from = mount.from { fields.append("from \(from)") }
            if let id = mount.id { fields.append("id \(id)") }
            if let sharing = mount.sharing { fields.append("sharing \(sharing)") }
            if let readOnly = mount.isReadOnly { fields.append("readonly \(readOnly)") }
            if mount.isRequired { fields.append("required") }
            if let size = mount.size { fields.append("size \(size)") }
            if let mode = mount.mode { fields.append("mode \(String(mode, radix: 8))") }
            if let user = mount.userID { fields.append("uid \(user)") }
            if let group = mount.groupID { fields.append("gid \(group)") }
            if let name = mount.environmentName { fields.append("env \(name)") }
            lines.append(fields.joined(separator: " "))
        }
        return lines
    }

    private func healthcheck(_ check: HealthcheckInstruction) -> [String] {
        let times = [check.interval, check.timeout, check.startPeriod, check.startInterval]
        return [
            "healthcheck \(check.command.map { "\($0)" } ?? "none")",
            "times \(times.map { $0.map(String.init) ?? "nil" }) retries \(check.retries.map(String.init) ?? "nil")",
        ]
    }
}
