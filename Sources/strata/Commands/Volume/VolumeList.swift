import ArgumentParser
import Engine
import Rendering
import Runtime

/// `strata volume ls`
struct VolumeList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List volumes.", discussion: "EXAMPLE: strata volume ls -f dangling=true",
        aliases: ["list"])

    @OptionGroup var globals: GlobalOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Only those that fit: name=PART, dangling=true|false, driver=local.", valueName: "key=value")
    )
    var filter: [String] = []

    @Flag(name: .shortAndLong, help: "Only names.")
    var quiet = false

    @Option(help: ArgumentHelp("'table' (default), 'table TEMPLATE', 'json' or 'TEMPLATE'.", valueName: "format"))
    var format: String?

    func run() throws {
        let filters = try filter.map { text throws(CommandError) in try VolumeFilter(text) }
        let engine = try globals.openEngine(creating: false)
        let volumes = engine.volumes
        let links = filters.contains { $0.isOfUse } ? try engine.volumeLinks() : [:]
        let names = try volumes.names().filter { name in
            filters.allSatisfy { $0.fits(name, isUsed: links[name] != nil) }
        }
        try Self.listing(volumes).show(names, format: format, quiet: quiet ? "Name" : nil)
    }

    private static func listing(_ volumes: Volumes) -> Listing<String> {
        // What Docker shows of volumes of its own driver.
        let unknown = ["Availability", "Group", "Links", "Size", "Status"].map { name in
            Column<String>(name, name.uppercased()) { _ in "N/A" }
        }
        return Listing(
            columns: [
                Column("Driver", "DRIVER") { _ in "local" },
                Column("Labels", "LABELS") { _ in "" },
                Column("Mountpoint", "MOUNTPOINT") { volumes.path($0) },
                Column("Name", "VOLUME NAME") { $0 },
                Column("Scope", "SCOPE") { _ in "local" },
            ] + unknown, standard: ["Driver", "Name"])
    }
}

/// A condition of `volume ls --filter`.
private enum VolumeFilter {
    case name(String)
    case dangling(Bool)
    case driver(String)

    init(_ text: String) throws(CommandError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count == 2 ? parts[1] : nil) {
        case ("name", let value?): self = .name(value)
        case ("driver", let value?): self = .driver(value)
        case ("dangling", "true"), ("dangling", "1"): self = .dangling(true)
        case ("dangling", "false"), ("dangling", "0"): self = .dangling(false)
        default:
            throw CommandError(
                .usage, "invalid filter \"\(text)\"", remedy: "use name=PART, dangling=true|false or driver=local")
        }
    }

    /// Whether it matters which containers have the volume.
    var isOfUse: Bool { if case .dangling = self { true } else { false } }

    func fits(_ name: String, isUsed: Bool) -> Bool {
        switch self {
        case .name(let part): name.contains(part)
        case .driver(let driver): driver == "local"
        case .dangling(let isDangling): isUsed != isDangling
        }
    }
}
