import ArgumentParser
import OCI
import Runtime

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
        let volumes = Volumes(try globals.openStore(creating: false))
        try format.show(self.volumes) { name in
            guard let created = volumes.creationTime(name) else {
                throw CommandError(.notFound, "get \(name): no such volume")
            }
            return .members([
                "CreatedAt": .string(created.description),
                "Driver": "local",
                "Labels": .null,
                "Mountpoint": .string(volumes.path(name)),
                "Name": .string(name),
                "Options": .null,
                "Scope": "local",
            ])
        }
    }
}
