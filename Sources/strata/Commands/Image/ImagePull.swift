import ArgumentParser
import Engine
import OCI
import Rendering

/// `strata pull`
struct Pull: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Fetch an image from a registry.",
        discussion: """
            Layers that the store has are not fetched. What an interrupted pull has finished stays for the next one.

            EXAMPLE: strata pull --platform linux/arm64 localhost:5000/tools/web:1.0
            """)

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var registry: RegistryOptions

    @Flag(name: .shortAndLong, help: "Fetch all tags of the repository.")
    var allTags = false

    @Option(help: ArgumentHelp("What the image is to run on (default: this machine).", valueName: "os/arch"))
    var platform: String?

    @Flag(name: .shortAndLong, help: "Print nothing but the image's name.")
    var quiet = false

    @Argument(help: ArgumentHelp("The image.", valueName: "name[:tag|@digest]"))
    var name: String

    func run() throws {
        var request = PullRequest(name: name)
        request.allTags = allTags
        request.platform = try platform.map { try Platform(parsing: $0) }
        request.access = registry.access
        let display = EngineDisplay(quiet ? .quiet : .standardOutput, namesResult: true)
        defer { display.end() }
        try globals.openEngine().pull(request) { display.show($0) }
    }
}
