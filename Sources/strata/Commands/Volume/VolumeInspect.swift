import ArgumentParser
import Engine
import Rendering

/// `strata volume inspect`
struct VolumeInspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show everything about volumes as JSON.",
        discussion: "EXAMPLE: strata volume inspect --format '{{.Mountpoint}}' data")

    @OptionGroup var globals: GlobalOptions
    @OptionGroup var format: InspectFormat

    @Argument(help: "Names of volumes.")
    var volumes: [String]

    func run() throws {
        let engine = try globals.openEngine(creating: false)
        try format.show(volumes) { try Value(encoding: try engine.inspectVolume($0)) }
    }
}
