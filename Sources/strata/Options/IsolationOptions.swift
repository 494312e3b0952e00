import ArgumentParser
import Runtime

/// What `create` and `run` take for what a container has of the host; Docker's names.
struct IsolationOptions: ParsableArguments {
    @Option(
        name: [.customLong("network"), .customLong("net")],
        help: ArgumentHelp("'host' (the default) or 'none': nothing but the loopback.", valueName: "network"))
    var network: String?

    @Option(
        name: [.customShort("p", allowingJoined: true), .long],
        help: ArgumentHelp(
            "A port of the container's. On the host's network it is the host's as well; others are refused.",
            valueName: "port"))
    var publish: [String] = []

    @Flag(
        name: [.customShort("P"), .customLong("publish-all")],
        help: "All ports that the image names. On the host's network they are the host's as well.")
    var publishAll = false

    @Option(help: ArgumentHelp("Give a capability, such as SYS_PTRACE, or ALL.", valueName: "capability"))
    var capAdd: [String] = []

    @Option(help: ArgumentHelp("Take a capability away, such as CHOWN, or ALL.", valueName: "capability"))
    var capDrop: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            seccomp=unconfined or a file with a profile, no-new-privileges, systempaths=unconfined, apparmor=, label=.
            """, valueName: "option"))
    var securityOpt: [String] = []

    @Flag(help: "Do not let the root file system be written.")
    var readOnly = false

    /// Puts them into the options of a container, and says what becomes of ports.
    func apply(to options: inout ContainerOptions) {
        options.network = network
        options.publish = publish
        options.publishAll = publishAll
        options.addedCapabilities = capAdd
        options.droppedCapabilities = capDrop
        options.securityOptions = securityOpt
        options.isReadOnly = readOnly
    }

    /// What is to be said once it is known that the options make sense; nil where nothing is.
    var remark: String? {
        if publish.isEmpty && !publishAll { return nil }
        switch network {
        case "host": return "WARNING: Published ports are discarded when using host network mode"
        case "none": return "WARNING: Published ports are discarded: the container has no network"
        default: return "the container has the host's network: what it listens on is published as it is"
        }
    }
}
