import ArgumentParser
import Engine
import ImageStore
import Linux
import Rendering

/// What every prune command takes.
struct PruneOptions: ParsableArguments {
    @OptionGroup var globals: GlobalOptions

    @Flag(name: .shortAndLong, help: "Do not ask.")
    var force = false

    @Flag(help: "Only show what would be removed, and how much that frees.")
    var dryRun = false

    @Option(
        help: ArgumentHelp(
            "A condition, such as 'until=24h', 'label=KEY[=VALUE]' or 'label!=KEY'.", valueName: "filter"))
    var filter: [String] = []

    /// Asks, unless nothing is removed or the user said not to; then removes what the request says.
    func prune(_ request: PruneRequest, warning: String) throws -> PruneOutcome {
        if !dryRun { try Confirmation.ask(warning, unless: force) }
        var request = request
        request.isDryRun = dryRun
        return try globals.openEngine().prune(request)
    }

    /// The same, and shows what happened as lists, as Docker does.
    func run(_ request: PruneRequest, warning: String) throws {
        let outcome = try prune(request, warning: warning)
        var text = list("Containers", outcome.containers)
        text += list("Volumes", outcome.volumes)
        text += list("Images", outcome.images.map(Self.line))
        text += list("build cache objects", outcome.cache.compactMap { outcome.cacheNames[$0.record.key] })
        try Console.write(text + total("Total reclaimed space:", outcome) + "\n")
    }

    /// What was freed; a dry run says the bytes as well.
    func total(_ words: String, _ outcome: PruneOutcome) -> String {
        let size = HumanUnits.size(outcome.bytes, digits: 4)
        return dryRun ? "Total reclaimable space: \(size) (\(outcome.bytes) bytes)" : "\(words) \(size)"
    }

    private func list(_ what: String, _ lines: [String]) -> String {
        if lines.isEmpty { return "" }
        return "\(dryRun ? "Would delete" : "Deleted") \(what):\n"
            + lines.map { VisibleText.line($0) + "\n" }.joined() + "\n"
    }

    /// `untagged: …` and `deleted: …`, as Docker's prune writes them.
    private static func line(_ event: RemovalEvent) -> String {
        let line = event.description
        return line.prefix(1).lowercased() + line.dropFirst()
    }
}
