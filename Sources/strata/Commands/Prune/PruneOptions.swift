import ArgumentParser
import Engine
import ImageStore
import Linux
import OCI
import Rendering
import Runtime

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

    /// Asks, unless nothing is removed or the user said not to, then opens the store and sets right what processes that
    /// died have left.
    func begin(_ warning: String) throws -> Pruner {
        if !dryRun { try Confirmation.ask(warning, unless: force) }
        let engine = try globals.openEngine()
        engine.containers.reconcile()
        return Pruner(engine: engine, isRehearsal: dryRun)
    }
}

/// Removes what nothing needs, or only finds out what that would be; adds up what that frees.
struct Pruner {
    let engine: Engine
    let isRehearsal: Bool
    /// Bytes on disk freed so far.
    private(set) var bytes: Int64 = 0
    /// What the user reads.
    private var text = ""
    /// Containers that were removed, or would have been.
    private var absent: [String] = []

    init(engine: Engine, isRehearsal: Bool) {
        self.engine = engine
        self.isRehearsal = isRehearsal
    }

    private var store: ImageStore { engine.store }

    /// Containers that have ended.
    mutating func pruneContainers(_ filter: PruneFilter) throws {
        let mounted = Set(try store.mounts().compactMap(\.containerID))
        let ended = try store.containers().filter { container in
            container.state != .running && container.supervisor == nil && !mounted.contains(container.id)
                && filter.fits(
                    createdAt: container.createdAt,
                    labels: container.settings?.configuration.labels ?? [:])
        }
        for container in ended where try remove(container) { absent.append(container.id) }
        list("Containers", absent)
    }

    /// Whether the container is gone; false where it was started, or removed by somebody else, a moment ago.
    private mutating func remove(_ container: ContainerRecord) throws -> Bool {
        let size = try store.containerFootprint(container.id)
        if isRehearsal {
            bytes += size
            return true
        }
        let layers = try layerBytes(without: [container.id])
        do throws(RuntimeError) {
            try engine.containers.remove(container.id)
        } catch {
            if error.code == .conflict || error.code == .notFound { return false }
            throw error
        }
        bytes += size + layers
        return true
    }

    /// What only containers that go keep is freed with them.
    private func layerBytes(without containers: [String]) throws -> Int64 {
        var selection = PruneSelection()
        selection.absentContainers = containers
        return try store.prune(selection, rehearsal: true).bytes
    }

    /// Volumes that no container has: those without a name of the user's, or all.
    mutating func pruneVolumes(_ filter: PruneFilter, all: Bool) throws {
        // Volumes have no labels.
        if !filter.labels.allSatisfy({ $0.fits([:]) }) { return }
        let gone = Set(absent)
        let unused = try engine.volumeUsage(ignoring: gone).filter { volume in
            volume.links == 0 && (all || volume.isAnonymous)
        }
        for volume in unused {
            if !isRehearsal { try engine.volumes.remove(volume.name) }
            bytes += volume.size
        }
        list("Volumes", unused.map(\.name))
    }

    /// Images and build cache.
    mutating func prune(_ selection: PruneSelection) throws {
        var selection = selection
        if isRehearsal { selection.absentContainers = absent }
        let result = try store.prune(selection, rehearsal: isRehearsal)
        bytes += result.bytes
        list("Images", result.events.map { Self.line($0) })
        if selection.images != nil { list("build cache objects", result.cache.map { ShortText.id($0.record.key) }) }
    }

    /// The build cache alone, as a table.
    mutating func pruneCache(_ selection: PruneSelection) throws {
        let result = try store.prune(selection, rehearsal: isRehearsal)
        bytes += result.bytes
        if !result.cache.isEmpty { text += try Self.cacheListing.text(result.cache, format: nil) }
    }

    private static let cacheListing = Listing<DiskUsage.Cache>(
        columns: [
            Column("ID", "ID") { ShortText.id($0.record.key) },
            Column("Reclaimable", "RECLAIMABLE") { $0.isShared ? "false" : "true" },
            Column("Size", "SIZE") { HumanUnits.size($0.size) },
            Column("LastAccessed", "LAST ACCESSED") { HumanUnits.ago($0.record.lastUsed) },
        ], standard: ["ID", "Reclaimable", "Size", "LastAccessed"])

    /// `untagged: …` and `deleted: …`, as Docker's prune writes them.
    private static func line(_ event: RemovalEvent) -> String {
        let line = event.description
        return line.prefix(1).lowercased() + line.dropFirst()
    }

    private mutating func list(_ what: String, _ lines: [String]) {
        if lines.isEmpty { return }
        text += "\(isRehearsal ? "Would delete" : "Deleted") \(what):\n"
        text += lines.map { VisibleText.line($0) + "\n" }.joined() + "\n"
    }

    /// Shows what happened and what that freed; a rehearsal tells the bytes, too.
    func finish(total: String = "Total reclaimed space:") throws {
        var line = "\(total) \(HumanUnits.size(bytes, digits: 4))"
        if isRehearsal {
            line = "Total reclaimable space: \(HumanUnits.size(bytes, digits: 4)) (\(bytes) bytes)"
        }
        try Console.write(text + line + "\n")
    }
}
