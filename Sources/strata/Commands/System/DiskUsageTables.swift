import Engine
import ImageStore
import OCI
import Rendering
import Runtime

/// The tables of `system df`.
struct DiskUsageTables {
    let store: ImageStore
    let usage: DiskUsage
    let volumes: [VolumeUsage]

    // MARK: Summary

    /// A line of the summary.
    struct Line {
        var type: String
        var count: Int
        var active: Int
        var size: Int64
        var reclaimableSize: Int64
        /// Whether the share of what is reclaimable is shown; Docker leaves it out for the cache.
        var showsShare = true

        var reclaimable: String {
            let text = HumanUnits.size(reclaimableSize, digits: 4)
            if !showsShare || size <= 0 { return text }
            let percent = Int(Double(reclaimableSize) / Double(size) * 100)
            return "\(text) (\(percent)%)"
        }

        init(type: String, count: Int, active: Int, size: Int64, reclaimable: Int64) {
            self.type = type
            self.count = count
            self.active = active
            self.size = size
            reclaimableSize = reclaimable
        }

        init(type: String, _ total: DiskUsage.Total, showsShare: Bool = true) {
            self.init(
                type: type, count: total.count, active: total.active, size: total.size, reclaimable: total.reclaimable)
            self.showsShare = showsShare
        }
    }

    /// The lines of the summary.
    var lines: [Line] {
        [
            Line(type: "Images", usage.imageTotal),
            Line(type: "Containers", usage.containerTotal),
            volumeLine,
            Line(type: "Build Cache", usage.cacheTotal, showsShare: false),
        ]
    }

    private var volumeLine: Line {
        let linked = volumes.filter { $0.links > 0 }
        let used: Int64 = linked.reduce(0) { $0 + $1.size }
        let all: Int64 = volumes.reduce(0) { $0 + $1.size }
        return Line(
            type: "Local Volumes", count: volumes.count, active: linked.count, size: all, reclaimable: all - used)
    }

    /// Bytes of the whole store, as `du` counts them.
    var totalBytes: Int64 { usage.storeBytes + volumes.reduce(0) { $0 + $1.size } }

    /// Bytes that `system prune --all --volumes` frees.
    var prunableBytes: Int64 {
        let linked = linkedVolumes
        let idle = volumes.filter { $0.isAnonymous && !linked.contains($0.name) }
        return usage.reclaimableBytes + idle.reduce(0) { $0 + $1.size }
    }

    /// Names of the volumes that the running containers have.
    private var linkedVolumes: Set<String> {
        var linked: Set<String> = []
        for container in usage.containers where usage.activeContainers.contains(container.record.id) {
            let settings = container.record.settings
            linked.formUnion(settings?.volumes.compactMap(\.source.volumeName) ?? [])
        }
        return linked
    }

    /// The summary with Docker's columns.
    static let summary = Listing<Line>(
        columns: [
            Column("Type", "TYPE") { $0.type },
            Column("TotalCount", "TOTAL") { String($0.count) },
            Column("Active", "ACTIVE") { String($0.active) },
            Column("Size", "SIZE") { HumanUnits.size($0.size, digits: 4) },
            Column("Reclaimable", "RECLAIMABLE") { $0.reclaimable },
        ], standard: ["Type", "TotalCount", "Active", "Size", "Reclaimable"])

    // MARK: Details

    /// A layer and who has it.
    struct Layer {
        var record: LayerRecord
        var images: Int
        var containers: Int
        var full: Bool

        var id: String {
            let text = record.diffID?.description ?? record.id.description
            return full ? text : ShortText.id(text)
        }
    }

    /// Layers, the largest first.
    func layers(images: [ImageRecord]) throws -> [Layer] {
        let users = Self.counts(images.map(\.layerIDs))
        let containers = Self.counts(usage.containers.map(\.record.layerIDs))
        return try store.layers().map {
            Layer(record: $0, images: users[$0.id] ?? 0, containers: containers[$0.id] ?? 0, full: false)
        }.sorted { ($0.record.diskUsage, $1.id) > ($1.record.diskUsage, $0.id) }
    }

    /// In how many of the lists each layer is.
    private static func counts(_ lists: [[LayerID]]) -> [LayerID: Int] {
        var result: [LayerID: Int] = [:]
        for list in lists { for id in Set(list) { result[id, default: 0] += 1 } }
        return result
    }

    /// Layers by what shares them; Strata's own table.
    static let layerListing = Listing<Layer>(
        columns: [
            Column("ID", "LAYER ID") { $0.id },
            Column("Size", "SIZE") { HumanUnits.size($0.record.diskUsage) },
            Column("Bytes", "BYTES") { String($0.record.diskUsage) },
            Column("Images", "IMAGES") { String($0.images) },
            Column("Containers", "CONTAINERS") { String($0.containers) },
            Column("CreatedSince", "CREATED") { HumanUnits.ago($0.record.createdAt) },
        ], standard: ["ID", "Size", "Images", "Containers", "CreatedSince"])

    /// The build cache with Docker's columns.
    static let cacheListing = Listing<DiskUsage.Cache>(
        columns: [
            Column("ID", "CACHE ID") { ShortText.id($0.record.key) },
            Column("CacheType", "CACHE TYPE") { $0.record.kind.dockerType },
            Column("Size", "SIZE") { HumanUnits.size($0.size) },
            Column("CreatedSince", "CREATED") { HumanUnits.ago($0.record.createdAt) },
            Column("LastUsedSince", "LAST USED") { HumanUnits.ago($0.record.lastUsed) },
            Column("Shared", "SHARED") { $0.isShared ? "true" : "false" },
        ], standard: ["ID", "CacheType", "Size", "CreatedSince", "LastUsedSince", "Shared"])

    /// The volumes with Docker's columns.
    static let volumeListing = Listing<VolumeUsage>(
        columns: [
            Column("Name", "VOLUME NAME") { $0.name },
            Column("Links", "LINKS") { String($0.links) },
            Column("Size", "SIZE") { HumanUnits.size($0.size) },
        ], standard: ["Name", "Links", "Size"])
}

extension CacheRecord.Kind {
    /// What Docker calls it.
    fileprivate var dockerType: String {
        switch self {
        case .step, .layer: "regular"
        case .mount: "exec.cachemount"
        case .files: "source.local"
        case .selection, .other: "internal"
        }
    }
}
