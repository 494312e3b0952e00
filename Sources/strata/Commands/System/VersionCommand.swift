import ArgumentParser
import DockerDocuments
import Engine
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
        let version = VersionInformation.current
        let value = try Value(encoding: version)
        switch format {
        case nil: try Console.write("Strata \(version.version)\n OS/Arch: \(version.os)/\(version.architecture)\n")
        case "json": try Console.print(value.json)
        case .some(let source): try Console.write(rendered: try Template(source).text(for: value) + "\n")
        }
    }
}
