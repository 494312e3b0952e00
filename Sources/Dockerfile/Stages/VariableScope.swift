/// The variables that an instruction can see: what `ENV` has set and what `ARG` has declared. A value type:
/// a stage that starts from another stage starts with a copy of that one's scope.
public struct VariableScope: Sendable, Hashable {
    /// What `ENV` has set, in the order of first appearance, as it goes into the image.
    public private(set) var environment: [KeyValue]
    /// What `ARG` has declared, in order, each with the value that it has; nil if it has none.
    public private(set) var arguments: [ArgumentInstruction.Declaration] = []
    /// The values from outside.
    public let buildArguments: BuildArguments
    /// The values of the `ARG`s in front of the first `FROM`, which a stage sees once it declares them.
    public let globalArguments: [String: String]

    /// Makes the scope at the start of a stage.
    /// - Parameters:
    ///   - environment: what the base image sets.
    ///   - globalArguments: `StageGraph.globalArguments`.
    ///   - buildArguments: the values from outside.
    public init(
        environment: [KeyValue] = [], globalArguments: [String: String] = [:],
        buildArguments: BuildArguments = BuildArguments()
    ) {
        self.environment = environment
        self.globalArguments = globalArguments
        self.buildArguments = buildArguments
    }

    /// The value that `$name` has, nil if it is not set. Of `ENV` and `ARG` the later one counts, as in BuildKit; an
    /// `ARG` without a value does not.
    public func value(of name: String) -> String? {
        arguments.last { $0.name == name }?.defaultValue ?? environment.last { $0.key == name }?.value
    }

    /// The variables that a command of `RUN` gets on top of the environment, in place of those of the same name:
    /// declared arguments that have a value. Proxy settings without an `ARG` are not among them.
    public var commandArguments: [KeyValue] {
        arguments.compactMap { argument in argument.defaultValue.map { KeyValue(key: argument.name, value: $0) } }
    }

    /// Sets a variable as `ENV` does; an argument of that name is gone.
    public mutating func set(_ pair: KeyValue) {
        arguments.removeAll { $0.name == pair.key }
        if let index = environment.firstIndex(where: { $0.key == pair.key }) {
            environment[index].value = pair.value
        } else {
            environment.append(pair)
        }
    }

    /// Declares variables as `ARG` does, with the value from outside, or the default, or the global value.
    public mutating func declare(_ declaration: ArgumentInstruction.Declaration) {
        let name = declaration.name
        let value =
            buildArguments.given[name] ?? declaration.defaultValue ?? globalArguments[name]
            ?? buildArguments.predefined[name]
        arguments.removeAll { $0.name == name }
        arguments.append(ArgumentInstruction.Declaration(name: name, defaultValue: value))
    }

    /// Expands an instruction's arguments in this scope and, if it is an `ENV` or `ARG`, applies it. In `ARG a=1 b=$a`
    /// the second sees the first; in `ENV a=1 b=$a` it does not.
    ///
    /// Throws as `Instruction.expanded(lookup:)`.
    public mutating func apply(_ instruction: Instruction) throws(DockerfileError) -> Instruction.Operation {
        if case .argument(let argument) = instruction.operation {
            var expanded: [ArgumentInstruction.Declaration] = []
            for declaration in argument.declarations {
                var single = instruction
                single.operation = .argument(ArgumentInstruction(declarations: [declaration]))
                let scope = self
                let result = try single.expanded { scope.value(of: $0) }
                guard case .argument(let result) = result else { continue }
                for declaration in result.declarations {
                    declare(declaration)
                    expanded.append(declaration)
                }
            }
            return .argument(ArgumentInstruction(declarations: expanded))
        }
        let scope = self
        let operation = try instruction.expanded { scope.value(of: $0) }
        if case .environment(let pairs) = operation {
            for pair in pairs { set(pair) }
        }
        return operation
    }
}
