import Dockerfile
import OCI

/// `--change`: an instruction of a Dockerfile that sets how containers of an image run.
enum ConfigurationChange {
    /// Applies instructions in order. Those that make files are refused, as Docker does.
    static func apply(_ changes: [String], to config: inout ContainerConfiguration) throws {
        for change in changes {
            var scope = VariableScope(
                environment: config.env.map { entry in
                    let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                    return KeyValue(key: String(parts[0]), value: parts.count == 2 ? String(parts[1]) : "")
                })
            let instructions: [Instruction]
            do throws(DockerfileError) {
                instructions = try DockerfileDocument.instructions(parsing: change, file: "--change")
            } catch {
                throw CommandError(.usage, "invalid change \"\(change)\": \(error.message)", remedy: error.remedy)
            }
            for instruction in instructions {
                let operation = try scope.apply(instruction)
                guard try apply(operation, to: &config) else {
                    throw CommandError(
                        .usage,
                        "invalid change \"\(change)\": \(instruction.name) is not a change of the configuration",
                        remedy: "use CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME or WORKDIR")
                }
            }
        }
    }

    /// Whether the instruction was one that sets the configuration.
    private static func apply(
        _ operation: Instruction.Operation, to config: inout ContainerConfiguration
    ) throws -> Bool {
        switch operation {
        case .command(let form): config.cmd = arguments(form, config)
        case .entrypoint(let form): config.entrypoint = arguments(form, config)
        case .environment(let pairs): for pair in pairs { config.setEnvironment(pair.key, to: pair.value) }
        case .label(let pairs): for pair in pairs { config.labels[pair.key] = pair.value }
        case .expose(let ports):
            for port in ports { for one in try ExposedPort.parse(port) { config.exposedPorts.insert(one.description) } }
        case .volume(let paths): config.volumes.formUnion(paths)
        case .user(let user): config.user = user
        case .workingDirectory(let path):
            config.workingDir = path.hasPrefix("/") ? path : (config.workingDir ?? "") + "/" + path
        case .onBuild(let text): config.onBuild.append(text)
        case .stopSignal(let signal): config.stopSignal = signal
        default: return false
        }
        return true
    }

    private static func arguments(_ form: CommandForm, _ config: ContainerConfiguration) -> [String] {
        switch form {
        case .exec(let arguments): arguments
        case .shell(let text): (config.shell ?? ["/bin/sh", "-c"]) + [text]
        }
    }
}
