import ArgumentParser
import Engine
import Glibc
import Linux
import Runtime

/// What `create` and `run` take besides what is theirs alone; Docker's names.
struct RunOptions: ParsableArguments {
    @OptionGroup var globals: GlobalOptions

    @Flag(name: .shortAndLong, help: "Keep standard input open.")
    var interactive = false

    @Flag(name: [.customShort("t"), .customLong("tty")], help: "Give the container a terminal.")
    var terminal = false

    @Flag(name: .customLong("rm"), help: "Remove the container when it ends.")
    var remove = false

    @Option(help: "The container's name (default: one is made up).")
    var name: String?

    @OptionGroup var process: ProcessOptions

    @Option(help: "Run this instead of the image's entrypoint.")
    var entrypoint: String?

    @Option(
        name: [.customShort("v", allowingJoined: true), .long],
        help: ArgumentHelp("Show a directory or a volume in the container.", valueName: "source:target[:ro]"))
    var volume: [String] = []

    @Option(
        name: [.customShort("h", allowingJoined: true), .long],
        help: ArgumentHelp("The host name (default: the first digits of the ID).", valueName: "name"))
    var hostname: String?

    @Option(
        name: [.customShort("l", allowingJoined: true), .long],
        help: ArgumentHelp("Set a label.", valueName: "key=value"))
    var label: [String] = []

    @OptionGroup var isolation: IsolationOptions
    @OptionGroup var resources: ResourceOptions

    @Option(help: ArgumentHelp("The signal that 'stop' sends first.", valueName: "signal"))
    var stopSignal: String?

    @Option(help: ArgumentHelp("Write the container's ID to a file.", valueName: "file"))
    var cidfile: String?

    @Option(help: ArgumentHelp("When to fetch the image: always, missing or never.", valueName: "when"))
    var pull: PullPolicy = .missing

    @OptionGroup var registry: RegistryOptions

    @Option(help: ArgumentHelp("What the image is to run on (default: this machine).", valueName: "os/arch"))
    var platform: String?

    @Flag(name: [.customShort("q"), .long], help: "Do not show how the image is fetched.")
    var quiet = false

    @Flag(name: .customLong("init"), help: "Refused: there is no init process to run.")
    var initProcess = false

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp(
            "The image, then the command for it and that command's arguments.", valueName: "image-and-command"))
    var imageAndCommand: [String] = []

    /// The image and its command, without the `--` that may stand before them.
    private var words: ArraySlice<String> {
        imageAndCommand.first == "--" ? imageAndCommand.dropFirst() : imageAndCommand[...]
    }

    /// The image; a usage error when it is missing.
    func image(for command: String) throws(CommandError) -> String {
        guard let image = words.first else {
            throw CommandError(
                .usage, "'strata \(command)' requires at least 1 argument: the image.",
                remedy: "see 'strata \(command) --help'")
        }
        return image
    }

    /// The options as the runtime takes them.
    func containerOptions(for command: String) throws -> ContainerOptions {
        if initProcess {
            throw CommandError(.usage, "--init is not supported: there is no init process to run in containers")
        }
        var options = ContainerOptions()
        options.imageName = try image(for: command)
        options.command = Array(words.dropFirst())
        options.name = name
        options.entrypoint = entrypoint.map { [$0] }
        options.environment = try process.variables()
        options.workingDirectory = process.workdir
        options.user = process.user
        options.volumes = try volume.map { text throws(CommandError) in try RunOptions.absolute(volume: text) }
        options.terminal = terminal
        options.interactive = interactive
        options.hostname = hostname
        isolation.apply(to: &options)
        options.resources = try resources.limits()
        options.autoRemove = remove
        options.stopSignal = stopSignal
        for text in label {
            let parts = text.parts(at: "=")
            options.labels[parts[0]] = parts.count == 2 ? parts[1] : ""
        }
        return options
    }

    /// Docker lets `-v ./dir:/x` stand for a directory relative to the working directory.
    private static func absolute(volume: String) throws(CommandError) -> String {
        guard volume.hasPrefix("./") || volume.hasPrefix("../") || volume.hasPrefix(".:") else { return volume }
        let source = volume.prefix { $0 != ":" }
        return ContainerPath.normalized(try WorkingDirectory.path() + "/" + source) + volume.dropFirst(source.count)
    }
}

extension PullPolicy: ExpressibleByArgument {}
