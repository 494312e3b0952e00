import Dockerfile
import OCI

extension Executor {
    /// Carries out an instruction that only changes the configuration.
    ///
    /// It is recorded all the same, because its time is part of the history: built again, it is the same image.
    func configure(
        _ operation: Instruction.Operation, _ instruction: Instruction, _ state: inout StageState
    ) throws(BuildError) {
        let createdBy = try apply(operation, &state)
        let key = state.stateKey.step(instruction.name, definition: [[createdBy]])
        state.stateKey = key
        state.steps.append(key)
        var created = Timestamp.now
        if options.usesCache, let hit = try cache.find(key, on: []) {
            created = hit.created
        } else {
            try cache.put(key, created: created, layer: nil, on: [])
        }
        record(createdBy, created: created, hasLayer: false, &state)
    }

    /// Changes the configuration and returns the line of the history.
    private func apply(
        _ operation: Instruction.Operation, _ state: inout StageState
    ) throws(BuildError) -> String {
        switch operation {
        case .argument(let argument):
            let words = argument.declarations.map { declaration in
                let value = state.scope.arguments.last { $0.name == declaration.name }?.defaultValue
                return value.map { "\(declaration.name)=\($0)" } ?? declaration.name
            }
            return "ARG " + words.joined(separator: " ")
        case .environment(let pairs):
            state.image.config.env = state.scope.environment.map { "\($0.key)=\($0.value)" }
            return "ENV " + Self.text(pairs)
        case .label(let pairs):
            for pair in pairs { state.image.config.labels[pair.key] = pair.value }
            return "LABEL " + Self.text(pairs)
        case .expose(let words):
            var ports: [ExposedPort] = []
            for word in words {
                ports += try fromDockerfile { () throws(DockerfileError) in try ExposedPort.parse(word) }
            }
            state.image.config.exposedPorts.formUnion(ports.map(\.description))
            return "EXPOSE [\(ports.map(\.description).joined(separator: " "))]"
        case .volume(let paths):
            state.image.config.volumes.formUnion(paths)
            return "VOLUME [\(paths.joined(separator: " "))]"
        case .user(let user):
            state.image.config.user = user
            return "USER \(user)"
        case .stopSignal(let signal):
            state.image.config.stopSignal = signal
            return "STOPSIGNAL \(signal)"
        case .shell(let shell):
            state.image.config.shell = shell
            return "SHELL [\(shell.joined(separator: " "))]"
        case .maintainer(let name):
            state.image.author = name
            return "MAINTAINER \(name)"
        case .onBuild(let trigger):
            state.image.config.onBuild.append(trigger)
            return "ONBUILD \(trigger)"
        case .command, .entrypoint, .healthcheck: return applyProcess(operation, &state)
        case .add, .copy, .run, .workingDirectory: return ""
        }
    }

    /// What says which process runs in containers of the image.
    private func applyProcess(_ operation: Instruction.Operation, _ state: inout StageState) -> String {
        switch operation {
        case .command(let form):
            let arguments = Self.arguments(form, state)
            state.image.config.cmd = arguments
            state.hasOwnCommand = true
            return "CMD " + Self.quoted(arguments)
        case .entrypoint(let form):
            let arguments = Self.arguments(form, state)
            state.image.config.entrypoint = arguments
            // The base's arguments were meant for the base's entrypoint.
            if !state.hasOwnCommand { state.image.config.cmd = nil }
            return "ENTRYPOINT " + Self.quoted(arguments)
        case .healthcheck(let check):
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
            state.image.config.healthcheck = healthcheck
            return "HEALTHCHECK " + Self.quoted(healthcheck.test ?? [])
        default: return ""
        }
    }

    private static func arguments(_ form: CommandForm, _ state: StageState) -> [String] {
        switch form {
        case .shell(let text): state.shell + [text]
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
