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
    private static let ofImages = "number IN (SELECT layer FROM image_layers)"

    static func run(in database: Database) throws -> DiskUsage {
        var usage = DiskUsage()
        func sum(_ condition: String) throws -> Int64 {
            let sql = "SELECT sum(disk_usage) FROM layers WHERE NOT is_dead AND \(condition)"
            return try Int64.fetchOne(database, sql: sql) ?? 0
        }
        usage.layerBytes = try sum("TRUE")
        usage.images = try images(in: database)
        let documents = try Int64.fetchOne(database, sql: "SELECT sum(document_usage) FROM images") ?? 0
        usage.documentBytes = documents
        let idle =
            "number NOT IN (\(inUse)) AND number NOT IN (SELECT layer FROM image_layers WHERE image IN (\(ImageRow.inUse)))"
        usage.imageTotal = DiskUsage.Total(
            count: usage.images.count, active: usage.images.count { $0.containers > 0 },
            size: documents + (try sum(ofImages)),
            reclaimable: try sum("\(ofImages) AND \(idle)")
                + (try documentsOfUnusedImages("number NOT IN (\(ImageRow.inUse))", in: database)))
        usage.cache = try cache(in: database)
        let ofCacheOnly = "number IN (SELECT layer FROM cache) AND NOT (\(ofImages)) AND number NOT IN (\(inUse))"
        usage.cacheTotal = DiskUsage.Total(
            count: usage.cache.count, active: usage.cache.count { $0.isShared }, size: try sum(ofCacheOnly),
            reclaimable: try sum(ofCacheOnly))
        let ofContainersOnly = "number IN (SELECT layer FROM container_layers) AND NOT (\(ofImages))"
        usage.containerTotal.size = try sum(ofContainersOnly)
        usage.containerTotal.reclaimable = try sum(
            "\(ofContainersOnly) AND number NOT IN (SELECT layer FROM cache WHERE layer IS NOT NULL) AND number NOT IN (\(inActiveUse))"
        )
        usage.reclaimableLayerBytes = try sum("number NOT IN (\(inActiveUse)) AND number NOT IN (\(ofKeptImages))")
        usage.reclaimableDocumentBytes = try documentsOfUnusedImages("number NOT IN (\(keptImages))", in: database)
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
    private static let ofKeptImages = "SELECT layer FROM image_layers WHERE image IN (\(keptImages))"

    private static func documentsOfUnusedImages(_ condition: String, in database: Database) throws -> Int64 {
        try Int64.fetchOne(database, sql: "SELECT sum(document_usage) FROM images WHERE \(condition)") ?? 0
    }

    private static func images(in database: Database) throws -> [DiskUsage.Image] {
        var references: [Int64: [Reference]] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT image, name, tag FROM tags ORDER BY name, tag") {
            references[row["image"], default: []].append(try ImageRow.reference(row))
        }
        // An image may hold the same layer twice, and an image may have no layers at all.
        let rows = try Row.fetchCursor(
            database,
            sql: """
                WITH held AS (SELECT DISTINCT image, layer FROM image_layers),
                holders AS (SELECT layer, count(*) AS number FROM held GROUP BY layer),
                sizes AS (
                    SELECT held.image, sum(disk_usage) AS size, sum(iif(holders.number > 1, disk_usage, 0)) AS shared
                    FROM held JOIN layers ON layers.number = held.layer JOIN holders ON holders.layer = held.layer
                    GROUP BY held.image
                ),
                users AS (SELECT image_id, count(*) AS number FROM containers WHERE NOT is_build GROUP BY image_id)
                SELECT images.number, images.id, created_at, document_usage + coalesce(size, 0) AS size,
                coalesce(shared, 0) AS shared, coalesce(users.number, 0) AS containers
                FROM images LEFT JOIN sizes ON sizes.image = images.number LEFT JOIN users ON users.image_id = images.id
                """)
        var images: [(number: Int64, image: DiskUsage.Image)] = []
        while let row = try rows.next() {
            let (size, shared): (Int64, Int64) = (row["size"], row["shared"])
            images.append(
                (
                    row["number"],
                    DiskUsage.Image(
                        id: try row.requiredDigest("id"), references: references[row["number"]] ?? [],
                        createdAt: try row.timestamp("created_at"), size: size, shared: shared, unique: size - shared,
                        containers: row["containers"])
                ))
        }
        return images.sorted { ($0.image.createdAt, $0.number) > ($1.image.createdAt, $1.number) }.map(\.image)
    }

    // MARK: Build cache

    private static let cacheColumns = """
        SELECT cache.key, layers.id AS layer_id, configuration_delta, cache.created_at, last_used,
        coalesce(disk_usage, 0) AS size,
        coalesce(cache.layer IN (SELECT layer FROM image_layers) OR cache.layer IN (\(inUse)), FALSE) AS is_shared
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
