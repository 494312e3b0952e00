import Dockerfile
import ImageStore
import OCI
import Runtime

/// How a step that works on files is done.
struct LayerStep {
    /// What its result depends on.
    var key: CacheKey
    /// The line of the history.
    var createdBy: String
    /// Whether the layer does not depend on those below (`--link`), so that it is found again on any other base.
    var isIndependent = false
    /// The cache mounts that it uses, by their keys, with what people call them.
    var cacheMounts: [Digest: String] = [:]
    /// Does it; nil if nothing of the files changed, which only some instructions can tell.
    var work: (_ number: Int) throws(BuildError) -> PendingLayer?
}

extension Executor {
    /// Carries an instruction out, or takes its result from the cache.
    func execute(
        _ instruction: Instruction, at place: StepPlace, _ state: inout StageState
    ) throws(BuildError) {
        let operation = try fromDockerfile { () throws(DockerfileError) in try state.scope.apply(instruction) }
        switch operation {
        case .run(let run):
            try perform(instruction, place, &state) { (state: StageState, _: Int) throws(BuildError) in
                try self.runStep(run, state)
            }
        case .copy(let copy):
            try perform(instruction, place, &state) { (state: StageState, _: Int) throws(BuildError) in
                try self.copyStep(copy, state)
            }
        case .add(let add):
            try perform(instruction, place, &state) { (state: StageState, _: Int) throws(BuildError) in
                try self.addStep(add, state)
            }
        case .workingDirectory(let path):
            let directory = ContainerPath.normalized(state.absolute(path))
            try perform(instruction, place, &state) { (state: StageState, _: Int) throws(BuildError) in
                try self.workingDirectoryStep(directory, state)
            }
            state.image.config.workingDir = directory
        default:
            try configure(operation, instruction, &state)
        }
    }

    /// Does a step that works on files: looks it up, or does it and hands its layer to be hashed.
    private func perform(
        _ instruction: Instruction, _ place: StepPlace, _ state: inout StageState,
        prepare: (StageState, Int) throws(BuildError) -> LayerStep
    ) throws(BuildError) {
        let number = reporter.start(
            instruction.text, stage: place.stage, index: place.index, total: place.total)
        do throws(BuildError) {
            let step = try prepare(state, number)
            let isBroken = step.isIndependent ? state.isUncached : state.isCacheBroken
            if options.usesCache, !isBroken,
                let hit = try cache.find(step.key, on: step.isIndependent ? [] : try state.diffIDs())
            {
                take(step, created: hit.created, layer: hit.layer.map { BuildLayer($0) }, &state)
                reporter.cached(number)
                return
            }
            let pending = try step.work(number)
            let created = Timestamp.now
            if let pending {
                state.isCacheBroken = true
                let layer = publish(
                    pending, step.key, created: created, on: step.isIndependent ? [] : state.layers)
                take(step, created: created, layer: layer, &state)
            } else {
                try cache.put(step.key, created: created, layer: nil, on: try state.diffIDs())
                take(step, created: created, layer: nil, &state)
            }
            reporter.finish(number, isInstruction: true)
        } catch {
            reporter.fail(number, error)
            throw error
        }
    }

    /// Hands a layer to be hashed; when that is done the step is in the cache.
    private func publish(
        _ pending: PendingLayer, _ key: CacheKey, created: Timestamp, on below: [BuildLayer]
    ) -> BuildLayer {
        let cache = cache
        return BuildLayer(pending, on: queue) { (record: LayerRecord) throws(BuildError) in
            // The layers below were handed over before, so nothing is waited for.
            var stack: [Digest] = []
            for layer in below {
                if let digest = try layer.record().diffID { stack.append(digest) }
            }
            try cache.put(key, created: created, layer: record.id, on: stack)
        }
    }

    /// Makes the result of a step part of the stage.
    private func take(_ step: LayerStep, created: Timestamp, layer: BuildLayer?, _ state: inout StageState) {
        if let layer {
            state.layers.append(layer)
            state.madeLayers += 1
            // What comes next stands on the layers below an independent one too.
            state.filesKey =
                step.isIndependent ? state.filesKey.step("link", definition: [[step.key.digest.hex]]) : step.key
        }
        state.steps.append(step.key)
        state.cacheMounts.merge(step.cacheMounts) { first, _ in first }
        state.stateKey = state.stateKey.step("files", definition: [[step.key.digest.hex]])
        record(step.createdBy, created: created, hasLayer: layer != nil, &state)
    }

    /// Writes a line of the history.
    func record(_ createdBy: String, created: Timestamp, hasLayer: Bool, _ state: inout StageState) {
        state.image.created = created
        state.image.history.append(
            History(created: created, createdBy: createdBy, comment: "strata", emptyLayer: !hasLayer))
    }
}
