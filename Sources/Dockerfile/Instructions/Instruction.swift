/// One instruction of a Dockerfile: what it asks for, and where and how it is written.
public struct Instruction: Sendable, Hashable {
    /// What is asked for. Variables are not expanded yet: see `expanded(lookup:)`.
    public var operation: Operation
    /// Where it stands.
    public var origin: SourceOrigin
    /// The instruction in one line, its name in upper case, continued lines joined, without here-documents:
    /// for progress lines and the history.
    public var text: String
    /// The escape character that its arguments are written with.
    public var escape: EscapeCharacter
    /// How it is written.
    public var written: WrittenForm

    /// What an instruction asks for, one case for each instruction of the reference.
    public enum Operation: Sendable, Hashable {
        /// `ADD`
        case add(AddInstruction)
        /// `ARG`
        case argument(ArgumentInstruction)
        /// `CMD`
        case command(CommandForm)
        /// `COPY`
        case copy(CopyInstruction)
        /// `ENTRYPOINT`
        case entrypoint(CommandForm)
        /// `ENV`
        case environment([KeyValue])
        /// `EXPOSE`; each is a port as `ExposedPort.parse` takes it.
        case expose([String])
        /// `HEALTHCHECK`
        case healthcheck(HealthcheckInstruction)
        /// `LABEL`
        case label([KeyValue])
        /// `MAINTAINER`
        case maintainer(String)
        /// `ONBUILD`, with the text of the instruction to come.
        case onBuild(String)
        /// `RUN`
        case run(RunInstruction)
        /// `SHELL`
        case shell([String])
        /// `STOPSIGNAL`
        case stopSignal(String)
        /// `USER`
        case user(String)
        /// `VOLUME`
        case volume([String])
        /// `WORKDIR`
        case workingDirectory(String)
    }

    /// The name in upper case, such as `RUN`.
    public var name: String {
        String(text.prefix { $0 != " " })
    }

    /// An error at this instruction, for faults that only the builder can find.
    public func error(
        _ code: DockerfileError.Code, _ message: String, remedy: String? = nil
    ) -> DockerfileError {
        DockerfileError(code, message, remedy: remedy).located(at: origin)
    }
}

/// A name and its value, as in `ENV` and `LABEL`.
public struct KeyValue: Sendable, Hashable {
    /// The name.
    public var key: String
    /// The value.
    public var value: String

    /// Makes a pair.
    public init(key: String, value: String) {
        self.key = key
        self.value = value
    }

    /// A variable of an environment, `NAME=value`; without an equals sign its value is empty.
    public init(variable text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        self.init(key: String(parts.first ?? ""), value: parts.count == 2 ? String(parts[1]) : "")
    }
}

/// A command for a shell, or the arguments of a program as they are.
public enum CommandForm: Sendable, Hashable {
    /// Text for the shell of the image (`SHELL`).
    case shell(String)
    /// The program and its arguments; may be empty.
    case exec([String])
}

/// `ARG name`, `ARG name=default`, several in a line.
public struct ArgumentInstruction: Sendable, Hashable {
    /// One declared variable.
    public struct Declaration: Sendable, Hashable {
        /// The variable's name.
        public var name: String
        /// The value unless one is given for the build; nil if there is none.
        public var defaultValue: String?

        /// Makes a declaration.
        public init(name: String, defaultValue: String? = nil) {
            self.name = name
            self.defaultValue = defaultValue
        }
    }

    /// The variables in order.
    public var declarations: [Declaration]

    /// Makes the instruction.
    public init(declarations: [Declaration]) {
        self.declarations = declarations
    }
}

/// `HEALTHCHECK`. Durations are in nanoseconds; nil means that the instruction does not say.
public struct HealthcheckInstruction: Sendable, Hashable {
    /// The check, nil for `HEALTHCHECK NONE`.
    public var command: CommandForm?
    /// `--interval`
    public var interval: Int64?
    /// `--timeout`
    public var timeout: Int64?
    /// `--start-period`
    public var startPeriod: Int64?
    /// `--start-interval`
    public var startInterval: Int64?
    /// `--retries`
    public var retries: Int?

    /// Makes the instruction.
    public init(command: CommandForm? = nil) {
        self.command = command
    }
}
