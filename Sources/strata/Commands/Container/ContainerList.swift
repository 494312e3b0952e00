import ArgumentParser
import Engine
import Rendering

/// What `strata ps` and `strata container ls` take.
struct ContainerListOptions: ParsableArguments {
    @OptionGroup var globals: GlobalOptions
    @OptionGroup var format: FormatOptions

    @Flag(name: .shortAndLong, help: "Show those that do not run, too.")
    var all = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "A condition on " + ContainerListRequest.filterKeys.joined(separator: ", ") + ".", valueName: "filter"))
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
        var request = try ContainerListRequest(filters: filter)
        if all { request.all = true }
        request.limit = latest ? 1 : last
        request.withSizes = size || format.format?.contains(".Size") == true
        let containers = try globals.openEngineForList()?.containers(request) ?? []
        let rows = containers.map { ContainerRow($0, full: format.noTruncation) }
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
