import Engine
import ImageStore
import OCI
import Rendering

/// The tables of `system df`.
enum DiskUsageTables {
    // MARK: Summary

    /// A line of the summary.
    struct Line {
        let type: String
        let total: DiskUsage.Total
        /// Whether the share of what is reclaimable is shown; Docker leaves it out for the cache.
        private let showsShare: Bool

        var reclaimable: String {
            let text = HumanUnits.size(total.reclaimable, digits: 4)
            if !showsShare || total.size <= 0 { return text }
            let percent = Int(Double(total.reclaimable) / Double(total.size) * 100)
            return "\(text) (\(percent)%)"
        }

        init(type: String, _ total: DiskUsage.Total, showsShare: Bool = true) {
            self.type = type
            self.total = total
            self.showsShare = showsShare
        }
    }

    /// The lines of the summary.
    static func lines(_ usage: SystemUsage) -> [Line] {
        [
            Line(type: "Images", usage.stored.imageTotal),
            Line(type: "Containers", usage.stored.containerTotal),
            Line(type: "Local Volumes", usage.volumeTotal),
            Line(type: "Build Cache", usage.stored.cacheTotal, showsShare: false),
        ]
    }

    /// The summary with Docker's columns.
    static let summary = Listing<Line>(
        columns: [
            Column("Type", "TYPE") { $0.type },
            Column("TotalCount", "TOTAL") { String($0.total.count) },
            Column("Active", "ACTIVE") { String($0.total.active) },
            Column("Size", "SIZE") { HumanUnits.size($0.total.size, digits: 4) },
            Column("Reclaimable", "RECLAIMABLE") { $0.reclaimable },
        ], standard: ["Type", "TotalCount", "Active", "Size", "Reclaimable"])

    // MARK: Details

    /// Layers by what shares them; Strata's own table.
    static let layerListing = Listing<SystemUsage.Layer>(
        columns: [
            Column("ID", "LAYER ID") { ShortText.id($0.record.diffID?.description ?? $0.record.id.description) },
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
