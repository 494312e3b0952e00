import Dispatch
import Dockerfile
import ImageStore
import OCI

/// Builds stages, one instruction after the other.
struct StageRunner: Sendable {
    let options: BuildOptions
    let definition: BuildDefinition
    let sources: BuildSources
    let steps: StepRunner
    let kinds: StepKinds

    /// Builds one stage; those that it needs are built.
    func build(_ index: Int) throws(BuildError) -> StageState {
        let node = definition.plan.graph.nodes[index]
        var state: StageState
        var instructions = node.stage.instructions
        do throws(BuildError) {
            try steps.stop.check()
            state = try start(node, index)
            state.number = index
            instructions = try takeTriggers(of: &state) + instructions
        } catch {
            throw error.located(at: node.stage.origin)
        }
        if let name = node.stage.name, options.uncachedStages.contains(name) { state.isUncached = true }
        if options.uncachedStages.contains("\(index)") { state.isUncached = true }
        if state.isUncached { state.cacheBreak = .filter }
        var place = StepPlace(
            stage: definition.plan.displayName(of: index), index: 1, total: 1 + instructions.count(where: \.isStep))
        try steps.performBase(of: node, place, &state)
        for instruction in instructions {
            if instruction.isStep { place.index += 1 }
            do throws(BuildError) {
                try steps.stop.check()
                try sources.wait(for: instruction, in: index)
                try steps.stop.check()
                try carryOut(instruction, at: place, &state)
            } catch {
                if error.code == .commandFailed, !options.keepsFailed { leave(state) }
                throw error.located(at: instruction.origin)
            }
        }
        return state
    }

    /// Carries an instruction out, or takes its result from the cache.
    private func carryOut(
        _ instruction: Instruction, at place: StepPlace, _ state: inout StageState
    ) throws(BuildError) {
        let operation = try fromDockerfile { () throws(DockerfileError) in try state.scope.apply(instruction) }
        guard let step = kinds.step(of: operation, in: state) else {
            return try steps.configure(operation, instruction, &state)
        }
        try steps.perform(step, instruction, place, &state)
        step.configure(&state.image)
    }

    /// The state before the first instruction; waits for the stage that it starts from.
    private func start(_ node: StageGraph.Node, _ user: Int) throws(BuildError) -> StageState {
        switch node.base {
        case .scratch:
            var image = ImageConfiguration(platform: options.platform ?? .current)
            image.config.workingDir = "/"
            image.config.env = Self.withPath([])
            return StageState(
                image: image, scope: scope(image.config.env), filesKey: .scratch, stateKey: .scratch)
        case .stage(let index):
            try sources.board.wait(for: index, in: user)
            var state = try sources.stage(index, node.stage.base)
            state.queue = DispatchQueue(label: "strata.build.layers")
            // The variables come along, those of ARG too.
            state.hasOwnCommand = false
            state.isUncached = false
            return state
        case .image(let name):
            let image = try sources.image(name)
            var configuration = image.configuration
            configuration.config.env = Self.withPath(configuration.config.env)
            try check(node.platform ?? options.platform?.description, image.configuration, name)
            let layers = try sources.layers(of: image)
            configuration.completeHistory(layers: layers.count)
            let diffIDs = layers.compactMap { try? $0.record().diffID }
            var state = StageState(
                layers: layers, image: configuration, scope: scope(configuration.config.env),
                filesKey: .image(Digest.sha256(of: "files"), layers: diffIDs),
                stateKey: .image(image.id, layers: diffIDs), baseImage: image.id)
            state.base = StepDescription.Part(name, shown: image.id.description)
            return state
        }
    }

    /// The environment with a `PATH`: an image that is built always has one, as with BuildKit.
    private static func withPath(_ environment: [String]) -> [String] {
        guard !environment.contains(where: { $0.hasPrefix("PATH=") }) else { return environment }
        return environment + ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    }

    private func scope(_ environment: [String]) -> VariableScope {
        VariableScope(
            environment: environment.map(KeyValue.init(variable:)), globalArguments: sources.graph.globalArguments,
            buildArguments: definition.arguments)
    }

    private func check(
        _ wanted: String?, _ configuration: ImageConfiguration, _ name: String
    ) throws(BuildError) {
        guard let wanted else { return }
        let platform = try Platform(wanted: wanted)
        guard platform.os == configuration.os, platform.architecture == configuration.architecture else {
            throw BuildError(
                .noSuchImage, "\(name): the image in the store is for \(configuration.platform), not for \(platform)",
                remedy: "pull it for that platform")
        }
    }

    /// The instructions that the base image wants carried out in images built from it; they are not handed on.
    private func takeTriggers(of state: inout StageState) throws(BuildError) -> [Instruction] {
        var triggers: [Instruction] = []
        for text in state.image.config.onBuild {
            triggers += try fromDockerfile { () throws(DockerfileError) in
                try DockerfileDocument.instructions(parsing: text, file: "ONBUILD")
            }
        }
        state.image.config.onBuild = []
        return triggers
    }

    /// Leaves what a failed build has as an image without a name, if it put anything on its base.
    private func leave(_ state: StageState) {
        guard state.madeLayers > 0, let ids = try? state.layers.map({ try $0.record().id }) else { return }
        _ = try? sources.store.createImage(configuration: state.image, layers: ids, tags: [])
    }
}
