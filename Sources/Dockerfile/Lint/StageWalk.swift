/// What a stage has become after some of its instructions, as far as checks need it.
struct LintedStage {
    var scope: VariableScope
    /// Whether a `WORKDIR` of this file stands above, in the stage or one that it is based on.
    var hasWorkingDirectory = false
    /// Whether `SHELL` has set another shell, here or in the base.
    var hasShell = false
    /// The last instructions of which only the last counts, by name in upper case.
    var lastOfKind: [String: Instruction] = [:]
}

/// An instruction on its way through a stage.
struct LintedStep {
    let instruction: Instruction
    /// Where remarks go: for what a base image has asked for, the `FROM`.
    let origin: SourceOrigin
    /// What the ignore file leaves out of the context.
    let ignored: IgnorePatterns?

    var comments: [String] { instruction.written.comments }
    var name: String { instruction.written.keyword }
}

/// Goes through the stages that count, instruction by instruction, as a build would.
struct StageWalk {
    private static let rules: [any StepRule.Type] = [
        UndefinedVariableRule.self, LegacyKeyValueRule.self, SecretNameRule.self, OnlyLastCountsRule.self,
        JSONArgumentsRule.self, RelativeWorkdirRule.self, IgnoredSourceRule.self, ExposedPortRule.self,
    ]
    /// What programs are looked for in where an image does not say.
    private static let defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    private let document: DockerfileDocument
    private let graph: StageGraph
    private let subject: LintSubject
    private let order: [Int]
    private var stages: [Int: LintedStage] = [:]
    private var images: [Int: LintSubject.Image] = [:]

    init(_ document: DockerfileDocument, _ graph: StageGraph, _ subject: LintSubject) throws(DockerfileError) {
        self.document = document
        self.graph = graph
        self.subject = subject
        let target = try graph.index(ofTarget: subject.target)
        order = subject.target == nil ? Array(graph.nodes.indices) : graph.order(for: target).sorted()
    }

    /// Goes through all.
    mutating func run(_ report: inout LintReport) throws(DockerfileError) {
        for index in order {
            let node = graph.nodes[index]
            guard case .image(let name) = node.base else { continue }
            images[index] = subject.image(name, node.platform)
            guard let mismatch = images[index]?.mismatch else { continue }
            report.warn(
                .invalidBaseImagePlatform,
                "Base image \(name) was pulled with platform \(mismatch.found.goQuoted), expected"
                    + " \(mismatch.expected.goQuoted) for current build",
                at: node.stage.origin)
        }
        for index in order { stages[index] = try walk(graph.nodes[index], &report) }
    }

    private func walk(_ node: StageGraph.Node, _ report: inout LintReport) throws(DockerfileError) -> LintedStage {
        var state = start(node)
        for instruction in try triggers(of: node) {
            let step = LintedStep(instruction: instruction, origin: node.stage.origin, ignored: subject.ignored)
            try check(step, &state, &report)
        }
        for instruction in node.stage.instructions {
            let step = LintedStep(instruction: instruction, origin: instruction.origin, ignored: subject.ignored)
            try check(step, &state, &report)
        }
        return state
    }

    private func start(_ node: StageGraph.Node) -> LintedStage {
        if case .stage(let index) = node.base, var state = stages[index] {
            state.lastOfKind = [:]
            return state
        }
        let image = images[node.stage.index]
        var environment = image?.environment ?? []
        if !environment.contains(where: { $0.key == "PATH" }) {
            environment.append(KeyValue(key: "PATH", value: StageWalk.defaultPath))
        }
        return LintedStage(
            scope: VariableScope(
                environment: environment, globalArguments: graph.globalArguments, buildArguments: subject.arguments),
            hasShell: image?.hasShell ?? false)
    }

    /// What the base, an image or a stage, wants carried out first.
    private func triggers(of node: StageGraph.Node) throws(DockerfileError) -> [Instruction] {
        var texts = images[node.stage.index]?.triggers ?? []
        if case .stage(let index) = node.base {
            for case .onBuild(let text) in graph.nodes[index].stage.instructions.map(\.operation) { texts.append(text) }
        }
        var instructions: [Instruction] = []
        for text in texts {
            do throws(DockerfileError) {
                instructions += try DockerfileDocument.instructions(parsing: text)
            } catch {
                throw error.moved(to: node.stage.origin)
            }
        }
        return instructions
    }

    private func check(
        _ step: LintedStep, _ state: inout LintedStage, _ report: inout LintReport
    ) throws(DockerfileError) {
        for rule in StageWalk.rules { try rule.check(step, &state, &report) }
        do throws(DockerfileError) {
            _ = try state.scope.apply(step.instruction)
        } catch {
            throw error.moved(to: step.origin)
        }
        switch step.instruction.operation {
        case .shell: state.hasShell = true
        case .workingDirectory: state.hasWorkingDirectory = true
        case .command, .entrypoint, .healthcheck: state.lastOfKind[step.instruction.name] = step.instruction
        default: break
        }
    }
}
