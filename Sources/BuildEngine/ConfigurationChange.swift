import Dockerfile
public import OCI
import Runtime

/// How instructions change the configuration of an image: one rule for Dockerfiles and for `--change`.
public struct ConfigurationChange: Sendable {
    /// The image's configuration so far.
    public var image: ImageConfiguration
    /// Whether `CMD` was set by these instructions and not by what they began with.
    public var hasOwnCommand: Bool

    /// Begins with a configuration.
    public init(of image: ImageConfiguration, hasOwnCommand: Bool = false) {
        self.image = image
        self.hasOwnCommand = hasOwnCommand
    }

    private var config: ContainerConfiguration {
        get { image.config }
        set { image.config = newValue }
    }

    // MARK: --change

    /// Applies the instructions of `--change`. Those that make files are refused, as Docker does: `badOption`.
    public mutating func apply(changes: [String]) throws(BuildError) {
        for change in changes {
            do throws(DockerfileError) {
                try apply(change)
            } catch {
                throw BuildError(.badOption, "invalid change \"\(change)\": \(error.message)", remedy: error.remedy)
            }
        }
    }

    private mutating func apply(_ change: String) throws(DockerfileError) {
        var scope = VariableScope(environment: config.env.map(KeyValue.init(variable:)))
        for instruction in try DockerfileDocument.instructions(parsing: change, file: "--change") {
            let operation = try scope.apply(instruction)
            switch operation {
            // Docker's list; https://docs.docker.com/reference/cli/docker/container/commit/
            case .command, .entrypoint, .environment, .expose, .healthcheck, .label, .onBuild, .stopSignal, .user,
                .volume:
                _ = try apply(operation)
            case .workingDirectory(let path):
                config.workingDir = ContainerPath.normalized(
                    path.hasPrefix("/") ? path : (config.workingDir ?? "") + "/" + path)
            default:
                throw DockerfileError(
                    .unknownInstruction,
                    "\(instruction.name) is not a change of the configuration",
                    remedy: "use CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME "
                        + "or WORKDIR")
            }
        }
    }

    // MARK: One instruction

    /// Applies an instruction with its variables expanded, and returns the line of the history; nil for an instruction
    /// that makes files.
    mutating func apply(_ operation: Instruction.Operation) throws(DockerfileError) -> String? {
        switch operation {
        case .environment(let pairs):
            for pair in pairs { config.setEnvironment(pair.key, to: pair.value) }
            return "ENV " + Self.text(pairs)
        case .label(let pairs):
            for pair in pairs { config.labels[pair.key] = pair.value }
            return "LABEL " + Self.text(pairs)
        case .expose(let words):
            var ports: [ExposedPort] = []
            for word in words { ports += try ExposedPort.parse(word) }
            config.exposedPorts.formUnion(ports.map(\.description))
            return "EXPOSE [\(ports.map(\.description).joined(separator: " "))]"
        case .volume(let paths):
            config.volumes.formUnion(paths)
            return "VOLUME [\(paths.joined(separator: " "))]"
        case .user(let user):
            config.user = user
            return "USER \(user)"
        case .stopSignal(let signal):
            config.stopSignal = signal
            return "STOPSIGNAL \(signal)"
        case .shell(let shell):
            config.shell = shell
            return "SHELL [\(shell.joined(separator: " "))]"
        case .maintainer(let name):
            image.author = name
            return "MAINTAINER \(name)"
        case .onBuild(let trigger):
            config.onBuild.append(trigger)
            return "ONBUILD \(trigger)"
        case .command(let form):
            let arguments = arguments(form)
            config.cmd = arguments
            hasOwnCommand = true
            return "CMD " + Self.quoted(arguments)
        case .entrypoint(let form):
            let arguments = arguments(form)
            config.entrypoint = arguments
            // The base's arguments were meant for the base's entrypoint.
            if !hasOwnCommand { config.cmd = nil }
            return "ENTRYPOINT " + Self.quoted(arguments)
        case .healthcheck(let check): return apply(check)
        case .add, .argument, .copy, .run, .workingDirectory: return nil
        }
    }

    private mutating func apply(_ check: HealthcheckInstruction) -> String {
        var healthcheck = Healthcheck(test: ["NONE"])
        switch check.command {
        case .shell(let text): healthcheck.test = ["CMD-SHELL", text]
        case .exec(let arguments): healthcheck.test = ["CMD"] + arguments
        case nil: break
        }
        healthcheck.interval = check.interval
        healthcheck.timeout = check.timeout
        healthcheck.startPeriod = check.startPeriod
        healthcheck.startInterval = check.startInterval
        healthcheck.retries = check.retries
        config.healthcheck = healthcheck
        return "HEALTHCHECK " + Self.quoted(healthcheck.test ?? [])
    }

    private func arguments(_ form: CommandForm) -> [String] {
        switch form {
        case .shell(let text): (config.shell ?? ["/bin/sh", "-c"]) + [text]
        case .exec(let arguments): arguments
        }
    }

    private static func text(_ pairs: [KeyValue]) -> String {
        pairs.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    }

    private static func quoted(_ arguments: [String]) -> String {
        "[" + arguments.map(\.debugDescription).joined(separator: " ") + "]"
    }
}
