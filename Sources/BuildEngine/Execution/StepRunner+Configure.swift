import Dockerfile
import OCI

extension StepRunner {
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
        if usesCache, let hit = try cache.find(key, on: []) {
            created = hit.created
        } else {
            try cache.put(key, created: created, layer: nil, on: [])
        }
        state.record(createdBy, created: created, hasLayer: false)
    }

    /// Changes the configuration and returns the line of the history.
    private func apply(_ operation: Instruction.Operation, _ state: inout StageState) throws(BuildError) -> String {
        if case .argument(let argument) = operation {
            let words = argument.declarations.map { declaration in
                let value = state.scope.arguments.last { $0.name == declaration.name }?.defaultValue
                return value.map { "\(declaration.name)=\($0)" } ?? declaration.name
            }
            return "ARG " + words.joined(separator: " ")
        }
        var change = ConfigurationChange(of: state.image, hasOwnCommand: state.hasOwnCommand)
        let line = try fromDockerfile { () throws(DockerfileError) in try change.apply(operation) }
        (state.image, state.hasOwnCommand) = (change.image, change.hasOwnCommand)
        return line ?? ""
    }
}
