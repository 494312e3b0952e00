import FoundationEssentials
import GRDB
public import OCI

// What keeps the cache in bounds: a record keeps its layer. Removing an image takes the records of layers that only it
// and the cache kept along; the layers of stages that never became an image stay until the cache is pruned.
extension ImageStore {
    /// What is remembered under a key; nil where that is nothing, or no more.
    ///
    /// The layer of the answer is leased to this handle, so that it stays while the build goes on.
    public func cacheRecord(key: String) throws(StoreError) -> CacheRecord? {
        let found = try catalog.read("look up the build cache") { database in
            try Row.fetchOne(database, sql: "\(CacheRows.selection) WHERE cache.key = ?", arguments: [key])
                .map(CacheRows.record)
        }
        guard let found, found.layerID != nil else { return found }
        return try catalog.write("use the build cache") { database in
            // Looked up again: it may have gone between the two.
            let row = try Row.fetchOne(database, sql: "\(CacheRows.selection) WHERE cache.key = ?", arguments: [key])
            guard let record = try row.map(CacheRows.record) else { return nil }
            if let layer = record.layerID {
                try LayerRows.lease(layer, to: .current, owner: leaseOwner, in: database)
            }
            return record
        }
    }

    /// Stores a record, in place of an earlier one.
    ///
    /// - Parameter inputs: what a step was made from.
    public func putCacheRecord(_ record: CacheRecord, inputs: StepInputs? = nil) throws(StoreError) {
        try catalog.write("write the build cache") { database in
            try database.execute(
                sql: """
                    INSERT OR REPLACE INTO cache (key, layer, kind, value, created_at, last_used)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    record.key, try record.layerID.map { try LayerRows.number($0, in: database) },
                    record.kind.rawValue, try record.value.stored(), record.createdAt.description,
                    record.lastUsed.description,
                ])
            if let inputs { try StepInputsRows.insert(inputs, key: record.key, in: database) }
        }
    }

    /// Notes that records were found useful, in one transaction.
    public func touchCacheRecords(_ keys: [String], at time: Timestamp = .now) throws(StoreError) {
        if keys.isEmpty { return }
        try catalog.write("write the build cache") { database in
            let statement = try database.makeStatement(sql: "UPDATE cache SET last_used = ? WHERE key = ?")
            let text = time.description
            for key in keys { try statement.execute(arguments: [text, key]) }
        }
    }

    /// All records, most recently used first.
    public func cacheRecords() throws(StoreError) -> [CacheRecord] {
        try catalog.read("list the build cache") { database in
            try Row.fetchAll(database, sql: "\(CacheRows.selection) ORDER BY last_used DESC, key").map(CacheRows.record)
        }
    }
}

enum CacheRows {
    static let selection = """
        SELECT cache.key, layers.id AS layer_id, kind, value, cache.created_at, last_used
        FROM cache LEFT JOIN layers ON layers.number = cache.layer
        """

    static func record(_ row: Row) throws -> CacheRecord {
        CacheRecord(
            key: row["key"], .init(kind: row["kind"], stored: row["value"]),
            layerID: (row["layer_id"] as String?).map(LayerID.init(rawValue:)),
            createdAt: try row.timestamp("created_at"),
            lastUsed: try row.timestamp("last_used"))
    }
}
