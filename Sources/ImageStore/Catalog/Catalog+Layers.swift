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
            database, sql: "SELECT \(columns) FROM layers WHERE diff_id = ? AND NOT is_dead AND NOT is_broken",
            arguments: [diffID.description]
        ).map(record)
    }

    /// The row number of a layer that is there to be used.
    static func number(_ id: LayerID, in database: Database) throws -> Int64 {
        let row = try Row.fetchOne(
            database, sql: "SELECT number, is_broken FROM layers WHERE id = ? AND NOT is_dead", arguments: [id.rawValue]
        )
        guard let row else { throw StoreError(.noSuchLayer, "there is no layer \(id) in the store") }
        if row["is_broken"] { throw broken(id) }
        return row["number"]
    }

    /// What is said of a layer that `system check --repair` has put aside.
    static func broken(_ id: LayerID) -> StoreError {
        StoreError(
            .corrupt, "the layer \(id) was damaged and has been put into quarantine",
            remedy: "pull, load, import or build the image again, or remove it")
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

    /// Whether some layer of those given by row number, or of all, is kept by nothing.
    static func hasUnused(among candidates: [Int64]?, in database: Database) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM layers WHERE \(scope(candidates)) AND \(isUnused))") ?? false
    }

    /// Marks the layers that nothing keeps as dead, so that nobody starts to use them, and returns them.
    static func bury(among candidates: [Int64]?, in database: Database) throws -> [LayerRecord] {
        let unused = "\(scope(candidates)) AND NOT is_dead AND \(isUnused)"
        let dead = try Row.fetchAll(
            database, sql: "SELECT \(columns) FROM layers WHERE \(unused) ORDER BY number"
        ).map(record)
        // Without its digest, so that the same content can come again at once.
        try database.execute(sql: "UPDATE layers SET is_dead = 1, diff_id = NULL WHERE \(unused)")
        return dead
    }

    private static func scope(_ candidates: [Int64]?) -> String {
        candidates.map { "layers.number IN (\($0.map(String.init).joined(separator: ",")))" } ?? "TRUE"
    }

    /// Marks a layer whose files are damaged; steps of builds that led to it are forgotten.
    static func setBroken(_ id: LayerID, in database: Database) throws {
        try database.execute(
            sql: "DELETE FROM cache WHERE layer = (SELECT number FROM layers WHERE id = ?)", arguments: [id.rawValue])
        try database.execute(
            sql: "UPDATE layers SET is_broken = 1, disk_usage = 0, unsynced_boot = NULL WHERE id = ?",
            arguments: [id.rawValue])
    }

    /// Has everything that stood on a broken layer of that content stand on `id`. Returns the row number of the broken
    /// one, which nothing keeps any more; nil where there was none.
    static func replaceBroken(_ diffID: Digest, by id: LayerID, in database: Database) throws -> Int64? {
        let broken = try Int64.fetchOne(
            database, sql: "SELECT number FROM layers WHERE diff_id = ? AND is_broken",
            arguments: [diffID.description])
        guard let broken else { return nil }
        let healthy = try number(id, in: database)
        for table in ["image_layers", "container_layers", "mount_layers"] {
            try database.execute(
                sql: "UPDATE \(table) SET layer = ? WHERE layer = ?", arguments: [healthy, broken])
        }
        for table in ["layer_blobs", "blob_origins", "unfinished_pulls"] {
            try database.execute(
                sql: "UPDATE OR IGNORE \(table) SET layer = ? WHERE layer = ?", arguments: [healthy, broken])
        }
        try database.execute(
            sql: """
                INSERT OR IGNORE INTO leases (layer, pid, start_time, owner)
                SELECT :new, pid, start_time, owner FROM leases WHERE layer = :old;
                DELETE FROM leases WHERE layer = :old;
                UPDATE layers SET diff_id = NULL WHERE number = :old;
                """, arguments: ["new": healthy, "old": broken])
        return broken
    }

    /// The condition that nothing keeps a layer.
    static let isUnused = """
        NOT EXISTS (SELECT 1 FROM image_layers WHERE image_layers.layer = layers.number)
        AND NOT EXISTS (SELECT 1 FROM container_layers WHERE container_layers.layer = layers.number)
        AND NOT EXISTS (SELECT 1 FROM mount_layers WHERE mount_layers.layer = layers.number)
        AND NOT EXISTS (SELECT 1 FROM cache WHERE cache.layer = layers.number)
        AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.layer = layers.number)
        AND NOT EXISTS (SELECT 1 FROM unfinished_pulls WHERE unfinished_pulls.layer = layers.number)
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
