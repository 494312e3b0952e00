import ArgumentParser
import BuildEngine
import Dockerfile
import Linux
import Rendering
import Runtime

/// What `build` takes for the commands of `RUN`; Docker's names.
struct BuildStepOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A secret for RUN --mount=type=secret: id=ID[,src=FILE|,env=NAME].", valueName: "secret"))
    var secret: [String] = []

    @Option(
        help: ArgumentHelp(
            "An SSH agent for RUN --mount=type=ssh: default or ID[=SOCKET], or keys for one: ID=KEYFILE[,KEYFILE].",
            valueName: "agent"))
    var ssh: [String] = []

    @Option(
        help: ArgumentHelp(
            "What the Dockerfile may ask for: security.insecure or network.host.", valueName: "entitlement"))
    var allow: [String] = []

    @Option(
        help: ArgumentHelp(
            "The network of commands: 'default' and 'host' are the host's, 'none' has only the loopback.",
            valueName: "network"))
    var network: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A directory or file of the host's that commands see and no layer has.", valueName: "source:target[:ro]"))
    var volume: [String] = []

    @Option(
        help: ArgumentHelp("A line for the /etc/hosts of commands.", valueName: "name:address"))
    var addHost: [String] = []

    @Option(help: ArgumentHelp("The size of /dev/shm for commands, such as 128m.", valueName: "bytes"))
    var shmSize: String?

    @Option(help: ArgumentHelp("A limit for commands, such as nofile=1024:2048.", valueName: "name=soft[:hard]"))
    var ulimit: [String] = []

    /// Puts them into the options of the builder.
    func apply(to options: inout BuildOptions) throws {
        let environment: @Sendable (String) -> String? = { Environment.nonEmpty($0) }
        options.environment = environment
        for text in secret {
            let (id, value) = try BuildSecret.parse(text, environment: environment)
            options.secrets[id] = value
        }
        for text in ssh {
            let (id, agent) = try BuildAgent.parse(text, environment: environment)
            options.agents[id] = agent
        }
        for text in allow {
            guard let entitlement = BuildEntitlement(rawValue: text) else {
                throw CommandError(
                    .usage, "there is no entitlement \"\(text)\"", remedy: "security.insecure or network.host")
            }
            options.entitlements.insert(entitlement)
        }
        if let network {
            guard let kind = RunInstruction.Network(rawValue: network) else {
                throw CommandError(
                    .usage, "the network \"\(network)\" is not supported", remedy: "default, host or none")
            }
            options.network = kind
        }
        options.volumes = try volume.map { try BuildVolume.parse($0) }
        for text in addHost {
            guard let host = Isolation.Host.parse(text) else {
                throw CommandError(.usage, "invalid host \"\(text)\"", remedy: "write it as NAME:ADDRESS")
            }
            options.isolation.hosts.append(host)
        }
        options.isolation.sharedMemory = try shmSize.map { try HumanUnits.bytes($0) }
        for text in ulimit {
            guard let limit = RuntimeSpecification.Limit.parse(text) else {
                throw CommandError(.usage, "invalid limit \"\(text)\"", remedy: "write it as NAME=SOFT[:HARD]")
            }
            options.isolation.limits.removeAll { $0.type == limit.type }
            options.isolation.limits.append(limit)
        }
    }
}
