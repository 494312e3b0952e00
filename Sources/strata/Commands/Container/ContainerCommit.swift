import ArgumentParser
import Engine
import ImageStore
import Linux
import OCI
import Rendering
import Runtime

/// `strata commit`
struct Commit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "commit", abstract: "Make an image of a container.",
        discussion: "EXAMPLE: strata commit -m 'Edited the page' -c 'EXPOSE 80' web web:edited")

    @OptionGroup var globals: GlobalOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("Who made it.", valueName: "name"))
    var author: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("What the history says of it.", valueName: "text"))
    var message: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Apply an instruction of Dockerfiles, such as 'ENV A=b'.", valueName: "instruction"))
    var change: [String] = []

    @Flag(name: .shortAndLong, inversion: .prefixedNo, help: "Accepted; running containers are not paused.")
    var pause = true

    @Argument(help: "The container: a name, an ID or the beginning of one.")
    var container: String

    @Argument(help: "The image's name.")
    var name: String?

    func run() throws {
        let image = try globals.openEngine().commit(
            container, as: name, changes: change, author: author, message: message)
        try Console.print(image.id.description)
    }
}

/// `strata diff`
struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show how a container's files differ from its image's: Added, Changed, Deleted.",
        discussion: "EXAMPLE: strata diff web")

    @OptionGroup var globals: GlobalOptions

    @Argument(help: "The container: a name, an ID or the beginning of one.")
    var container: String

    func run() throws {
        let changes = try globals.openEngine(creating: false).containers.diff(container)
        try Console.write(changes.map { "\($0.kind.rawValue) \(VisibleText.line($0.path))\n" }.joined())
    }
}
