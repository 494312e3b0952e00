import ArgumentParser
import Engine
import Rendering

/// `strata info`
struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Show facts about the store and what it stands on.",
        discussion: "EXAMPLE: strata info --format '{{.Images}}'")

    @OptionGroup var globals: GlobalOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("'json' or a Go template.", valueName: "format"))
    var format: String?

    func run() throws {
        let value = try Value(encoding: try globals.openEngine(creating: false).information())
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
