import ArgumentParser
import Engine
import ImageStore
import Runtime

/// `strata export`
struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a container's whole file system as a tar archive.",
        discussion: """
            Volumes are left out. 'strata import' makes an image of the archive. Without --output it goes to standard \
            output.

            EXAMPLE: strata export -o web.tar web
            EXAMPLE: strata export web | tar -t
            """)

    @OptionGroup var globals: GlobalOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("Write to a file.", valueName: "file"))
    var output: String?

    @Argument(help: "The container: a name, an ID or the beginning of one.")
    var container: String

    func run() throws {
        let engine = try globals.openEngine(creating: false)
        _ = try engine.containers.container(matching: container)
        try OutputFile.write(output, whatFor: "export") { sink in try engine.containers.export(container, to: sink) }
    }
}
