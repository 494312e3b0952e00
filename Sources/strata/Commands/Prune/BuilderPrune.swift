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
        var pruner = try options.begin("This will remove all \(all ? "" : "dangling ")build cache.")
        if !filter.ids.isEmpty {
            let store = pruner.engine.store
            let keys = try store.cacheRecords().map(\.key) + store.cacheMountKeys()
            selection.cacheKeys = Set(
                keys.filter { key in filter.ids.contains { ShortText.id(key).hasPrefix($0) || key.hasPrefix($0) } })
        }
        try pruner.pruneCache(selection)
        try pruner.finish(total: "Total:")
    }
}
