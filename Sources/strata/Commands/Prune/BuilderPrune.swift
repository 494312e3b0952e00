import ArgumentParser
import Engine
import ImageStore
import OCI
import Rendering
import Runtime

/// `strata builder …`
struct BuilderCommands: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "builder", abstract: "Manage builds.",
        discussion: "EXAMPLE: strata builder prune --keep-storage 2GB",
        subcommands: [Build.self, BuilderPrune.self])
}

/// `strata builder prune`
struct BuilderPrune: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove build cache.",
        discussion: """
            What a build that is going on uses stays. Layers that images have stay with the images.

            EXAMPLE: strata builder prune --filter until=48h
            """)

    @OptionGroup var options: PruneOptions

    @Flag(name: .shortAndLong, help: "Remove all records, not only those whose layer no image has.")
    var all = false

    @Option(help: ArgumentHelp("Keep what was used last, up to so much, such as 512MB.", valueName: "bytes"))
    var keepStorage: String?

    func run() throws {
        let filter = try PruneFilter(options.filter, keys: ["until", "id"])
        var selection = PruneSelection()
        selection.cache = all ? .all : .unshared
        selection.until = filter.until
        if let keepStorage { selection.keptCacheBytes = try HumanUnits.bytes(keepStorage) }
        var request = PruneRequest(filter)
        request.selection = selection
        let outcome = try options.prune(
            request, warning: "This will remove all \(all ? "" : "dangling ")build cache.")
        let named = outcome.cache.filter { outcome.cacheNames[$0.record.key] != nil }
        if !named.isEmpty { try Console.write(try Self.listing(outcome.cacheNames).text(named, format: nil)) }
        try Console.print(options.total("Total:", outcome))
    }

    /// Docker's columns, with names in the place of numbers that lead nowhere any more.
    private static func listing(_ names: [String: String]) -> Listing<DiskUsage.Cache> {
        Listing(
            columns: [
                Column("Name", "NAME") { ShortText.ellipsis(names[$0.record.key] ?? "", 60) },
                Column("Reclaimable", "RECLAIMABLE") { $0.isShared ? "false" : "true" },
                Column("Size", "SIZE") { HumanUnits.size($0.size) },
                Column("LastAccessed", "LAST ACCESSED") { HumanUnits.ago($0.record.lastUsed) },
            ], standard: ["Name", "Reclaimable", "Size", "LastAccessed"])
    }
}
