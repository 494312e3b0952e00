import ArgumentParser
import Engine
import OCI
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
        try format.show(volumes) { name in
            let volume = try engine.volume(name)
            return .members([
                "CreatedAt": .string(volume.createdAt?.description ?? ""),
                "Driver": "local",
                "Labels": .null,
                "Mountpoint": .string(volume.mountPoint),
                "Name": .string(volume.name),
                "Options": .null,
                "Scope": "local",
            ])
        }
    }
}
