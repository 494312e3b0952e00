import Dispatch
import Dockerfile
import ImageStore
import Linux
import OCI
import Runtime
import Synchronization

/// One build, from its options to the image.
///
/// The steps of a stage run one after the other; stages run beside each other, as `StageBoard` has it. Layers are hashed
/// on queues beside them.
final class Executor: Sendable {
    let options: BuildOptions
    let store: ImageStore
    let runtime: RuntimeContext
    let reporter: ProgressReporter
    let cache: StepCache
    /// What is being hashed and published.
    let publishing = DispatchGroup()
    /// Stops all that is under way: fires when the build is cancelled or a stage has failed.
    let stop: Cancellation
    /// Fires when the build is cancelled.
    let interruption: Cancellation?
    /// The stages' results.
    let board: StageBoard

    let document: DockerfileDocument
    private let dockerfileSource: DockerfileSource
    /// The text of the Dockerfile, for errors.
    private let content: [UInt8]
    /// Which checks are done on the Dockerfile; nil for those that it asks for.
    let lintOptions: LintOptions?
    /// Remarks on the Dockerfile.
    let warnings = Mutex<[Diagnostic]>([])
    let arguments: BuildArguments
    let plan: Plan
    /// The time that `SOURCE_DATE_EPOCH` gives the build.
    let sourceDate: Timestamp?
    /// Images that stages start or copy from, by the reference in the Dockerfile.
    private let images = Mutex<[String: ImageRecord]>([:])
    private let checkpoints = Atomic(0)
    private let openedContext = Mutex<OpenContext?>(nil)
    /// Those of `--build-context`, by directory.
    private let namedContexts = Mutex<[String: OpenContext]>([:])

    /// A context and what is known of its files.
    typealias OpenContext = (context: BuildContext, files: FileDigests)

    /// Reads the Dockerfile and finds out what has to be built.
    init(
        _ options: BuildOptions, store: ImageStore, runtime: RuntimeContext, cancellation: Cancellation?,
        reporter: ProgressReporter
    ) throws(BuildError) {
        self.options = options
        self.store = store
        self.runtime = runtime
        self.reporter = reporter
        interruption = cancellation
        // Before anything is built, rather than after all.
        try fromStore { () throws(StoreError) in try ImageStore.requireTags(options.tags) }
        let stop = try fromRuntime { () throws(RuntimeError) in try Cancellation(following: cancellation) }
        self.stop = stop
        cache = StepCache(store: store, imports: CacheImports(options.cacheSources, store: store, reporter: reporter))
        let source = try DockerfileSource(options)
        dockerfileSource = source
        lintOptions = try Self.lintOptions(of: options)
        let step = reporter.start("[internal] load build definition from \(source.name)")
        var bytes: [UInt8] = []
        do throws(BuildError) {
            bytes = try source.read()
            let name = source.name
            let read = bytes
            document = try fromDockerfile { () throws(DockerfileError) in
                try DockerfileDocument(parsing: read, file: name)
            }
            arguments = BuildArguments(options, document)
            plan = try Plan(document, arguments: arguments, target: options.target)
            sourceDate = try SourceDate.parse(
                options.buildArguments[SourceDate.name] ?? plan.graph.globalArguments[SourceDate.name],
                context: SourceDate.ofContext(options))
        } catch {
            reporter.fail(step, error)
            throw error.shown(in: bytes, of: source.name)
        }
        content = bytes
        board = StageBoard(plan.order, width: Self.width, stop: stop)
        reporter.finish(step)
    }

    /// How many stages work at the same time: more than there are processors, as commands wait for the network.
    private static let width = Processors.count + 2

    /// Builds the stages and makes the image. Errors show the lines of the Dockerfile that they are about.
    func build() throws(BuildError) -> BuildResult {
        do throws(BuildError) { return try buildImage() } catch { throw error.shown(in: content, of: document.file) }
    }

    private func buildImage() throws(BuildError) -> BuildResult {
        defer {
            // Whatever happened, no layer is left half published.
            publishing.wait()
            board.clear()
            cache.used.note(in: store)
        }
        warnOfUnusedArguments()
        try findImages()
        try lint()
        try board.carryOut { [self] (index: Int) throws(BuildError) in try buildStage(index) }
        // Whatever is known of the steps is in the cache from here on.
        publishing.wait()
        let contexts = [openedContext.withLock { $0 }].compactMap { $0 } + namedContexts.withLock { Array($0.values) }
        for (context, files) in contexts { try? cache.put(files, of: context.identity) }
        guard var state = board.state(of: plan.target) else {
            throw BuildError(.dockerfile, "there is no stage to build")
        }
        for (name, value) in options.labels { state.image.config.labels[name] = value }
        return try export(state)
    }

    private func warnOfUnusedArguments() {
        let unused = Set(arguments.given.keys).subtracting(document.declaredArgumentNames)
            .subtracting(BuildArguments.proxyNames).subtracting([SourceDate.name])
            .filter { !$0.hasPrefix("BUILDKIT_") }.sorted()
        guard !unused.isEmpty else { return }
        reporter.report(.warning("build arguments that no ARG declares: \(unused.joined(separator: ", "))"))
    }

    /// Stops if the build was cancelled, or another stage has failed.
    func checkpoint() throws(BuildError) {
        if stop.isCancelled { throw BuildError(.cancelled, "the build was cancelled") }
    }

    /// `checkpoint` for work on many small files: it looks only now and then.
    func frequentCheckpoint() throws(BuildError) {
        if checkpoints.wrappingAdd(1, ordering: .relaxed).newValue % 256 == 0 { try checkpoint() }
    }

    // MARK: Images

    /// Looks up all images before anything is done.
    private func findImages() throws(BuildError) {
        for index in plan.order {
            let node = plan.graph.nodes[index]
            if case .image(let name) = node.base {
                let platform = node.platform ?? options.platform?.description
                remember(try find(name, node.stage.origin, platform: platform), name)
            }
            for instruction in node.stage.instructions {
                for from in instruction.froms {
                    guard case .image(let name) = plan.graph.origin(of: from) else { continue }
                    if case .directory = options.namedContexts[from] { continue }
                    remember(try find(name, instruction.origin), name)
                }
            }
        }
    }

    private func find(
        _ name: String, _ origin: SourceOrigin? = nil, platform: String? = nil
    ) throws(BuildError) -> ImageRecord {
        if let known = images.withLock({ $0[name] }) { return known }
        do throws(BuildError) {
            if case .image(let other) = options.namedContexts[name] { return try supply(other, platform: platform) }
            return try supply(name, platform: platform)
        } catch {
            throw origin.map { error.located(at: $0) } ?? error
        }
    }

    /// An image of the store; those that the Dockerfile names are found already, those of triggers are not.
    func image(_ name: String) throws(BuildError) -> ImageRecord {
        let image = try find(name)
        remember(image, name)
        return image
    }

    private func remember(_ image: ImageRecord, _ name: String) { images.withLock { $0[name] = image } }

    /// The layers of an image, as a stage uses them.
    func layers(of image: ImageRecord) throws(BuildError) -> [BuildLayer] {
        var layers: [BuildLayer] = []
        for id in image.layerIDs {
            layers.append(BuildLayer(try fromStore { () throws(StoreError) in try store.layer(id) }))
        }
        return layers
    }

    // MARK: The context

    /// The build context and what is known of its files; opened when it is first needed.
    func context() throws(BuildError) -> OpenContext {
        try openedContext.withLock { (opened: inout OpenContext?) throws(BuildError) in
            if let opened { return opened }
            guard let directory = options.context else {
                throw BuildError(
                    .noContext, "the build has no context to copy files from", remedy: "give a directory to build from")
            }
            let context = try BuildContext(directory: directory, dockerfile: dockerfileSource, store: store.root)
            let new = (context, try cache.files(of: context.identity))
            opened = new
            return new
        }
    }

    /// The context that `--build-context` has for a name.
    func context(named directory: String) throws(BuildError) -> OpenContext {
        try namedContexts.withLock { (known: inout [String: OpenContext]) throws(BuildError) in
            if let opened = known[directory] { return opened }
            let context = try BuildContext(directory: directory, dockerfile: nil, store: store.root)
            let opened = (context, try cache.files(of: context.identity))
            known[directory] = opened
            return opened
        }
    }
}
