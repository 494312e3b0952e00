import GRDB
import Linux
import OCI

extension ImageStore {
    /// Sums up what the store takes. Layers are not walked: their sizes are in the catalog. Containers are.
    public func diskUsage() throws(StoreError) -> DiskUsage {
        var usage = try catalog.read("cannot sum up the disk usage") { try DiskUsageQuery.run(in: $0) }
        for record in try containers() {
            let size = try containerSize(record.id)
            usage.containers.append(DiskUsage.Container(record: record, size: size))
            usage.containerTotal.count += 1
            usage.containerTotal.size += size
            if record.state == .running {
                usage.containerTotal.active += 1
            } else {
                usage.containerTotal.reclaimable += size
            }
        }
        return usage
    }

    /// Bytes a container has written: the allocated blocks below its upper directory, hard links once.
    public func containerSize(_ id: String) throws(StoreError) -> Int64 {
        try diskUsage(ofTree: containerPaths(id).upper)
    }

    /// Bytes of the allocated blocks of a directory and all below it, hard links once.
    func diskUsage(ofTree path: String) throws(StoreError) -> Int64 {
        try attempting("cannot add up the files of \(path)") { () throws(Errno) in
            var counter = UsageCounter()
            try counter.addTree(path, in: .currentDirectory)
            return counter.bytes
        }
    }
}

/// The sums that `system df` shows, by a handful of queries over one state of the catalog.
private enum DiskUsageQuery {
    /// Layers that containers or mounts stand on.
    private static let inUse = """
        (SELECT layer FROM container_layers UNION SELECT layer FROM mount_layers)
        """

    static func run(in database: Database) throws -> DiskUsage {
        var usage = DiskUsage()
        func sum(_ condition: String) throws -> Int64 {
            let sql = "SELECT sum(disk_usage) FROM layers WHERE NOT is_dead AND \(condition)"
            return try Int64.fetchOne(database, sql: sql) ?? 0
        }
        let ofImages = "number IN (SELECT layer FROM image_layers)"
        usage.layerBytes = try sum("TRUE")
        usage.reclaimableLayerBytes = try sum("number NOT IN \(inUse)")
        usage.images = try images(in: database)
        usage.imageTotal = DiskUsage.Total(
            count: usage.images.count, active: usage.images.count { $0.containers > 0 },
            size: try sum(ofImages), reclaimable: try sum("\(ofImages) AND number NOT IN \(inUse)"))
        usage.cache = try cache(in: database)
        let ofCacheOnly = "number IN (SELECT layer FROM cache) AND NOT (\(ofImages)) AND number NOT IN \(inUse)"
        usage.cacheTotal = DiskUsage.Total(
            count: usage.cache.count, active: usage.cache.count { $0.isShared }, size: try sum(ofCacheOnly),
            reclaimable: try sum(ofCacheOnly))
        return usage
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
                )
                SELECT images.number, images.id, created_at, coalesce(size, 0) AS size, coalesce(shared, 0) AS shared,
                (SELECT count(*) FROM containers WHERE image_id = images.id AND NOT is_build) AS containers
                FROM images LEFT JOIN sizes ON sizes.image = images.number
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

    private static func cache(in database: Database) throws -> [DiskUsage.Cache] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT cache.key, layers.id AS layer_id, configuration_delta, cache.created_at, last_used,
                coalesce(disk_usage, 0) AS size,
                (cache.layer IN (SELECT layer FROM image_layers) OR cache.layer IN \(inUse)) AS is_shared
                FROM cache JOIN layers ON layers.number = cache.layer ORDER BY last_used DESC, key
                """
        ).map {
            DiskUsage.Cache(record: try CacheRows.record($0), size: $0["size"], isShared: ($0["is_shared"] ?? 0) != 0)
        }
    }
}
