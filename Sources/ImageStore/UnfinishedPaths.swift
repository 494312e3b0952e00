import GRDB
import Linux

// Files outside `tmp/` that no record names yet, or no longer: what a process is about to publish or to remove. They are
// announced here before, with the process, and taken off when the record is there or the file is gone. When the process
// has died in between, whoever opens the store next removes the file, unless a record names it after all.
extension ImageStore {
    /// Announces paths, relative to the store, as published or removed by this process from now on.
    func announce(_ paths: [String]) throws(StoreError) {
        try catalog.write("announce \(paths.first ?? "nothing")") { try UnfinishedRows.add(paths, in: $0) }
    }

    /// Takes paths off once they are settled.
    func settle(_ paths: [String]) throws(StoreError) {
        if paths.isEmpty { return }
        try catalog.write("note \(paths.first ?? "nothing") as done", freesSpace: true) {
            try UnfinishedRows.remove(paths, in: $0)
        }
    }

    /// Removes what dead processes had announced and no record names.
    func dropUnfinishedPathsOfTheDead() throws(StoreError) {
        let found = try catalog.read("list what is unfinished") { try UnfinishedRows.ofTheDead(in: $0) }
        if found.isEmpty { return }
        let trash = try TemporaryDirectory(in: temporary)
        try catalog.write("remove what is unfinished") { database in
            for path in try UnfinishedRows.ofTheDead(in: database) {
                if try !UnfinishedRows.isNamed(path, in: database) {
                    try trash.takeIn("\(root)/\(path)")
                }
                try UnfinishedRows.remove([path], in: database)
            }
        }
    }
}

/// Rows of announced paths.
enum UnfinishedRows {
    static func add(_ paths: [String], in database: Database) throws {
        let process = ProcessIdentity.current
        for path in paths {
            try database.execute(
                sql: "INSERT OR REPLACE INTO unfinished (path, pid, start_time) VALUES (?, ?, ?)",
                arguments: [path, process.pid, Int64(bitPattern: process.startTime)])
        }
    }

    static func remove(_ paths: [String], in database: Database) throws {
        for path in paths { try database.execute(sql: "DELETE FROM unfinished WHERE path = ?", arguments: [path]) }
    }

    static func ofTheDead(in database: Database) throws -> [String] {
        let rows = try Row.fetchAll(database, sql: "SELECT path, pid, start_time FROM unfinished")
        return rows.filter { row in
            let start: Int64 = row["start_time"]
            return !ProcessIdentity(pid: row["pid"], startTime: UInt64(bitPattern: start)).isAlive
        }.map { $0["path"] }
    }

    /// Whether a record names the path.
    static func isNamed(_ path: String, in database: Database) throws -> Bool {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        if path.hasPrefix("containers/") {
            return try Bool.fetchOne(
                database, sql: "SELECT EXISTS (SELECT 1 FROM containers WHERE id = ?)", arguments: [name]) ?? false
        }
        return try BlobRows.isUsed("sha256:" + name, in: database)
    }
}

/// What the catalog knows of blobs.
enum BlobRows {
    /// Whether an image is written in that blob.
    static func isUsed(_ digest: String, in database: Database) throws -> Bool {
        try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM images WHERE id = :d OR manifest_digest = :d)",
            arguments: ["d": digest]) ?? false
    }
}
