import Dockerfile
import ImageStore
import LayerTree
import Linux
import OCI

/// What the names of a Dockerfile mean, those of `FROM`, of `COPY --from` and of mounts, and the files behind them.
struct BuildSources: Sendable {
    let options: BuildOptions
    let graph: StageGraph
    /// The stages' results.
    let board: StageBoard
    let images: BaseImages
    let contexts: BuildContexts
    let store: ImageStore

    /// What files are taken from.
    enum Meaning {
        /// A directory of `--build-context`.
        case directory(String)
        case stage(Int)
        case image(String)
        case scratch
    }

    /// What a `--from` names.
    func meaning(of from: String) -> Meaning {
        if let directory = options.directory(named: from) { return .directory(directory) }
        return switch graph.origin(of: from) {
        case .stage(let index): .stage(index)
        case .image(let name): .image(name)
        case .scratch: .scratch
        }
    }

    // MARK: Stages

    /// Waits for the stages that an instruction takes files from.
    ///
    /// - Parameter user: the stage of the instruction.
    func wait(for instruction: Instruction, in user: Int) throws(BuildError) {
        for from in instruction.froms {
            if case .stage(let index) = meaning(of: from) { try board.wait(for: index, in: user) }
        }
    }

    /// The result of a stage that is done.
    ///
    /// - Parameter name: what the Dockerfile calls it.
    func stage(_ index: Int, _ name: String) throws(BuildError) -> StageState {
        guard let stage = board.state(of: index) else {
            throw BuildError(.dockerfile, "the stage \(name) is not built")
        }
        return stage
    }

    // MARK: Images

    /// Looks up all images of stages before anything is done.
    func findImages(_ stages: [Int]) throws(BuildError) {
        for index in stages {
            let node = graph.nodes[index]
            if case .image(let name) = node.base {
                _ = try image(name, at: node.stage.origin, platform: node.platform ?? options.platform?.description)
            }
            for instruction in node.stage.instructions {
                for from in instruction.froms {
                    if case .image(let name) = meaning(of: from) { _ = try image(name, at: instruction.origin) }
                }
            }
        }
    }

    /// An image of the store; those that the Dockerfile names are found already, those of triggers are not.
    ///
    /// - Parameter origin: the instruction that names it, for errors.
    func image(_ name: String, at origin: SourceOrigin? = nil, platform: String? = nil) throws(BuildError)
        -> ImageRecord
    {
        do throws(BuildError) {
            return try images.image(options.imageReference(of: name), platform: platform)
        } catch {
            throw origin.map { error.located(at: $0) } ?? error
        }
    }

    /// The layers of an image, as a stage uses them.
    func layers(of image: ImageRecord) throws(BuildError) -> [BuildLayer] {
        var layers: [BuildLayer] = []
        for id in image.layerIDs {
            layers.append(BuildLayer(try fromStore { () throws(StoreError) in try store.layer(id) }))
        }
        return layers
    }

    // MARK: Files

    /// The files that an instruction takes: those of the build context if it has no `--from`.
    func files(of from: String?) throws(BuildError) -> SourceFiles {
        guard let from else { return try contexts.files() }
        switch meaning(of: from) {
        case .directory(let directory): return try contexts.files(in: directory)
        case .stage(let index): return try files(of: try stage(index, from).layers, origin: from)
        case .image(let name): return try files(of: try layers(of: try image(name)), origin: from)
        case .scratch: return try files(of: [], origin: from)
        }
    }

    private func files(of layers: [BuildLayer], origin: String) throws(BuildError) -> SourceFiles {
        let ids = layers.map(\.id)
        return SourceFiles(
            tree: SourceTree(root: try store.openLayers(ids), isContext: false), directories: store.lowerPaths(ids),
            stack: layers.allSatisfy(\.isFinished) ? try StageState.diffIDs(of: layers) : nil, origin: origin)
    }
}

/// Files that an instruction takes from somewhere.
struct SourceFiles {
    var tree: SourceTree
    /// What is known of them, if they are a context's.
    var digests = FileDigests()
    /// The directories that are the tree, the top one first.
    var directories: [String] = []
    /// The layers, if the files are those of an image: what is selected of them never changes. Nil while they are being
    /// hashed: reading what is copied takes no longer than waiting.
    var stack: [Digest]?
    /// What they are called; nil for files of a context.
    var origin: String?
}

extension BuildOptions {
    /// The directory that `--build-context` has for a name.
    func directory(named name: String) -> String? {
        if case .directory(let directory) = namedContexts[name] { directory } else { nil }
    }

    /// The image that a name of the Dockerfile stands for.
    func imageReference(of name: String) -> String {
        if case .image(let other) = namedContexts[name] { other } else { name }
    }
}

extension ImageStore {
    /// The root of a stack of layers, bottom first.
    func openLayers(_ layers: [LayerID]) throws(BuildError) -> TreeDirectory {
        try attempting("open the layers") { () throws(Errno) in
            try TreeDirectory(layers: lowerPaths(layers), marks: marks)
        }
    }
}
