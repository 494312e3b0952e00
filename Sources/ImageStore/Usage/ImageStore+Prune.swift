public import FoundationEssentials
import GRDB
public import OCI

/// What a prune takes; what something alive needs always stays.
public struct PruneSelection: Sendable {
    /// Which images that no container uses.
    public enum Images: Sendable {
        /// Those without a name.
        case dangling
        /// All.
        case all
    }

    /// Which records of the build cache.
    public enum Cache: Sendable {
        /// Those whose layer no image and no container has, and those that hold none.
        case unshared
        /// All.
        case all
    }

    /// Images; nil for none.
    public var images: Images?
    /// Build cache; nil for none.
    public var cache: Cache?
    /// Bytes of layers that the build cache may keep: those used last.
    public var keptCacheBytes: Int64 = 0
    /// Only what was made (records of the cache: used) before.
    public var until: Timestamp?
    /// Only images whose configuration fits.
    public var labels: [LabelCondition] = []
    /// Only these records of the cache; nil for any.
    public var cacheKeys: Set<String>?
    /// Containers that a dry run takes for removed already.
    public var absentContainers: [String] = []

    /// Nothing.
    public init() {}
}

/// `label=KEY[=VALUE]` or `label!=KEY[=VALUE]`.
public struct LabelCondition: Hashable, Sendable {
    /// The label's name.
    public var key: String
    /// The label's value; nil for any.
    public var value: String?
    /// Whether it must be missing rather than there.
    public var isNegated: Bool

    /// Puts a condition together.
    public init(key: String, value: String?, isNegated: Bool) {
        self.key = key
        self.value = value
        self.isNegated = isNegated
    }

    /// Whether labels fit.
    public func fits(_ labels: [String: String]) -> Bool {
        let isThere = labels[key].map { value == nil || $0 == value } ?? false
        return isThere != isNegated
    }
}

/// What a prune took, or would take.
public struct PruneResult: Sendable {
    /// What happened to images and layers, in Docker's order.
    public var events: [RemovalEvent] = []
    /// The records of the build cache, least recently used first.
    public var cache: [DiskUsage.Cache] = []
    /// What the steps of those records were made from, by their keys: `StepInputs.data`.
    public var stepInputs: [String: Data] = [:]
    /// The layers.
    public var layers: [LayerRecord] = []
    /// Bytes on disk that this frees: layers and the documents of images.
    public var bytes: Int64 = 0
}

extension ImageStore {
    /// Removes what nothing needs, in one transaction, and says what that was.
    ///
    /// Left alone is what a container, a mount, or a process that builds, pulls or loads stands on.
    ///
    /// - Parameter dryRun: only says what would be removed: the same transaction, undone.
    @discardableResult
    public func prune(_ selection: PruneSelection, dryRun: Bool = false) throws(StoreError) -> PruneResult {
        var pruning = Pruning(selection, labelled: try labelled(selection), blobs: blobs)
        if selection.cache != nil { pruning.mounts = try cacheMounts().filter { !$0.isShared } }
        if dryRun {
            return try catalog.dryRun("tell what would be pruned") { database in
                try pruning.run(in: database)
                return pruning.result
            }
        }
        var (result, removal) = try catalog.write("prune", durable: true, freesSpace: true) { database in
            try pruning.run(in: database)
            try note(pruning.removal.reports, in: database)
            return (pruning.result, pruning.removal)
        }
        CrashPoint.reached("pruned")
        try finish(removal)
        for record in result.cache where record.isMount {
            // A build may have begun to use it.
            if try removeCacheMount(record.record.key) { continue }
            result.bytes -= record.size
            result.cache.removeAll { $0.record.key == record.record.key }
        }
        return result
    }

    /// The images whose labels fit; nil where any do.
    private func labelled(_ selection: PruneSelection) throws(StoreError) -> Set<Digest>? {
        if selection.images == nil || selection.labels.isEmpty { return nil }
        var fitting: Set<Digest> = []
        for image in try images() {
            let labels = image.configuration.config.labels
            if selection.labels.allSatisfy({ $0.fits(labels) }) { fitting.insert(image.id) }
        }
        return fitting
    }
}

/// A prune within its transaction.
private struct Pruning {
    private let selection: PruneSelection
    private let labelled: Set<Digest>?
    private let blobs: BlobStore
    private(set) var removal = Removal()
    private var records: [DiskUsage.Cache] = []
    private var stepInputs: [String: Data] = [:]
    /// The directories of `RUN --mount=type=cache` that nobody is using: they are removed after the transaction.
    var mounts: [DiskUsage.Cache] = []

    init(_ selection: PruneSelection, labelled: Set<Digest>?, blobs: BlobStore) {
        self.selection = selection
        self.labelled = labelled
        self.blobs = blobs
    }

    var result: PruneResult {
        PruneResult(
            events: removal.events, cache: records, stepInputs: stepInputs, layers: removal.layers,
            bytes: removal.bytes + records.reduce(0) { $0 + ($1.isMount ? $1.size : 0) })
    }

    mutating func run(in database: Database) throws {
        removal = Removal()
        records = []
        stepInputs = [:]
        for id in selection.absentContainers {
            try database.execute(sql: "DELETE FROM containers WHERE id = ?", arguments: [id])
        }
        var documents: Set<Digest> = []
        if let scope = selection.images {
            // Layers of pulls that were interrupted are no longer kept for them.
            if selection.until == nil, selection.labels.isEmpty {
                try database.execute(sql: "DELETE FROM unfinished_pulls")
            }
            for image in try unusedImages(scope, in: database) {
                _ = try ImageRemoval.delete(image, try image.names(in: database), &removal, in: database)
                documents.formUnion([image.id, image.manifestDigest])
            }
        }
        if let scope = selection.cache { try pruneCache(scope, in: database) }
        try removal.buryLayers(among: nil, in: database)
        try removal.take(documents, of: blobs, in: database)
    }

    private func unusedImages(_ scope: PruneSelection.Images, in database: Database) throws -> [ImageRow] {
        var condition = "images.number NOT IN (\(ImageRow.inUse))"
        if scope == .dangling { condition += " AND images.number NOT IN (SELECT image FROM tags)" }
        return try Row.fetchAll(
            database, sql: "SELECT \(ImageRow.columns) FROM images WHERE \(condition) ORDER BY images.number"
        ).map(ImageRow.init).filter { image in
            (selection.until.map { image.createdAt < $0 } ?? true) && (labelled?.contains(image.id) ?? true)
        }
    }

    // MARK: Build cache

    private mutating func pruneCache(_ scope: PruneSelection.Cache, in database: Database) throws {
        let all = (try DiskUsageQuery.cacheForPruning(in: database) + mounts).sorted {
            ($0.record.lastUsed, $0.record.key) < ($1.record.lastUsed, $1.record.key)
        }
        var candidates = all
        candidates = candidates.filter { record in
            if scope == .unshared, record.isShared { return false }
            if let until = selection.until, record.record.lastUsed >= until { return false }
            return selection.cacheKeys?.contains(record.record.key) ?? true
        }
        let kept = keptKeys(of: all)
        for record in candidates where !kept.contains(record.record.key) {
            stepInputs[record.record.key] = try StepInputsRows.data(of: record.record.key, in: database)
            try database.execute(sql: "DELETE FROM cache WHERE key = ?", arguments: [record.record.key])
            records.append(record)
        }
    }

    /// The records used last, as many as fit into the bytes that may be kept.
    private func keptKeys(of records: [DiskUsage.Cache]) -> Set<String> {
        if selection.keptCacheBytes <= 0 { return [] }
        var layers: Set<LayerID> = []
        var bytes: Int64 = 0
        var kept: Set<String> = []
        for record in records.reversed() {
            let isNew = record.record.layerID.map { layers.insert($0).inserted } ?? record.isMount
            if isNew, !record.isShared {
                bytes += record.size
                if bytes > selection.keptCacheBytes { break }
            }
            kept.insert(record.record.key)
        }
        return kept
    }
}

extension ImageRow {
    /// Row numbers of images that containers, mounts, or processes that build on them use.
    static let inUse = """
        SELECT number FROM images WHERE id IN (
            SELECT image_id FROM containers WHERE image_id IS NOT NULL
            UNION SELECT image_id FROM mounts WHERE image_id IS NOT NULL)
        UNION \(inUseByProcesses)
        """

    /// Row numbers of images whose uppermost layer a living process has leased.
    static let inUseByProcesses = """
        SELECT image FROM image_layers AS top WHERE top.layer IN (SELECT layer FROM leases)
        AND NOT EXISTS (
            SELECT 1 FROM image_layers AS higher WHERE higher.image = top.image AND higher.position > top.position)
        """
}
