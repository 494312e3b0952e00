import GRDB
import Linux
public import OCI

// How files leave the store: the catalog forgets them first, durably, so that nobody starts to use them; they are moved
// to `tmp/` in one step; the rest of their record goes; and then the time is taken to remove them. Whatever happens in
// between, whoever opens the store next goes on.
extension ImageStore {
    /// Removes every layer that nothing keeps, and files that no record names. Returns the layers removed.
    @discardableResult
    public func collectGarbage() throws(StoreError) -> [LayerRecord] {
        let removed = try removeUnusedLayers(among: nil)
        try removeStrays()
        return removed
    }

    /// Removes layers that nothing keeps, of those given by row number or of all.
    @discardableResult
    func removeUnusedLayers(among candidates: [Int64]?) throws(StoreError) -> [LayerRecord] {
        let unused = try catalog.read("look for unused layers") { database in
            try LayerRows.hasUnused(among: candidates, in: database)
        }
        if !unused { return [] }
        let dead = try catalog.write("remove unused layers", durable: true, freesSpace: true) { database in
            try LayerRows.bury(among: candidates, in: database)
        }
        CrashPoint.reached("layers-buried")
        try removeFiles(of: dead.map(\.id))
        return dead
    }

    /// Removes the files of layers that are marked as dead, then their rows.
    func removeFiles(of layers: [LayerID]) throws(StoreError) {
        if layers.isEmpty { return }
        let trash: TemporaryDirectory?
        do throws(StoreError) {
            trash = try TemporaryDirectory(in: temporary)
        } catch {
            // On a full disk there is no room for another directory; then they go where they are.
            if error.code != .noSpace { throw error }
            trash = nil
        }
        for id in layers {
            try attempting("remove the layer \(id)") { () throws(Errno) in
                for path in ["\(root)/layers/\(id.rawValue)", "\(quarantine)/\(id.rawValue)"] {
                    if let trash {
                        try trash.takeIn(path)
                    } else {
                        try FileDescriptor.currentDirectory.removeTree(path)
                    }
                }
            }
        }
        CrashPoint.reached("layers-moved-out")
        try catalog.write("forget layers", freesSpace: true) { database in
            for id in layers {
                try database.execute(sql: "DELETE FROM layers WHERE id = ? AND is_dead", arguments: [id.rawValue])
            }
        }
        CrashPoint.reached("layers-forgotten")
    }

    /// Goes on where a process died that was removing layers.
    func finishRemovals() throws(StoreError) {
        let dead = try catalog.read("look for layers to be removed") { database in
            try String.fetchAll(database, sql: "SELECT id FROM layers WHERE is_dead")
        }
        try removeFiles(of: dead.map(LayerID.init(rawValue:)))
    }

    /// After the machine was started anew: nobody of before is alive, and layers that had not reached the disk may be
    /// incomplete.
    func noticeNewBoot() throws(StoreError) {
        let boot = try ImageStore.bootID()
        let query = "SELECT value FROM facts WHERE name = 'boot'"
        let known = try catalog.read("read the catalog") { try String.fetchOne($0, sql: query) }
        if known == boot { return }
        let isNewBoot = try catalog.write("note the machine's start", durable: true) { database in
            // Another process may have been quicker.
            let known = try String.fetchOne(database, sql: query)
            if known == boot { return false }
            try database.execute(
                sql: "INSERT OR REPLACE INTO facts (name, value) VALUES ('boot', ?)", arguments: [boot])
            if known == nil { return false }
            try ImageStore.forgetProcesses(in: database)
            let lost = "unsynced_boot IS NOT NULL AND unsynced_boot <> ?"
            for table in ["cache", "unfinished_pulls"] {
                try database.execute(
                    sql: "DELETE FROM \(table) WHERE layer IN (SELECT number FROM layers WHERE \(lost))",
                    arguments: [boot])
            }
            try database.execute(
                sql: "UPDATE layers SET diff_id = NULL, unsynced_boot = NULL WHERE \(lost)", arguments: [boot])
            return true
        }
        if isNewBoot { try collectGarbage() }
    }

    /// A process of today may have the number and the start time of one before the machine's start, and a mount its
    /// identity.
    private static func forgetProcesses(in database: Database) throws {
        try database.execute(
            sql: """
                DELETE FROM leases;
                UPDATE unfinished SET start_time = -1;
                UPDATE mounts SET server_start = -1, mount_id = 0, device = 0;
                UPDATE containers SET supervisor_start = -1 WHERE supervisor_start IS NOT NULL;
                """)
    }

    /// Removes what no record names, such as files whose record a power cut undid. Records or announcements come first
    /// and the write lock is held, so every file that is seen and wanted is named.
    private func removeStrays() throws(StoreError) {
        let trash = try TemporaryDirectory(in: temporary)
        try catalog.write("look for stray files") { database in
            for place in StrayPlace.allCases {
                for path in try place.strays(in: root, database) { try trash.takeIn("\(root)/\(path)") }
            }
        }
    }
}

/// A directory of which every entry has a record.
enum StrayPlace: String, CaseIterable {
    case layers
    case containers
    case blobs = "blobs/sha256"

    private var known: String {
        switch self {
        case .layers: "SELECT id FROM layers"
        case .containers: "SELECT id FROM containers"
        case .blobs: "SELECT substr(id, 8) FROM images UNION SELECT substr(manifest_digest, 8) FROM images"
        }
    }

    /// Paths, relative to the store, that no record and no announcement names.
    func strays(in root: String, _ database: Database) throws -> [String] {
        let home = try FileDescriptor.open("\(root)/\(rawValue)", [.directory])
        let known = Set(try String.fetchAll(database, sql: known))
        let announced = Set(try String.fetchAll(database, sql: "SELECT path FROM unfinished"))
        return try home.sortedEntryNames().compactMap { name in
            let text = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            let path = "\(rawValue)/\(text)"
            return known.contains(text) || announced.contains(path) ? nil : path
        }
    }
}
