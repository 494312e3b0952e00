import ArgumentParser
import Engine
import Rendering

/// `strata push`
struct Push: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Send an image to a registry.",
        discussion: """
            What the registry has is not sent. An image that was pulled keeps the digests it came with.

            EXAMPLE: strata push localhost:5000/tools/web:1.0
            """)

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var registry: RegistryOptions

    @Flag(name: .shortAndLong, help: "Send all tags of the repository.")
    var allTags = false

    @Flag(name: .shortAndLong, help: "Print nothing but the image's name.")
    var quiet = false

    @Argument(help: ArgumentHelp("The image.", valueName: "name[:tag]"))
    var name: String

    func run() throws {
        var request = PushRequest(name: name)
        request.allTags = allTags
        request.access = registry.access
        let display = EngineDisplay(quiet ? .quiet : .standardOutput, namesResult: quiet)
        defer { display.end() }
        try globals.openEngine().push(request) { display.show($0) }
    }
}
