import GRDB
import OCI

/// The sums that `system df` shows, by a handful of queries over one state of the catalog.
enum DiskUsageQuery {
    /// Layers that containers, mounts or living processes stand on, whatever is pruned of images and cache.
    private static let inUse = """
        SELECT layer FROM container_layers UNION SELECT layer FROM mount_layers UNION SELECT layer FROM leases
        """
    /// Containers that a prune of containers leaves alone.
    private static let activeContainers = """
        SELECT number FROM containers WHERE is_build OR state = 'running' OR supervisor_pid IS NOT NULL
        OR id IN (SELECT container_id FROM mounts WHERE container_id IS NOT NULL)
        """
    /// Layers that stay even when the containers that have ended go.
    private static let inActiveUse = """
        SELECT layer FROM container_layers WHERE container IN (\(activeContainers))
        UNION SELECT layer FROM mount_layers UNION SELECT layer FROM leases
        """

    static func run(in database: Database) throws -> DiskUsage {
        let layers = try LayerUsage(
            in: database, inUse: inUse, inActiveUse: inActiveUse, imagesInUse: ImageRow.inUse, keptImages: keptImages)
        var usage = DiskUsage()
        usage.layerBytes = layers.sum { _ in true }
        usage.images = try images(of: layers, in: database)
        usage.documentBytes = try documents("TRUE", in: database)
        usage.imageTotal = DiskUsage.Total(
            count: usage.images.count, active: usage.images.count { $0.containers > 0 },
            size: usage.documentBytes + layers.sum { $0.contains(.image) },
            reclaimable: layers.sum { $0.contains(.image) && $0.isDisjoint(with: [.inUse, .imageInUse]) }
                + (try documents("number NOT IN (\(ImageRow.inUse))", in: database)))
        usage.cache = try cache(in: database)
        let ofCacheOnly = layers.sum { $0.contains(.cache) && $0.isDisjoint(with: [.image, .inUse]) }
        usage.cacheTotal = DiskUsage.Total(
            count: usage.cache.count, active: usage.cache.count { $0.isShared }, size: ofCacheOnly,
            reclaimable: ofCacheOnly)
        usage.containerTotal.size = layers.sum { $0.contains(.container) && !$0.contains(.image) }
        usage.containerTotal.reclaimable = layers.sum {
            $0.contains(.container) && $0.isDisjoint(with: [.image, .cache, .inActiveUse])
        }
        usage.reclaimableLayerBytes = layers.sum { $0.isDisjoint(with: [.inActiveUse, .keptImage]) }
        usage.reclaimableDocumentBytes = try documents("number NOT IN (\(keptImages))", in: database)
        usage.activeContainers = Set(
            try String.fetchAll(database, sql: "SELECT id FROM containers WHERE number IN (\(activeContainers))"))
        return usage
    }

    /// Images that stay when the containers that have ended are pruned, and then the images.
    private static let keptImages = """
        SELECT number FROM images WHERE id IN (
            SELECT image_id FROM containers WHERE image_id IS NOT NULL AND number IN (\(activeContainers))
            UNION SELECT image_id FROM mounts WHERE image_id IS NOT NULL)
        UNION \(ImageRow.inUseByProcesses)
        """

    /// Bytes of the documents of images that fulfil a condition.
    private static func documents(_ condition: String, in database: Database) throws -> Int64 {
        try Int64.fetchOne(database, sql: "SELECT sum(document_usage) FROM images WHERE \(condition)") ?? 0
    }

    private static func images(of layers: LayerUsage, in database: Database) throws -> [DiskUsage.Image] {
        var references: [Int64: [Reference]] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT image, name, tag FROM tags ORDER BY name, tag") {
            references[row["image"], default: []].append(try ImageRow.reference(row))
        }
        let rows = try Row.fetchCursor(
            database,
            sql: """
                WITH users AS (SELECT image_id, count(*) AS number FROM containers WHERE NOT is_build GROUP BY image_id)
                SELECT images.number, images.id, created_at, document_usage, coalesce(users.number, 0) AS containers
                FROM images LEFT JOIN users ON users.image_id = images.id
                """)
        var images: [(number: Int64, image: DiskUsage.Image)] = []
        while let row = try rows.next() {
            let number: Int64 = row["number"]
            let documents: Int64 = row["document_usage"]
            let (shared, unique) = layers.ofImage[number] ?? (0, 0)
            let image = DiskUsage.Image(
                id: try row.requiredDigest("id"), references: references[number] ?? [],
                createdAt: try row.timestamp("created_at"), size: shared + unique + documents, shared: shared,
                unique: unique + documents, containers: row["containers"])
            images.append((number, image))
        }
        return images.sorted { ($0.image.createdAt, $0.number) > ($1.image.createdAt, $1.number) }.map(\.image)
    }

    // MARK: Build cache

    private static let cacheColumns = """
        SELECT cache.key, layers.id AS layer_id, kind, value, cache.created_at, last_used,
        coalesce(disk_usage, 0) AS size,
        EXISTS (SELECT 1 FROM image_layers WHERE image_layers.layer = cache.layer)
        OR coalesce(cache.layer IN (\(inUse)), FALSE) AS is_shared
        FROM cache
        """

    private static func cache(in database: Database) throws -> [DiskUsage.Cache] {
        let sql = "\(cacheColumns) JOIN layers ON layers.number = cache.layer ORDER BY last_used DESC, key"
        return try Row.fetchAll(database, sql: sql).map(cacheUsage)
    }

    /// Every record but those of layers that a living process has leased, least recently used first.
    static func cacheForPruning(in database: Database) throws -> [DiskUsage.Cache] {
        let sql = """
            \(cacheColumns) LEFT JOIN layers ON layers.number = cache.layer
            WHERE cache.layer IS NULL OR cache.layer NOT IN (SELECT layer FROM leases) ORDER BY last_used, key
            """
        return try Row.fetchAll(database, sql: sql).map(cacheUsage)
    }

    private static func cacheUsage(_ row: Row) throws -> DiskUsage.Cache {
        DiskUsage.Cache(record: try CacheRows.record(row), size: row["size"], isShared: row["is_shared"])
    }
}
