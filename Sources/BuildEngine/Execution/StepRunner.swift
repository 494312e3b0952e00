import Dispatch
import Dockerfile
import ImageStore
import Linux
import Logging
import OCI
import Runtime

/// Looks steps up in the cache, does those that are not there, and publishes what they make.
struct StepRunner: Sendable {
    let cache: StepCache
    let reporter: ProgressReporter
    let stop: StopCheck
    /// Whether results of earlier builds are used.
    let usesCache: Bool
    /// Whether progress says what the cache had of each step.
    let explainsCache: Bool
    /// Takes what the cache had of each step.
    let logger: Logger
    /// What is being hashed and published.
    private let publishing = DispatchGroup()

    init(
        cache: StepCache, reporter: ProgressReporter, stop: StopCheck, usesCache: Bool, explainsCache: Bool,
        logger: Logger
    ) {
        self.logger = logger
        self.cache = cache
        self.reporter = reporter
        self.stop = stop
        self.usesCache = usesCache
        self.explainsCache = explainsCache
    }

    /// Waits until all layers are hashed and in the cache.
    func waitForPublishing() { publishing.wait() }

    /// Shows the base as the first step: it counts as cached once something was built on it.
    func performBase(
        of node: StageGraph.Node, _ place: StepPlace, _ state: inout StageState
    ) throws(BuildError) {
        let step = reporter.start(node.stage.text, stage: place.stage, index: place.index, total: place.total)
        let key = state.stateKey.step("FROM", definition: [])
        state.steps.append(key)
        let verdict: CacheVerdict = usesCache ? try cache.look(for: key, on: []) : .notAsked
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

    private func report(_ message: Logger.Message, _ step: LayerStep, _ instruction: Instruction) {
        logger.debug(
            message, metadata: ["instruction": .string(instruction.text), "key": .string(step.key.digest.description)])
    }

    /// Does a step that works on files: looks it up, or does it and hands its layer to be hashed.
    func perform(
        _ kind: any BuildStep, _ instruction: Instruction, _ place: StepPlace, _ state: inout StageState
    ) throws(BuildError) {
        let number = reporter.start(
            instruction.text, stage: place.stage, index: place.index, total: place.total)
        do throws(BuildError) {
            var step = try kind.layerStep(on: state)
            step.description.instruction = instruction.text
            step.description.base = state.base
            let verdict = try verdict(on: step, state)
            if case .hit = verdict {
                report("the cache has a step", step, instruction)
            } else {
                report("the cache has not a step", step, instruction)
            }
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
        guard usesCache, !isUncached else { return (nil, nil) }
        var hasWaited = false
        while true {
            let lock = try fromStore { () throws(StoreError) in try cache.store.stepLock(key: step.key.digest) }
            if let lock {
                return (lock, hasWaited ? try cache.find(step.key, on: try step.stack(in: state)) : nil)
            }
            if !hasWaited { reporter.note(number, "waiting for the same step of another build") }
            hasWaited = true
            try stop.check()
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
        state.record(step.createdBy, created: created, hasLayer: layer != nil)
    }
}
