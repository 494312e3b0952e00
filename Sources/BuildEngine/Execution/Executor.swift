import Dispatch
import Dockerfile
import ImageStore
import Linux
import OCI
import Runtime

/// One build, from its options to the image.
///
/// The steps of a stage run one after the other (`StageRunner`); stages run beside each other, as `StageBoard` has it.
/// Layers are hashed on queues beside them.
struct Executor: Sendable {
    private let options: BuildOptions
    private let definition: BuildDefinition
    private let reporter: ProgressReporter
    private let sources: BuildSources
    private let steps: StepRunner
    private let stages: StageRunner
    private let assembler: ImageAssembler
    private let lintOptions: LintOptions?

    /// How many stages work at the same time: more than there are processors, as commands wait for the network.
    private static let width = Processors.count + 2

    /// Reads the Dockerfile and finds out what has to be built.
    init(
        _ options: BuildOptions, store: ImageStore, runtime: RuntimeContext, cancellation: Cancellation?,
        reporter: ProgressReporter
    ) throws(BuildError) {
        self.options = options
        self.reporter = reporter
        // Before anything is built, rather than after all.
        try fromStore { () throws(StoreError) in try ImageStore.requireTags(options.tags) }
        let stop = try StopCheck(following: cancellation)
        lintOptions = try BuildLint.options(of: options)
        let definition = try BuildDefinition(options, reporter: reporter)
        self.definition = definition
        let cache = StepCache(
            store: store, imports: CacheImports(options.cacheSources, store: store, reporter: reporter))
        let digests = DigestMemory(store: store, used: cache.used, stop: stop)
        let sources = BuildSources(
            options: options, graph: definition.plan.graph,
            board: StageBoard(definition.plan.order, width: Self.width, stop: stop.cancellation),
            images: BaseImages(options, store: store, reporter: reporter, stop: stop),
            contexts: BuildContexts(options, definition.source, store: store, digests: digests), store: store)
        self.sources = sources
        steps = StepRunner(
            cache: cache, reporter: reporter, stop: stop, usesCache: options.usesCache,
            explainsCache: options.explainsCache, logger: runtime.logger)
        let commands = CommandRunner(
            runtime: runtime, reporter: reporter, stop: stop,
            failures: FailedCommands(options: options, reporter: reporter, board: sources.board, stop: stop))
        let caches = CacheMountHolder(store: store, imports: cache.imports, reporter: reporter, stop: stop)
        stages = StageRunner(
            options: options, definition: definition, sources: sources, steps: steps,
            kinds: StepKinds(
                options: options, givenArguments: definition.arguments.given, sources: sources, digests: digests,
                caches: caches, commands: commands, store: store, stop: stop))
        assembler = ImageAssembler(
            options: options, sourceDate: definition.sourceDate, store: store, cache: cache, reporter: reporter)
    }

    /// Builds the stages and makes the image. Errors show the lines of the Dockerfile that they are about.
    func build() throws(BuildError) -> BuildResult {
        try definition.showing { () throws(BuildError) in try buildImage() }
    }

    private func buildImage() throws(BuildError) -> BuildResult {
        let plan = definition.plan
        let board = sources.board
        defer {
            // Whatever happened, no layer is left half published.
            steps.waitForPublishing()
            board.clear()
            steps.cache.noteUse()
        }
        let unused = definition.unusedArguments
        if !unused.isEmpty {
            reporter.report(.warning("build arguments that no ARG declares: \(unused.joined(separator: ", "))"))
        }
        try sources.findImages(plan.order)
        let lint = BuildLint(options: options, lintOptions: lintOptions, definition: definition, sources: sources)
        let warnings = try lint.check(reporter)
        try board.carryOut { [stages] (index: Int) throws(BuildError) in try stages.build(index) }
        // Whatever is known of the steps is in the cache from here on.
        steps.waitForPublishing()
        sources.contexts.rememberDigests()
        guard var state = board.state(of: plan.target) else {
            throw BuildError(.dockerfile, "there is no stage to build")
        }
        for (name, value) in options.labels { state.image.config.labels[name] = value }
        return try export(state, warnings)
    }

    /// Makes the image once all layers are there.
    private func export(_ state: StageState, _ warnings: [Diagnostic]) throws(BuildError) -> BuildResult {
        let step = reporter.start("exporting to image")
        do throws(BuildError) {
            try steps.stop.check()
            let (image, isNew) = try assembler.makeImage(of: state)
            reporter.note(step, "writing image \(image.id) done")
            for tag in options.tags { reporter.note(step, "naming to \(tag) done") }
            reporter.finish(step)
            reporter.report(.image(id: image.id, tags: options.tags))
            let counts = reporter.counts
            return BuildResult(
                imageID: image.id, isNew: isNew, tags: options.tags, cachedSteps: counts.cached,
                executedSteps: counts.executed, warnings: warnings, sourceDate: definition.sourceDate,
                steps: BuildSteps(of: state, among: sources.board.states))
        } catch {
            reporter.fail(step, error)
            throw error
        }
    }
}
