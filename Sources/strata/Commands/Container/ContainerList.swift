import ArgumentParser
import Engine
import ImageStore
import OCI
import Rendering
import Runtime

/// What `strata ps` and `strata container ls` take.
struct ContainerListOptions: ParsableArguments {
    @OptionGroup var globals: GlobalOptions
    @OptionGroup var format: FormatOptions

    @Flag(name: .shortAndLong, help: "Show those that do not run, too.")
    var all = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "id=, name=, label=, status=, exited=, ancestor=, before=, since= or volume=.", valueName: "filter"))
    var filter: [String] = []

    @Option(
        name: [.customShort("n", allowingJoined: true), .long],
        help: ArgumentHelp("Show the last created, running or not.", valueName: "number"))
    var last = -1

    @Flag(name: .shortAndLong, help: "Show the last created, running or not.")
    var latest = false

    @Flag(name: .shortAndLong, help: "Show how much they wrote.")
    var size = false

    func execute() throws {
        let columns = ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names"] + (size ? ["Size"] : [])
        guard let engine = try globals.openEngineForList() else {
            return try ContainerRow.listing(columns).show([], format: format.format, quiet: format.quiet ? "ID" : nil)
        }
        let store = engine.store
        let filters = try ContainerFilter.parse(filter, in: store)
        var containers = try engine.containers.containers().filter { container in
            filters.allSatisfy { $0.fits(container) }
        }
        let count = latest ? 1 : last
        if count >= 0 {
            containers = Array(containers.prefix(count))
        } else if !all && !filters.contains(where: \.isOfState) {
            containers = containers.filter { $0.state == .running }
        }
        let needsSize = size || format.format?.contains(".Size") == true
        var rows = ContainerRow.rows(containers, in: store, full: format.noTruncation)
        if needsSize {
            for index in rows.indices {
                let container = rows[index].record
                rows[index].size = try store.containerSize(container.id)
                rows[index].imageSize = try Set(container.layerIDs).reduce(0) { $0 + (try store.layer($1).diskUsage) }
            }
        }
        try ContainerRow.listing(columns).show(rows, format: format.format, quiet: format.quiet ? "ID" : nil)
    }
}

/// `strata ps`
struct ProcessStatus: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps", abstract: "List containers.",
        discussion: "EXAMPLE: strata ps -a --filter status=exited")

    @OptionGroup var options: ContainerListOptions

    func run() throws { try options.execute() }
}

/// `strata container ls`
struct ContainerList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List containers.",
        discussion: "EXAMPLE: strata container ls --format '{{.Names}}: {{.Status}}'", aliases: ["list", "ps"])

    @OptionGroup var options: ContainerListOptions

    func run() throws { try options.execute() }
}
