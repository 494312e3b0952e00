import GRDB
import OCI

/// Rows of layers, and what keeps them.
enum LayerRows {
    static let columns = "layers.id, layers.diff_id, layers.archive_size, layers.disk_usage, layers.created_at"

    static func record(_ row: Row) throws -> LayerRecord {
        LayerRecord(
            id: LayerID(rawValue: row["id"]), diffID: try row.digest("diff_id"), archiveSize: row["archive_size"],
            diskUsage: row["disk_usage"], createdAt: try row.timestamp("created_at"))
    }

    static func find(_ id: LayerID, in database: Database) throws -> LayerRecord? {
        try Row.fetchOne(
            database, sql: "SELECT \(columns) FROM layers WHERE id = ? AND NOT is_dead", arguments: [id.rawValue]
        ).map(record)
    }

    static func find(diffID: Digest, in database: Database) throws -> LayerRecord? {
        try Row.fetchOne(
            database, sql: "SELECT \(columns) FROM layers WHERE diff_id = ? AND NOT is_dead",
            arguments: [diffID.description]
        ).map(record)
    }

    /// The row number of a layer that is there to be used.
    static func number(_ id: LayerID, in database: Database) throws -> Int64 {
        let number = try Int64.fetchOne(
            database, sql: "SELECT number FROM layers WHERE id = ? AND NOT is_dead", arguments: [id.rawValue])
        guard let number else { throw StoreError(.noSuchLayer, "there is no layer \(id) in the store") }
        return number
    }

    static func insert(_ id: LayerID, in database: Database) throws {
        try database.execute(
            sql: "INSERT INTO layers (id, created_at) VALUES (?, ?)",
            arguments: [id.rawValue, Timestamp.now.description])
    }

    /// Records that a layer is held by `process` through the store handle `owner`.
    static func lease(_ id: LayerID, to process: ProcessIdentity, owner: String, in database: Database) throws {
        try database.execute(
            sql: "INSERT OR IGNORE INTO leases (layer, pid, start_time, owner) VALUES (?, ?, ?, ?)",
            arguments: [
                try number(id, in: database), process.pid, Int64(bitPattern: process.startTime), owner,
            ])
    }

    /// Writes the stack of an object, bottom first; `table` connects it to `layers`.
    static func connect(
        _ layers: [LayerID], to object: Int64, table: String, column: String, in database: Database
    ) throws {
        let statement = try database.makeStatement(
            sql: "INSERT INTO \(table) (\(column), position, layer) VALUES (?, ?, ?)")
        for (position, id) in layers.enumerated() {
            try statement.execute(arguments: [object, position, try number(id, in: database)])
        }
    }

    /// The stack of an object, bottom first.
    static func stack(of object: Int64, table: String, column: String, in database: Database) throws -> [LayerID] {
        try String.fetchAll(
            database,
            sql: """
                SELECT layers.id FROM \(table) JOIN layers ON layers.number = layer
                WHERE \(column) = ? ORDER BY position
                """, arguments: [object]
        ).map(LayerID.init(rawValue:))
    }

    /// The condition that nothing keeps a layer.
    static let isUnused = """
        NOT EXISTS (SELECT 1 FROM image_layers WHERE image_layers.layer = layers.number)
        AND NOT EXISTS (SELECT 1 FROM container_layers WHERE container_layers.layer = layers.number)
        AND NOT EXISTS (SELECT 1 FROM mount_layers WHERE mount_layers.layer = layers.number)
        AND NOT EXISTS (SELECT 1 FROM cache WHERE cache.layer = layers.number)
        AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.layer = layers.number)
        """
}

extension Row {
    /// A digest column; nil for NULL.
    func digest(_ column: String) throws -> Digest? {
        guard let text: String = self[column] else { return nil }
        return try Digest(parsing: text)
    }

    func requiredDigest(_ column: String) throws -> Digest {
        guard let digest = try digest(column) else { throw StoreError(.corrupt, "the catalog lacks a \(column)") }
        return digest
    }

    func timestamp(_ column: String) throws -> Timestamp {
        try Timestamp(parsing: self[column])
    }

    func optionalTimestamp(_ column: String) throws -> Timestamp? {
        guard let text: String = self[column] else { return nil }
        return try Timestamp(parsing: text)
    }
}
