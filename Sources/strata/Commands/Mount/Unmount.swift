import ArgumentParser
import Engine
import Runtime

/// `strata umount`
struct Unmount: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "umount", abstract: "Unmount what 'strata mount' mounted.",
        discussion: """
            A mount that is in use stays, unless it is to be detached.

            EXAMPLE: strata umount /mnt
            """, aliases: ["unmount"])

    @OptionGroup var globals: GlobalOptions

    @Flag(
        name: [.customShort("l"), .long, .customShort("f"), .customLong("force")],
        help: "Detach a mount that is in use; it ends with its last user.")
    var lazy = false

    @Argument(help: ArgumentHelp("Directories, or containers that are mounted.", valueName: "directory-or-container"))
    var targets: [String]

    func run() throws {
        let engine = try globals.openEngine()
        try forEach(targets) { try engine.containers.unmount($0, lazily: lazy) }
    }
}
