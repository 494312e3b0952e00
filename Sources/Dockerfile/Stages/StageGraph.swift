/// The stages of a Dockerfile with their bases known, and what each of them needs.
public struct StageGraph: Sendable, Hashable {
    /// What files or a stage come from.
    public enum Origin: Sendable, Hashable {
        /// Nothing: an empty image.
        case scratch
        /// A stage of the same file, by number.
        case stage(Int)
        /// An image, by reference.
        case image(String)
    }

    /// A stage and what its `FROM` has turned out to be.
    public struct Node: Sendable, Hashable {
        /// The stage as written.
        public var stage: Stage
        /// What it starts from.
        public var base: Origin
        /// `--platform=` with its variables replaced, nil if not given or empty.
        public var platform: String?
    }

    /// The stages, by number.
    public let nodes: [Node]
    /// The values of the `ARG`s in front of the first `FROM`, for `VariableScope`.
    public let globalArguments: [String: String]
    private let file: String
    /// Stage names to numbers.
    private let names: [String: Int]
    /// What each stage needs directly.
    private var edges: [[Int]] = []

    /// Finds the bases of all stages and makes sure that no stage needs itself.
    ///
    /// Throws `unsetVariable`, `missingArgument`, `unknownStage`, `circularStages` with the place.
    init(_ document: DockerfileDocument, arguments: BuildArguments) throws(DockerfileError) {
        let globals = try StageGraph.globals(document, arguments)
        let lookup = { (name: String) in globals[name] ?? arguments.predefined[name] }
        let expander = Expander(escape: document.directives.escape, lookup: lookup)
        var nodes: [Node] = []
        var names: [String: Int] = [:]
        for stage in document.stages {
            do {
                let base = try expander.nonEmpty(
                    stage.base, "the base of the stage",
                    remedy: "give the variable a value with ARG before the first FROM, or with --build-arg")
                let platform = try expander.optional(stage.platform)
                // Only stages above can be a base: the name of one below is taken for an image's.
                let earlier = names[base.asciiLowercased]
                nodes.append(
                    Node(
                        stage: stage,
                        base: earlier.map { .stage($0) } ?? (base == "scratch" ? .scratch : .image(base)),
                        platform: platform?.isEmpty == true ? nil : platform))
            } catch {
                throw error.located(at: stage.origin)
            }
            if let name = stage.name { names[name] = stage.index }
        }
        self.nodes = nodes
        self.names = names
        globalArguments = globals
        file = document.file
        try checkReferences()
        edges = nodes.map { node in
            var needed: [Int] = []
            for case .stage(let other) in origins(of: node) where !needed.contains(other) { needed.append(other) }
            return needed
        }
        try checkCircles()
    }

    /// The number of the stage that `--target` names, by name or number; the last one if there is no target.
    ///
    /// Throws `unknownStage`.
    public func index(ofTarget target: String?) throws(DockerfileError) -> Int {
        guard let target, !target.isEmpty else { return nodes.count - 1 }
        if let index = names[target.asciiLowercased] { return index }
        if let number = Int(target), nodes.indices.contains(number) { return number }
        let meant = Suggestion.nearest(to: target.asciiLowercased, in: nodes.compactMap(\.stage.name))
        var error = DockerfileError(
            .unknownStage, "there is no stage \(target.shown)", remedy: meant.map { "did you mean \($0)?" })
        error.file = file
        throw error
    }

    /// What the `from` of a `COPY` or a mount in some stage means: a stage by name or number, else an image.
    public func origin(of from: String) -> Origin {
        if let index = names[from.asciiLowercased] { return .stage(index) }
        if let number = Int(from), nodes.indices.contains(number) { return .stage(number) }
        return from == "scratch" ? .scratch : .image(from)
    }

    /// The stages that a stage needs directly, in the order in which it needs them, each once.
    public func dependencies(of index: Int) -> [Int] {
        edges.indices.contains(index) ? edges[index] : []
    }

    /// All stages that have to be built for a stage, itself included, each behind those that it needs.
    public func order(for index: Int) -> [Int] {
        var done: [Int] = []
        var path: [(index: Int, rest: ArraySlice<Int>)] = [(index, dependencies(of: index)[...])]
        var seen: Set<Int> = [index]
        while let (current, rest) = path.last {
            if let other = rest.first {
                path[path.count - 1].rest = rest.dropFirst()
                if seen.insert(other).inserted { path.append((other, dependencies(of: other)[...])) }
            } else {
                done.append(current)
                path.removeLast()
            }
        }
        return done.filter(nodes.indices.contains)
    }

    /// The images, by reference, that building a stage and all that it needs starts from or copies from; each once.
    public func images(for index: Int) -> [String] {
        var images: [String] = []
        for index in order(for: index) {
            for case .image(let image) in origins(of: nodes[index]) where !images.contains(image) {
                images.append(image)
            }
        }
        return images
    }

    private func origins(of node: Node) -> [Origin] {
        [node.base] + node.stage.instructions.flatMap(\.froms).map(origin(of:))
    }

    /// The values of the `ARG`s in front of the first `FROM`.
    static func globals(
        _ document: DockerfileDocument, _ arguments: BuildArguments
    ) throws(DockerfileError) -> [String: String] {
        var scope = VariableScope(globalArguments: arguments.predefined, buildArguments: arguments)
        for instruction in document.globalArguments { _ = try scope.apply(instruction) }
        var values: [String: String] = [:]
        for argument in scope.arguments { values[argument.name] = argument.defaultValue }
        return values
    }

    /// A number has to be that of a stage before, as nothing else can be meant by it.
    private func checkReferences() throws(DockerfileError) {
        for node in nodes {
            for instruction in node.stage.instructions {
                for from in instruction.froms {
                    guard let number = Int(from), origin(of: from) != .stage(number) || number >= node.stage.index,
                        names[from.asciiLowercased] == nil
                    else { continue }
                    throw instruction.error(
                        .unknownStage, "there is no stage \(from) before this one, which is stage \(node.stage.index)")
                }
            }
        }
    }

    /// Takes away stages that need nothing more until none is left; what stays needs itself.
    private func checkCircles() throws(DockerfileError) {
        var users: [[Int]] = Array(repeating: [], count: nodes.count)
        var open = edges.map(\.count)
        for (index, needed) in edges.enumerated() {
            for other in needed { users[other].append(index) }
        }
        var ready = open.indices.filter { open[$0] == 0 }
        var finished: Set<Int> = []
        while let index = ready.popLast() {
            finished.insert(index)
            for user in users[index] {
                open[user] -= 1
                if open[user] == 0 { ready.append(user) }
            }
        }
        guard let node = nodes.first(where: { !finished.contains($0.stage.index) }) else { return }
        throw DockerfileError(
            .circularStages,
            "the stage \(node.stage.name ?? "\(node.stage.index)") cannot be built, as stages need each other in a circle"
        ).located(at: node.stage.origin)
    }
}

extension Instruction {
    /// What `--from` and the `from` of mounts name.
    public var froms: [String] {
        switch operation {
        case .copy(let copy): copy.from.map { [$0] } ?? []
        case .run(let run): run.mounts.compactMap(\.from)
        default: []
        }
    }
}

extension DockerfileDocument {
    /// Finds the bases of the stages, with the values that `FROM` can see.
    ///
    /// Throws `unsetVariable`, `missingArgument`, `unknownStage`, `circularStages` with the place.
    public func resolve(arguments: BuildArguments = BuildArguments()) throws(DockerfileError) -> StageGraph {
        try StageGraph(self, arguments: arguments)
    }
}
