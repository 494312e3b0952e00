import ArgumentParser
import Rendering
import Runtime

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

    func run() throws {
        if driver != "local" {
            throw CommandError(.usage, "the volume driver \"\(driver)\" is not supported", remedy: "use local")
        }
        let name = name ?? Self.anonymous()
        try Volumes(try globals.openStore()).create(name)
        try Console.print(name)
    }

    /// 64 hexadecimal digits, as volumes have whose name nobody chose.
    private static func anonymous() -> String {
        (0..<64).map { _ in String(Int.random(in: 0..<16), radix: 16) }.joined()
    }
}
