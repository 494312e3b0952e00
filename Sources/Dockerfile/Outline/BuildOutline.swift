/// What building a stage takes from outside, as `--call=outline` shows it.
public struct BuildOutline: Sendable, Hashable {
    /// A build argument.
    public struct Argument: Sendable, Hashable {
        public var name: String
        /// What a comment above says about it.
        public var description: String?
        /// The value that it has without `--build-arg`, or with it if it is given; nil for none.
        public var value: String?
        /// The lines of the `ARG`.
        public var lines: ClosedRange<Int>
    }

    /// A secret, or an agent of SSH.
    public struct Need: Sendable, Hashable {
        public var name: String
        public var isRequired: Bool
        /// The lines of the `RUN`.
        public var lines: ClosedRange<Int>
    }

    /// The stage's name, and what a comment above says about it.
    public var name: String?
    public var description: String?
    /// The arguments in the order of the file, each once; likewise the others.
    public var arguments: [Argument] = []
    public var secrets: [Need] = []
    public var agents: [Need] = []

    /// Finds out what a target takes, with the stages that it needs.
    ///
    /// Throws as `DockerfileDocument.resolve(arguments:)` and `StageGraph.index(ofTarget:)`.
    public init(
        _ document: DockerfileDocument, arguments: BuildArguments, target: String?
    ) throws(DockerfileError) {
        let graph = try document.resolve(arguments: arguments)
        let index = try graph.index(ofTarget: target)
        name = graph.nodes[index].stage.name
        description = name.flatMap { graph.nodes[index].stage.written.description(of: $0) }
        let globals = BuildOutline.declarations(document.globalArguments) { graph.globalArguments[$0] }
        var used: Set<String> = []
        for index in graph.order(for: index) {
            let node = graph.nodes[index]
            for text in [node.stage.base, node.stage.platform].compactMap({ $0 }) {
                used.formUnion(BuildOutline.variables(of: text, escape: document.directives.escape))
            }
            try add(node.stage, graph, arguments, &used)
        }
        // The default of an argument that counts may take in others.
        var open = used
        while !open.isEmpty {
            var next: Set<String> = []
            for global in globals where open.contains(global.argument.name) {
                next.formUnion(
                    BuildOutline.variables(of: global.expression, escape: document.directives.escape))
            }
            open = next.subtracting(used)
            used.formUnion(next)
        }
        let known = Set(self.arguments.map(\.name))
        self.arguments += globals.map(\.argument).filter { used.contains($0.name) && !known.contains($0.name) }
        self.arguments.sort { $0.lines.lowerBound < $1.lines.lowerBound }
        secrets.sort { $0.lines.lowerBound < $1.lines.lowerBound }
        agents.sort { $0.lines.lowerBound < $1.lines.lowerBound }
    }

    private mutating func add(
        _ stage: Stage, _ graph: StageGraph, _ arguments: BuildArguments, _ used: inout Set<String>
    ) throws(DockerfileError) {
        var scope = VariableScope(globalArguments: graph.globalArguments, buildArguments: arguments)
        for instruction in stage.instructions {
            if case .run(let run) = instruction.operation { add(run.mounts, instruction.origin.lines) }
            guard case .argument(let argument) = instruction.operation else { continue }
            _ = try? scope.apply(instruction)
            for declaration in argument.declarations {
                let name = declaration.name
                used.insert(name)
                // One that only takes over the value from the top of the file is described there.
                let isTaken = declaration.defaultValue == nil && arguments.given[name] == nil
                if isTaken, graph.globalArguments[name] ?? arguments.predefined[name] != nil { continue }
                guard !self.arguments.contains(where: { $0.name == name }) else { continue }
                self.arguments.append(
                    Argument(
                        name: name, description: instruction.written.description(of: name),
                        value: scope.value(of: name), lines: instruction.origin.lines))
            }
        }
    }

    private mutating func add(_ mounts: [RunMount], _ lines: ClosedRange<Int>) {
        for mount in mounts {
            switch mount.kind {
            case .secret:
                let name = mount.id ?? mount.target?.split(separator: "/").last.map(String.init) ?? ""
                guard !secrets.contains(where: { $0.name == name }) else { continue }
                secrets.append(Need(name: name, isRequired: mount.isRequired, lines: lines))
            case .ssh:
                let name = mount.id ?? "default"
                guard !agents.contains(where: { $0.name == name }) else { continue }
                agents.append(Need(name: name, isRequired: mount.isRequired, lines: lines))
            default: break
            }
        }
    }

    private static func declarations(
        _ instructions: [Instruction], value: (String) -> String?
    ) -> [(argument: Argument, expression: String)] {
        var result: [(argument: Argument, expression: String)] = []
        for instruction in instructions {
            guard case .argument(let argument) = instruction.operation else { continue }
            for declaration in argument.declarations {
                let described = Argument(
                    name: declaration.name, description: instruction.written.description(of: declaration.name),
                    value: value(declaration.name), lines: instruction.origin.lines)
                result.removeAll { $0.argument.name == declaration.name }
                result.append((described, declaration.defaultValue ?? ""))
            }
        }
        return result
    }

    private static func variables(of text: String, escape: EscapeCharacter) -> Set<String> {
        var names: Set<String> = []
        let expander = Expander(escape: escape) { name in
            names.insert(name)
            return nil
        }
        _ = try? expander.expand(text)
        return names
    }
}
