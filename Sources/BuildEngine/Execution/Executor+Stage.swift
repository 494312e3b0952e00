import Dispatch
import Dockerfile
import ImageStore
import OCI
import Synchronization

/// Which of the shown steps of a stage an instruction is.
struct StepPlace {
    var stage: String?
    var index: Int
    var total: Int

    /// The line that names the step.
    func title(_ text: String) -> String {
        ProgressStep(number: 0, stage: stage, index: index, total: total, text: text).title
    }
}

extension Executor {
    /// Builds one stage; those that it needs are built.
    func buildStage(_ index: Int) throws(BuildError) -> StageState {
        let node = plan.graph.nodes[index]
        var state: StageState
        var instructions = node.stage.instructions
        do throws(BuildError) {
            try checkpoint()
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
            stage: plan.displayName(of: index), index: 1, total: 1 + instructions.count(where: \.isStep))
        try reportBase(node, &state, place)
        for instruction in instructions {
            if instruction.isStep { place.index += 1 }
            do throws(BuildError) {
                try checkpoint()
                try waitForSources(of: instruction, in: index)
                try execute(instruction, at: place, &state)
            } catch {
                if error.code == .commandFailed, !options.keepsFailed { leave(state) }
                throw error.located(at: instruction.origin)
            }
        }
        return state
    }

    /// Waits for the stages that an instruction takes files from.
    private func waitForSources(of instruction: Instruction, in user: Int) throws(BuildError) {
        for from in instruction.froms {
            if case .directory = options.namedContexts[from] { continue }
            if case .stage(let index) = plan.graph.origin(of: from) { try board.wait(for: index, in: user) }
        }
        try checkpoint()
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
            try board.wait(for: index, in: user)
            guard var state = board.state(of: index) else {
                throw BuildError(.dockerfile, "the stage \(node.stage.base) is not built")
            }
            state.queue = DispatchQueue(label: "strata.build.layers")
            // The variables come along, those of ARG too.
            state.hasOwnCommand = false
            state.isUncached = false
            return state
        case .image(let name):
            let image = try image(name)
            var configuration = image.configuration
            configuration.config.env = Self.withPath(configuration.config.env)
            try check(node.platform ?? options.platform?.description, image.configuration, name)
            let layers = try layers(of: image)
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
            environment: environment.map(KeyValue.init(variable:)), globalArguments: plan.graph.globalArguments,
            buildArguments: arguments)
    }

    private func check(
        _ wanted: String?, _ configuration: ImageConfiguration, _ name: String
    ) throws(BuildError) {
        guard let wanted else { return }
        let platform: Platform
        do throws(OCIError) {
            platform = try Platform(parsing: wanted)
        } catch {
            throw BuildError(.unsupported, error.message)
        }
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

    /// Shows the base as the first step: it counts as cached once something was built on it.
    private func reportBase(
        _ node: StageGraph.Node, _ state: inout StageState, _ place: StepPlace
    ) throws(BuildError) {
        let step = reporter.start(node.stage.text, stage: place.stage, index: place.index, total: place.total)
        let key = state.stateKey.step("FROM", definition: [])
        state.steps.append(key)
        let verdict: CacheVerdict = options.usesCache ? try cache.look(for: key, on: []) : .notAsked
        var description = StepDescription(instruction: node.stage.text)
        description.base = state.base
        // A place of its own: the first instruction of a stage from scratch stands on nothing as well.
        var parent = CacheKey.scratch
        if case .stage = node.base { parent = state.stateKey }
        parent = parent.step("FROM", definition: [])
        try explain(verdict, description, on: parent, state, step)
        if case .hit = verdict {
            reporter.cached(step)
        } else {
            try cache.put(key, created: .now, layer: nil, on: [], inputs: description.stored(on: parent))
            reporter.finish(step, isInstruction: true)
        }
    }

    /// Leaves what a failed build has as an image without a name, if it put anything on its base.
    private func leave(_ state: StageState) {
        guard state.madeLayers > 0, let ids = try? state.layers.map({ try $0.record().id }) else { return }
        _ = try? store.createImage(configuration: state.image, layers: ids, tags: [])
    }

    // MARK: The image

    /// Makes the image once all layers are there.
    func export(_ state: StageState) throws(BuildError) -> BuildResult {
        let step = reporter.start("exporting to image")
        do throws(BuildError) {
            try checkpoint()
            let assembly = try assemble(state)
            let (image, isNew) = try fromStore { () throws(StoreError) in
                try store.makeImage(
                    configuration: assembly.configuration, layers: assembly.layers.map(\.id), tags: options.tags,
                    annotations: options.assembly.annotations)
            }
            reporter.note(step, "writing image \(image.id) done")
            for tag in options.tags { reporter.note(step, "naming to \(tag) done") }
            reporter.finish(step)
            reporter.report(.image(id: image.id, tags: options.tags))
            let counts = reporter.counts
            return BuildResult(
                imageID: image.id, isNew: isNew, tags: options.tags, cachedSteps: counts.cached,
                executedSteps: counts.executed, warnings: warnings.withLock { $0 }, sourceDate: sourceDate,
                steps: steps(of: state))
        } catch {
            reporter.fail(step, error)
            throw error
        }
    }
}
