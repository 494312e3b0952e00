import ArgumentParser
import BuildEngine
import Linux
import OCI
import Runtime

/// What `build` takes; Docker's names.
struct BuildCommandOptions: ParsableArguments {
    /// How progress is shown.
    enum ProgressMode: String, ExpressibleByArgument, CaseIterable {
        case auto, plain, tty, quiet
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

    @Option(help: ArgumentHelp("auto, plain, tty or quiet.", valueName: "mode"))
    var progress: ProgressMode = .auto

    @Option(help: ArgumentHelp("Write the image's ID to a file.", valueName: "file"))
    var iidfile: String?

    @Option(help: ArgumentHelp("What the image is to run on (default: this machine).", valueName: "os/arch"))
    var platform: String?

    @Option(
        help: ArgumentHelp("Only 'default' and 'host' for now: steps use the host's network.", valueName: "network"))
    var network: String?

    @Argument(help: ArgumentHelp("The directory that COPY and ADD take files from; '-' for none.", valueName: "path"))
    var path: String?

    var isQuiet: Bool { quiet || progress == .quiet }

    /// The options as the builder takes them.
    func settings(runtime: String?) throws -> BuildOptions {
        guard let path else {
            throw CommandError(
                .usage, "'strata build' requires 1 argument: the directory of the context.",
                remedy: "'.' is the working directory")
        }
        if let network, network != "default", network != "host" {
            throw CommandError(
                .usage, "the network \"\(network)\" is not supported", remedy: "steps use the host's network")
        }
        if path.contains("://") || path.hasPrefix("git@") {
            throw CommandError(
                .usage, "cannot build \(path): addresses are not fetched", remedy: "fetch it into a directory first")
        }
        var result = BuildOptions(context: path == "-" ? nil : path)
        result.dockerfile = try dockerfile(context: path)
        for name in tag {
            let reference = try Reference(parsing: name)
            if reference.digest != nil {
                throw CommandError(.usage, "invalid tag \"\(name)\": a name with a digest cannot be given")
            }
            if !result.tags.contains(reference) { result.tags.append(reference) }
        }
        result.target = target.flatMap { $0.isEmpty ? nil : $0 }
        for text in buildArg { result.addBuildArgument(text) { Environment.nonEmpty($0) } }
        for text in label {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            result.labels[parts[0]] = parts.count == 2 ? parts[1] : ""
        }
        result.usesCache = !noCache
        result.removesFailedContainer = remove || forceRemove
        result.runtime = runtime
        result.platform = try platform.map { try Platform(parsing: $0) }
        return result
    }

    private func dockerfile(context: String) throws(CommandError) -> BuildOptions.Source {
        if context == "-" {
            if file != nil {
                throw CommandError(.usage, "with '-' as the context, standard input is the Dockerfile: leave out -f")
            }
            let text = try Console.readInput(limit: 1 << 26)
            if BuildCommandOptions.isArchive(text) {
                throw CommandError(
                    .usage, "cannot take a context from standard input: only a Dockerfile",
                    remedy: "unpack the archive and give its directory")
            }
            return .text(text)
        }
        guard let file else { return .standard }
        return file == "-" ? .text(try Console.readInput(limit: 1 << 26)) : .file(file)
    }

    /// Whether bytes begin like gzip, bzip2, xz, Zstandard or tar.
    private static func isArchive(_ bytes: [UInt8]) -> Bool {
        let magics: [[UInt8]] = [
            [0x1f, 0x8b, 0x08], [0x42, 0x5a, 0x68], [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], [0x28, 0xb5, 0x2f, 0xfd],
        ]
        return magics.contains { bytes.starts(with: $0) } || bytes.dropFirst(257).starts(with: Array("ustar".utf8))
    }

    /// What shows the progress, on standard error.
    func display() -> any BuildDisplay {
        if isQuiet { return SilentDisplay() }
        let fits = Console.errorIsTerminal && Environment.nonEmpty("TERM") != "dumb"
        return progress == .tty || (progress == .auto && fits) ? LiveDisplay.begin() : PlainDisplay()
    }
}
