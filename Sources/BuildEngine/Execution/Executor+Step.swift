import Dispatch
import Dockerfile
import ImageStore
import Linux
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
    /// What the key is the hash of, but for the step before; the instruction and the base are added later.
    var description = StepDescription(instruction: "")
    /// Does it; nil if nothing of the files changed, which only some instructions can tell.
    var work: (_ number: Int) throws(BuildError) -> PendingLayer?

    /// The layers that the result depends on.
    func layersBelow(in state: StageState) -> [BuildLayer] { isIndependent ? [] : state.layers }

    /// What their archives are called.
    func stack(in state: StageState) throws(BuildError) -> [Digest] { isIndependent ? [] : try state.diffIDs() }

    /// What the step stands on, for explanations.
    func place(in state: StageState) -> CacheKey { isIndependent ? .independent : state.filesKey }
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
            var step = try prepare(state, number)
            step.description.instruction = instruction.text
            step.description.base = state.base
            let verdict = try verdict(on: step, state)
            try explain(verdict, step.description, on: step.place(in: state), state, number)
            if case .hit(let hit) = verdict { return reuse(hit, step, number, &state) }
            let turn = try waitForTurn(step, number, state)
            if let hit = turn.hit { return reuse(hit, step, number, &state) }
            let pending = try step.work(number)
            let created = Timestamp.now
            if let pending {
                let layer = publish(pending, step, created: created, on: state, holding: turn.lock)
                if state.cacheBreak == nil { state.cacheBreak = .step(place.title(instruction.text)) }
                take(step, created: created, layer: layer, &state)
            } else {
                remember(step, created: created, on: state, holding: turn.lock)
                take(step, created: created, layer: nil, &state)
            }
            reporter.finish(number, isInstruction: true)
        } catch {
            reporter.fail(number, error)
            var error = error
            if error.code == .commandFailed { error.step = place.title(instruction.text) }
            throw error
        }
    }

    /// Uses what the cache has.
    private func reuse(_ hit: StepCache.Hit, _ step: LayerStep, _ number: Int, _ state: inout StageState) {
        take(step, created: hit.created, layer: hit.layer.map { BuildLayer($0) }, &state)
        reporter.cached(number)
    }

    /// Waits while another build, or another stage of this one, does the same step; then its result is there.
    ///
    /// Whoever has the lock waits for no other step's, so that two never wait for each other.
    private func waitForTurn(
        _ step: LayerStep, _ number: Int, _ state: StageState
    ) throws(BuildError) -> (lock: StepLock?, hit: StepCache.Hit?) {
        let isUncached = step.isIndependent ? state.isUncached : state.cacheBreak == .filter
        guard options.usesCache, !isUncached else { return (nil, nil) }
        var hasWaited = false
        while true {
            let lock = try fromStore { () throws(StoreError) in try store.stepLock(key: step.key.digest) }
            if let lock {
                return (lock, hasWaited ? try cache.find(step.key, on: try step.stack(in: state)) : nil)
            }
            if !hasWaited { reporter.note(number, "waiting for the same step of another build") }
            hasWaited = true
            try checkpoint()
            MonotonicClock.sleep(milliseconds: 20)
        }
    }

    /// Hands a layer to be hashed; when that is done the step is in the cache.
    private func publish(
        _ pending: PendingLayer, _ step: LayerStep, created: Timestamp, on state: StageState, holding lock: StepLock?
    ) -> BuildLayer {
        let (cache, below, key) = (cache, step.layersBelow(in: state), step.key)
        let inputs = step.description.stored(on: step.place(in: state))
        return BuildLayer(pending, on: state.queue, group: publishing) { (record: LayerRecord) throws(BuildError) in
            // The layers below were handed over before: of this stage they are done, of others under way.
            defer { withExtendedLifetime(lock) {} }
            try cache.put(
                key, created: created, layer: record.id, on: try StageState.diffIDs(of: below), inputs: inputs)
        }
    }

    /// Puts a step that made no layer into the cache, once those below it are hashed.
    private func remember(
        _ step: LayerStep, created: Timestamp, on state: StageState, holding lock: StepLock?
    ) {
        let (cache, below, key) = (cache, step.layersBelow(in: state), step.key)
        let inputs = step.description.stored(on: step.place(in: state))
        state.queue.async(group: publishing) {
            // A layer that could not be finished fails the build; here there is just nothing to remember.
            guard let stack = try? StageState.diffIDs(of: below) else { return }
            try? cache.put(key, created: created, layer: nil, on: stack, inputs: inputs)
            withExtendedLifetime(lock) {}
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
