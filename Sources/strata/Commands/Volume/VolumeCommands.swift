import ArgumentParser
import Engine
import Rendering

/// `strata volume …`
struct VolumeCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volume", abstract: "Manage volumes.", discussion: "EXAMPLE: strata volume ls",
        subcommands: [
            VolumeCreate.self, VolumeInspect.self, VolumeList.self, VolumePrune.self, VolumeRemove.self,
        ])
}

/// `strata volume rm`
struct VolumeRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Remove volumes and their files.", discussion: "EXAMPLE: strata volume rm data",
        aliases: ["remove"])

    @OptionGroup var globals: GlobalOptions

    @Flag(name: .shortAndLong, help: "A volume that does not exist is no error.")
    var force = false

    @Argument(help: "Names of volumes.")
    var volumes: [String]

    func run() throws {
        let engine = try globals.openEngine()
        try forEach(volumes) { name in
            if try engine.removeVolume(name, forced: force) { try Console.print(name) }
        }
    }
}

/// `strata volume prune`
struct VolumePrune: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove volumes that no container uses.",
        discussion: """
            Without --all only volumes without a name of the user's.

            EXAMPLE: strata volume prune --all --dry-run
            """)

    @OptionGroup var options: PruneOptions

    @Flag(name: .shortAndLong, help: "Remove volumes with names, too.")
    var all = false

    func run() throws {
        let filter = try PruneFilter(options.filter, keys: ["label", "label!", "all"])
        let every = all || filter.all
        var request = PruneRequest(filter)
        request.volumes = every ? .all : .anonymous
        try options.run(
            request,
            warning: "This will remove \(every ? "all" : "anonymous") local volumes not used by at least one container."
        )
    }
}
