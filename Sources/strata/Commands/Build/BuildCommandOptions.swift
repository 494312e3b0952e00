import ArgumentParser
import BuildEngine
import Engine
import Linux
import OCI
import Rendering
import Runtime
import Synchronization

/// What `build` takes; Docker's names.
struct BuildCommandOptions: ParsableArguments {
    /// How progress is shown.
    enum ProgressMode: String, ExpressibleByArgument, CaseIterable {
        case auto, plain, tty, quiet, rawjson
    }

    @Option(
        name: [.customShort("t", allowingJoined: true), .long],
        help: ArgumentHelp("A name for the image; may be given several times.", valueName: "name[:tag]"))
    var tag: [String] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The Dockerfile, '-' for standard input (default: PATH/Dockerfile).", valueName: "file"))
    var file: String?

    @Option(help: ArgumentHelp("The stage to build (default: the last).", valueName: "stage"))
    var target: String?

    @Option(help: ArgumentHelp("Set a variable that the Dockerfile declares with ARG.", valueName: "name=value"))
    var buildArg: [String] = []

    @Option(help: ArgumentHelp("Set a label of the image.", valueName: "key=value"))
    var label: [String] = []

    @Flag(name: .customLong("no-cache"), help: "Do every step anew.")
    var noCache = false

    @Flag(
        name: .customLong("rm"), inversion: .prefixedNo,
        help: "Remove the container of a failed step; --rm=false keeps it for inspection.")
    var remove = true

    @Flag(name: .customLong("force-rm"), inversion: .prefixedNo, help: "Accepted; the same as --rm.")
    var forceRemove = false

    @Flag(help: "Fetch the images that the build stands on even where the store has them.")
    var pull = false

    @OptionGroup var registry: RegistryOptions

    @Flag(name: .shortAndLong, help: "Print nothing but the image's ID.")
    var quiet = false

    @Option(help: ArgumentHelp("auto, plain, tty, quiet or rawjson.", valueName: "mode"))
    var progress: ProgressMode = .auto

    @Option(help: ArgumentHelp("Write the image's ID to a file.", valueName: "file"))
    var iidfile: String?

    @Option(help: ArgumentHelp("What the image is to run on (default: this machine).", valueName: "os/arch"))
    var platform: String?

    @OptionGroup var steps: BuildStepOptions

    @OptionGroup var sources: BuildSourceOptions

    @OptionGroup var debugging: BuildDebugOptions

    @OptionGroup var outputs: BuildOutputOptions

    @OptionGroup var assembly: BuildAssemblyOptions

    @OptionGroup var caches: BuildCacheOptions

    @OptionGroup var call: BuildCallOptions

    @Argument(
        help: ArgumentHelp(
            "A directory, git repository, or address of an archive or Dockerfile; '-' for one on standard input.",
            valueName: "path|url|-"))
    var path: String?

    var isQuiet: Bool { quiet || progress == .quiet }

    /// Whether remarks on the Dockerfile are shown at the end, as text; `rawjson` has them among its lines.
    var showsRemarks: Bool { !isQuiet && progress != .rawjson }

    /// The build as the engine takes it.
    func request() throws -> BuildRequest {
        var request = BuildRequest(try settings())
        request.access = registry.access
        request.outputs = try outputs.outputs()
        request.pushes = outputs.push
        request.indexAnnotations = try assembly.apply(to: &request.options, request.outputs)
        try caches.apply(to: &request)
        let lines = Mutex(TransferLines(isLive: false))
        request.pullLines = { event in
            let text = lines.withLock { $0.take(event, at: 0) }
            return text.isEmpty ? [] : [String(text.dropLast())]
        }
        return request
    }

    /// The options as the builder takes them.
    private func settings() throws -> BuildOptions {
        guard let path else {
            throw CommandError(
                .usage, "'strata build' requires 1 argument: the directory of the context.",
                remedy: "'.' is the working directory")
        }
        var result = BuildOptions(context: nil)
        try BuildSourceOptions.setContext(path, file: file, of: &result)
        try sources.apply(to: &result)
        for name in tag {
            let reference = try Reference(naming: name, to: "tag the image as \(name)")
            if !result.tags.contains(reference) { result.tags.append(reference) }
        }
        result.target = target.flatMap { $0.isEmpty ? nil : $0 }
        for text in buildArg { result.addBuildArgument(text) { Environment.nonEmpty($0) } }
        for text in label {
            let parts = text.parts(at: "=")
            result.labels[parts[0]] = parts.count == 2 ? parts[1] : ""
        }
        result.usesCache = !noCache
        result.removesFailedContainer = remove || forceRemove
        result.fetchesAlways = pull
        try steps.apply(to: &result)
        result.platform = try platform.map { try Platform(parsing: $0) }
        return result
    }

    /// What shows the progress, on standard error.
    func display() -> any BuildDisplay {
        if isQuiet { return SilentDisplay() }
        if progress == .rawjson { return RawDisplay() }
        let fits = Console.errorIsTerminal && Environment.nonEmpty("TERM") != "dumb"
        return progress == .tty || (progress == .auto && fits) ? LiveDisplay.begin() : PlainDisplay()
    }
}
