import ArgumentParser
import Engine
import ImageStore
import Linux
import Runtime

/// `strata attach`
struct Attach: ParsableCommand, ContainerRunning {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Show what a container prints from now on, and pass on standard input.",
        discussion: """
            The exit status is that of the container; 0 when the detach keys are typed, which leave it running. A container \
            that was started in the foreground takes no input from elsewhere.

            EXAMPLE: strata attach web
            """)

    static var failureStatus: Int32 { 1 }

    @OptionGroup var globals: GlobalOptions

    @Flag(name: .customLong("no-stdin"), help: "Do not pass on standard input.")
    var noInput = false

    @Flag(
        name: .customLong("sig-proxy"), inversion: .prefixedNo,
        help: "Pass on the signals that this command gets; never with a terminal.")
    var signalProxy = true

    @Option(
        name: .customLong("detach-keys"),
        help: ArgumentHelp("The keys that detach (default: ctrl-p,ctrl-q).", valueName: "keys"))
    var detachKeys: String?

    @Argument(help: "The container: a name, an ID or the beginning of one.")
    var container: String

    func run() throws {
        let engine = try globals.openEngine(creating: false)
        try Self.attach(
            to: container, engine, withInput: !noInput, passesSignals: signalProxy,
            keys: try detachKeys.map { text throws(RuntimeError) in try DetachKeys(parsing: text) } ?? .standard)
    }

    /// Attaches this process, and ends as the container does.
    static func attach(
        to name: String, _ engine: Engine, withInput: Bool, passesSignals: Bool = true, keys: DetachKeys = .standard
    ) throws {
        let container = try engine.containers.container(matching: name)
        var attachment = Attachment.ownStreams()
        if !withInput { attachment.input = nil }
        attachment.forwardsSignals = passesSignals
        if case .ended(let status) = try engine.containers.attach(container.id, attachment, detachKeys: keys),
            status != 0
        {
            throw CommandError.exit(status)
        }
    }
}
