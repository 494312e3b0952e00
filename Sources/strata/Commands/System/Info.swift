import ArgumentParser
import ImageStore
import OCI
import Runtime

/// `strata info`
struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Show facts about the store and what it stands on.",
        discussion: "EXAMPLE: strata info --format '{{.Images}}'")

    @OptionGroup var globals: GlobalOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("'json' or a Go template.", valueName: "format"))
    var format: String?

    func run() throws {
        let store = try globals.openStore(creating: false)
        let context = RuntimeContext(store: store, runtime: globals.runtime)
        let containers = try store.containers()
        let value = Value.members([
            "Containers": .integer(Int64(containers.count)),
            "ContainersRunning": .integer(Int64(containers.count { $0.state == .running })),
            "ContainersStopped": .integer(Int64(containers.count { $0.state != .running })),
            "Images": .integer(Int64(try store.images().count)),
            "Layers": .integer(Int64(try store.layers().count)),
            "ServerVersion": .string(Version.number),
            "Driver": "strata",
            "DefaultRuntime": .string((try? context.driver().path) ?? "none found"),
            "MountHelper": .string((try? context.helper().path) ?? "none found"),
            "OSType": .string(Platform.current.os),
            "Architecture": .string(Platform.current.architecture),
            "StrataRootDir": .string(store.root),
        ])
        switch format {
        case nil: try Console.write(Info.text(value))
        case "json": try Console.print(value.json)
        case .some(let source): try Console.write(rendered: try Template(source).text(for: value) + "\n")
        }
    }

    private static let labels: KeyValuePairs<String, String> = [
        "Containers": "Containers", " Running": "ContainersRunning", " Stopped": "ContainersStopped",
        "Images": "Images", "Layers": "Layers", "Version": "ServerVersion", "Runtime": "DefaultRuntime",
        "Mount helper": "MountHelper", "OS": "OSType", "Architecture": "Architecture",
        "Root directory": "StrataRootDir",
    ]

    private static func text(_ value: Value) -> String {
        labels.map { "\($0.key): \(value[$0.value]?.text ?? "")\n" }.joined()
    }
}
