import ArgumentParser
import Engine
import Rendering

/// `strata volume create`
struct VolumeCreate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Make an empty volume and print its name.",
        discussion: """
            A volume that exists is left as it is. Containers make volumes that do not exist by themselves.

            EXAMPLE: strata volume create data
            """)

    @OptionGroup var globals: GlobalOptions

    @Option(name: .shortAndLong, help: ArgumentHelp("Only 'local'.", valueName: "driver"))
    var driver = "local"

    @Argument(help: "The volume's name (default: one is made up).")
    var name: String?

    func run() throws { try Console.print(try globals.openEngine().createVolume(name, driver: driver)) }
}
