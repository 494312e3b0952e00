import Dispatch
import Dockerfile
import ImageStore
import Linux
import OCI
import Runtime

/// One build, from its options to the image.
///
/// Steps run one after the other on the calling thread; layers are hashed on a queue beside it.
final class Executor {
    let options: BuildOptions
    let store: ImageStore
    let runtime: RuntimeContext
    let reporter: ProgressReporter
    let cache: StepCache
    /// Hashes and publishes layers in the order in which they are made.
    let queue = DispatchQueue(label: "strata.build.layers")

    private let cancellation: Cancellation?
    let document: DockerfileDocument
    private let dockerfilePath: String?
    /// The text of the Dockerfile, for errors.
    private let content: [UInt8]
    /// Which checks are done on the Dockerfile; nil for those that it asks for.
    let lintOptions: LintOptions?
    /// Remarks on the Dockerfile.
    var warnings: [Diagnostic] = []
    private(set) var arguments: BuildArguments
    private(set) var plan: Plan
    /// Images that stages start or copy from, by the reference in the Dockerfile.
    private var images: [String: ImageRecord] = [:]
    /// The stages that are done.
    var stages: [Int: StageState] = [:]
    /// The time that `SOURCE_DATE_EPOCH` gives the build.
    private(set) var sourceDate: Timestamp?
    private var checkpoints = 0
    private var openedContext: (context: BuildContext, files: FileDigests)?
    /// Those of `--build-context`, by directory.
    private var namedContexts: [String: (context: BuildContext, files: FileDigests)] = [:]

    /// Reads the Dockerfile and finds out what has to be built.
    init(
        _ options: BuildOptions, store: ImageStore, runtime: RuntimeContext, cancellation: Cancellation?,
        reporter: ProgressReporter
    ) throws(BuildError) {
        self.options = options
        self.store = store
        self.runtime = runtime
        self.cancellation = cancellation
        self.reporter = reporter
        cache = StepCache(store: store, imports: CacheImports(options.cacheSources, store: store, reporter: reporter))
        arguments = BuildArguments(
            given: options.buildArguments, predefined: Self.platformArguments(options.platform ?? .current))
        let source = try DockerfileSource(options)
        dockerfilePath = source.path
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
            arguments.predefined["TARGETSTAGE"] = document.stageArgument(options.target)
            plan = try Plan(document, arguments: arguments, target: options.target)
            sourceDate = try SourceDate.parse(
                options.buildArguments[SourceDate.name] ?? plan.graph.globalArguments[SourceDate.name],
                context: SourceDate.ofContext(options))
        } catch {
            reporter.fail(step, error)
            throw error.shown(in: bytes, of: source.name)
        }
        content = bytes
        reporter.finish(step)
    }

    static func platformArguments(_ target: Platform) -> [String: String] {
        let host = Platform.current
        return [
            "TARGETPLATFORM": target.description, "TARGETOS": target.os, "TARGETARCH": target.architecture,
            "TARGETVARIANT": target.variant ?? "", "BUILDPLATFORM": host.description, "BUILDOS": host.os,
            "BUILDARCH": host.architecture, "BUILDVARIANT": host.variant ?? "", "TARGETOSVERSION": "",
            "BUILDOSVERSION": "",
        ]
    }

    /// Builds the stages and makes the image. Errors show the lines of the Dockerfile that they are about.
    func build() throws(BuildError) -> BuildResult {
        do throws(BuildError) { return try buildImage() } catch { throw error.shown(in: content, of: document.file) }
    }

    private func buildImage() throws(BuildError) -> BuildResult {
        defer {
            // Whatever happened, no layer is left half published, and what only this build kept goes.
            queue.sync {}
            stages = [:]
            try? store.releaseLeases()
        }
        warnOfUnusedArguments()
        try findImages()
        try lint()
        for index in plan.order {
            stages[index] = try buildStage(index)
        }
        for (context, files) in [openedContext].compactMap({ $0 }) + namedContexts.values {
            try? cache.put(files, of: context.identity)
        }
        guard var state = stages[plan.target] else {
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

    /// Stops if the build was cancelled.
    func checkpoint() throws(BuildError) {
        if cancellation?.isCancelled == true { throw BuildError(.cancelled, "the build was cancelled") }
    }

    /// `checkpoint` for work on many small files: it looks only now and then.
    func frequentCheckpoint() throws(BuildError) {
        checkpoints &+= 1
        if checkpoints % 256 == 0 { try checkpoint() }
    }

    /// What stops a container.
    var stop: Cancellation? { cancellation }

    // MARK: Images

    /// Looks up all images before anything is done.
    private func findImages() throws(BuildError) {
        for index in plan.order {
            let node = plan.graph.nodes[index]
            if case .image(let name) = node.base {
                let platform = node.platform ?? options.platform?.description
                images[name] = try find(name, node.stage.origin, platform: platform)
            }
            for instruction in node.stage.instructions {
                for from in instruction.froms {
                    guard case .image(let name) = plan.graph.origin(of: from) else { continue }
                    if case .directory = options.namedContexts[from] { continue }
                    images[name] = try find(name, instruction.origin)
                }
            }
        }
    }

    private func find(
        _ name: String, _ origin: SourceOrigin? = nil, platform: String? = nil
    ) throws(BuildError) -> ImageRecord {
        if let known = images[name] { return known }
        do throws(BuildError) {
            if case .image(let other) = options.namedContexts[name] { return try supply(other, platform: platform) }
            return try supply(name, platform: platform)
        } catch {
            throw origin.map { error.located(at: $0) } ?? error
        }
    }

    /// An image of the store; those that the Dockerfile names are found already, those of triggers are not.
    func image(_ name: String) throws(BuildError) -> ImageRecord {
        if let image = images[name] { return image }
        let image = try find(name)
        images[name] = image
        return image
    }

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
    func context() throws(BuildError) -> (context: BuildContext, files: FileDigests) {
        if let openedContext { return openedContext }
        guard let directory = options.context else {
            throw BuildError(
                .noContext, "the build has no context to copy files from", remedy: "give a directory to build from")
        }
        let isConfined = options.remoteContext != nil
        let context = try BuildContext(
            directory: directory, dockerfile: dockerfilePath, store: store.root, isConfined: isConfined)
        let opened = (context, try cache.files(of: context.identity))
        openedContext = opened
        return opened
    }

    /// The context that `--build-context` has for a name.
    func context(named directory: String) throws(BuildError) -> (context: BuildContext, files: FileDigests) {
        if let known = namedContexts[directory] { return known }
        let context = try BuildContext(directory: directory, dockerfile: nil, store: store.root)
        let opened = (context, try cache.files(of: context.identity))
        namedContexts[directory] = opened
        return opened
    }
}
