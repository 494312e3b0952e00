import FoundationEssentials
import GRDB
import Linux
import OCI

/// Rows of containers.
enum ContainerRows {
    private static let columns = """
        number, id, name, image_id, image_name, created_at, state, pid, supervisor_pid, supervisor_start, exit_code,
        started_at, finished_at, arguments, config, is_build
        """

    /// Inserts a record; with `choosesName` another made-up name is tried when one is taken.
    static func insert(_ record: ContainerRecord, choosesName: Bool, in database: Database) throws -> ContainerRecord {
        var record = record
        var attempt = 0
        while let other = try String.fetchOne(
            database, sql: "SELECT id FROM containers WHERE name = ?", arguments: [record.name])
        {
            if !choosesName {
                throw StoreError(
                    .nameInUse,
                    "Conflict. The container name \"/\(record.name)\" is already in use by container \"\(other)\"",
                    remedy: "remove or rename that container to reuse the name")
            }
            attempt += 1
            record.name = ContainerName.random() + (attempt > 4 ? RandomName.hex(digits: 4) : "")
        }
        try database.execute(
            sql: """
                INSERT INTO containers (id, name, image_id, image_name, created_at, state, arguments, config, is_build)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                record.id, record.name, record.imageID?.description, record.imageName, record.createdAt.description,
                record.state.rawValue, try arguments(record.arguments), record.configJSON, record.isBuild,
            ])
        try LayerRows.connect(
            record.layerIDs, to: database.lastInsertedRowID, table: "container_layers", column: "container",
            in: database)
        return record
    }

    static func update(_ record: ContainerRecord, in database: Database) throws {
        do {
            try database.execute(
                sql: """
                    UPDATE containers SET name = ?, image_id = ?, image_name = ?, state = ?, pid = ?, supervisor_pid = ?,
                    supervisor_start = ?, exit_code = ?, started_at = ?, finished_at = ?, arguments = ?, config = ?
                    WHERE id = ?
                    """,
                arguments: [
                    record.name, record.imageID?.description, record.imageName, record.state.rawValue, record.pid,
                    record.supervisor?.pid, record.supervisor.map { Int64(bitPattern: $0.startTime) }, record.exitCode,
                    record.startedAt?.description, record.finishedAt?.description, try arguments(record.arguments),
                    record.configJSON, record.id,
                ])
        } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE {
            throw StoreError(.nameInUse, "Conflict. The container name \"/\(record.name)\" is already in use")
        }
    }

    static func find(id: String, in database: Database) throws -> ContainerRecord? {
        try Row.fetchOne(database, sql: "SELECT \(columns) FROM containers WHERE id = ?", arguments: [id]).map {
            try record($0, in: database)
        }
    }

    /// By ID, then by name, then by the beginning of an ID.
    static func find(matching text: String, in database: Database) throws -> ContainerRecord? {
        if let exact = try find(id: text, in: database) { return exact }
        let name = text.hasPrefix("/") ? String(text.dropFirst()) : text
        let named = try Row.fetchOne(
            database, sql: "SELECT \(columns) FROM containers WHERE name = ?", arguments: [name])
        if let named { return try record(named, in: database) }
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }) else {
            return nil
        }
        let rows = try Row.fetchAll(
            database, sql: "SELECT \(columns) FROM containers WHERE id >= ? AND id < ? LIMIT 2",
            arguments: [text, text + "g"])
        if rows.count > 1 {
            throw StoreError(
                .ambiguous, "the container ID \(text) is ambiguous: several begin like that",
                remedy: "give more digits")
        }
        return try rows.first.map { try record($0, in: database) }
    }

    static func all(in database: Database) throws -> [ContainerRecord] {
        let rows = try Row.fetchAll(database, sql: "SELECT \(columns) FROM containers")
        return try rows.map { try record($0, in: database) }.sorted { $0.createdAt > $1.createdAt }
    }

    private static func record(_ row: Row, in database: Database) throws -> ContainerRecord {
        var supervisor: ProcessIdentity?
        if let pid: Int32 = row["supervisor_pid"], let start: Int64 = row["supervisor_start"] {
            supervisor = ProcessIdentity(pid: pid, startTime: UInt64(bitPattern: start))
        }
        let text: String = row["arguments"]
        return ContainerRecord(
            id: row["id"], name: row["name"], imageID: try row.digest("image_id"), imageName: row["image_name"],
            layerIDs: try LayerRows.stack(
                of: row["number"], table: "container_layers", column: "container", in: database),
            createdAt: try row.timestamp("created_at"), state: ContainerState(rawValue: row["state"]) ?? .dead,
            pid: row["pid"], supervisor: supervisor, exitCode: row["exit_code"],
            startedAt: try row.optionalTimestamp("started_at"), finishedAt: try row.optionalTimestamp("finished_at"),
            arguments: try JSON.decode([String].self, from: Data(text.utf8)), configJSON: row["config"],
            isBuild: row["is_build"])
    }

    private static func arguments(_ list: [String]) throws -> String {
        String(decoding: try JSON.encode(list), as: UTF8.self)
    }
}
