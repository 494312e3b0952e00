import ArgumentParser
import DockerDocuments
import Engine
import Rendering

/// `strata volume ls`
struct VolumeList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List volumes.", discussion: "EXAMPLE: strata volume ls -f dangling=true",
        aliases: ["list"])

    @OptionGroup var globals: GlobalOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Only those that fit: name=PATTERN, dangling=true|false, driver=local or label=KEY.", valueName: "key=value"
        )
    )
    var filter: [String] = []

    @Flag(name: .shortAndLong, help: "Only names.")
    var quiet = false

    @Option(help: ArgumentHelp("'table' (default), 'table TEMPLATE', 'json' or 'TEMPLATE'.", valueName: "format"))
    var format: String?

    func run() throws {
        let request = try VolumeListRequest(filters: filter)
        let volumes = try globals.openEngine(creating: false).volumes(request)
        try Self.listing.show(volumes, format: format, quiet: quiet ? "Name" : nil)
    }

    private static var listing: Listing<VolumeDocument> {
        // What Docker shows of volumes of its own driver.
        let unknown = ["Availability", "Group", "Links", "Size", "Status"].map { name in
            Column<VolumeDocument>(name, name.uppercased()) { _ in "N/A" }
        }
        return Listing(
            columns: [
                Column("Driver", "DRIVER") { $0.driver },
                Column("Labels", "LABELS") { _ in "" },
                Column("Mountpoint", "MOUNTPOINT") { $0.mountPoint },
                Column("Name", "VOLUME NAME") { $0.name },
                Column("Scope", "SCOPE") { $0.scope },
            ] + unknown, standard: ["Driver", "Name"])
    }
}
