import ArgumentParser
import OCI
import Rendering

/// `strata version`
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Show the version.",
        discussion: "EXAMPLE: strata version --format '{{.Version}}'")

    @OptionGroup var globals: GlobalOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("'json' or a Go template.", valueName: "format"))
    var format: String?

    func run() throws {
        let platform = Platform.current
        let value = Value.members([
            "Version": .string(Version.number), "Os": .string(platform.os), "Arch": .string(platform.architecture),
        ])
        switch format {
        case nil: try Console.write("Strata \(Version.number)\n OS/Arch: \(platform.os)/\(platform.architecture)\n")
        case "json": try Console.print(value.json)
        case .some(let source): try Console.write(rendered: try Template(source).text(for: value) + "\n")
        }
    }
}
