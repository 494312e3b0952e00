import ArgumentParser
import Engine
import Runtime

/// `strata umount`
struct Unmount: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "umount", abstract: "Unmount what 'strata mount' mounted.",
        discussion: "EXAMPLE: strata umount /mnt", aliases: ["unmount"])

    @OptionGroup var globals: GlobalOptions

    @Argument(help: ArgumentHelp("Directories, or containers that are mounted.", valueName: "directory-or-container"))
    var targets: [String]

    func run() throws {
        let engine = try globals.openEngine()
        try forEach(targets) { try engine.containers.unmount($0) }
    }
}
