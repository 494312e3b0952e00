import GRDB
import Linux
public import OCI

extension ImageStore {
    /// The layer of that ID; `noSuchLayer` where there is none.
    public func layer(_ id: LayerID) throws(StoreError) -> LayerRecord {
        let record = try catalog.read("cannot look up the layer \(id)") { try LayerRows.find(id, in: $0) }
        guard let record else { throw StoreError(.noSuchLayer, "there is no layer \(id) in the store") }
        return record
    }

    /// The layer with that content; nil where the store has none.
    public func layer(diffID: Digest) throws(StoreError) -> LayerRecord? {
        try catalog.read("cannot look up the layer \(diffID)") { try LayerRows.find(diffID: diffID, in: $0) }
    }

    /// All layers, oldest first.
    public func layers() throws(StoreError) -> [LayerRecord] {
        try catalog.read("cannot list the layers") { database in
            try Row.fetchAll(
                database, sql: "SELECT \(LayerRows.columns) FROM layers WHERE NOT is_dead ORDER BY number"
            ).map(LayerRows.record)
        }
    }

    // MARK: Leases

    /// Keeps layers in the store for this handle until `releaseLeases()` or the end of the process, whichever comes
    /// first; `noSuchLayer` when one is gone already.
    public func lease(_ layers: [LayerID]) throws(StoreError) {
        if layers.isEmpty { return }
        try catalog.write("cannot lease layers") { database in
            for id in layers { try LayerRows.lease(id, to: .current, owner: leaseOwner, in: database) }
        }
    }

    /// Gives up all leases of this handle; layers that nothing else keeps are removed.
    public func releaseLeases() throws(StoreError) {
        let held = try catalog.read("cannot list leases") { database in
            try Int64.fetchAll(database, sql: "SELECT layer FROM leases WHERE owner = ?", arguments: [leaseOwner])
        }
        if held.isEmpty { return }
        try catalog.write("cannot release leases") { database in
            try database.execute(sql: "DELETE FROM leases WHERE owner = ?", arguments: [leaseOwner])
        }
        try removeUnusedLayers(among: held)
    }

    /// Drops leases of processes that are gone, and what only they kept.
    func dropLeasesOfTheDead() throws(StoreError) {
        let holders = try catalog.read("cannot list leases") { database in
            try Row.fetchAll(database, sql: "SELECT DISTINCT pid, start_time FROM leases").map {
                ProcessIdentity(pid: $0["pid"], startTime: UInt64(bitPattern: $0["start_time"] as Int64))
            }
        }
        let dead = holders.filter { !$0.isAlive }
        if dead.isEmpty { return }
        try catalog.write("cannot drop leases") { database in
            for process in dead {
                try database.execute(
                    sql: "DELETE FROM leases WHERE pid = ? AND start_time = ?",
                    arguments: [process.pid, Int64(bitPattern: process.startTime)])
            }
        }
        try collectGarbage()
    }

    // MARK: Collection

    /// Removes every layer that nothing keeps, and files that no record names. Returns the layers removed.
    @discardableResult
    public func collectGarbage() throws(StoreError) -> [LayerRecord] {
        let removed = try removeUnusedLayers(among: nil)
        try removeStrayDirectories("layers", table: "layers")
        try removeStrayDirectories("containers", table: "containers")
        return removed
    }

    /// Removes layers that nothing keeps, of those given by row number or of all.
    ///
    /// A layer is first marked in the catalog, so that nobody starts to use it, and its record goes when its files are
    /// gone: whatever happens in between, the next collection finishes it.
    @discardableResult
    func removeUnusedLayers(among candidates: [Int64]?) throws(StoreError) -> [LayerRecord] {
        let scope = candidates.map { "layers.number IN (\($0.map(String.init).joined(separator: ",")))" } ?? "TRUE"
        let unused = try catalog.read("cannot look for unused layers") { database in
            try Bool.fetchOne(
                database, sql: "SELECT EXISTS (SELECT 1 FROM layers WHERE \(scope) AND \(LayerRows.isUnused))")
        }
        if unused != true { return [] }
        let dead = try catalog.write("cannot remove unused layers", durable: true) { database in
            let dead = try Row.fetchAll(
                database,
                sql: "SELECT \(LayerRows.columns) FROM layers WHERE \(scope) AND (is_dead OR \(LayerRows.isUnused))"
            ).map(LayerRows.record)
            // Without its digest, so that the same content can come again at once.
            try database.execute(
                sql: "UPDATE layers SET is_dead = 1, diff_id = NULL WHERE \(scope) AND \(LayerRows.isUnused)")
            return dead
        }
        for layer in dead {
            try attempting("cannot remove the layer \(layer.id)") { () throws(Errno) in
                try FileDescriptor.currentDirectory.removeTree("\(root)/layers/\(layer.id.rawValue)")
            }
        }
        try catalog.write("cannot remove unused layers") { database in
            for layer in dead {
                try database.execute(
                    sql: "DELETE FROM layers WHERE id = ? AND is_dead", arguments: [layer.id.rawValue])
            }
        }
        return dead
    }

    /// Removes directories whose record a power cut undid. Records come first and the write lock is held, so every
    /// directory that is seen and wanted has its record.
    private func removeStrayDirectories(_ directory: String, table: String) throws(StoreError) {
        try catalog.write("cannot look for stray files") { database in
            let home = try FileDescriptor.open("\(root)/\(directory)", [.directory])
            let known = Set(try String.fetchAll(database, sql: "SELECT id FROM \(table)"))
            for name in try home.sortedEntryNames() {
                let text = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
                if !known.contains(text) { try home.removeTree(name) }
            }
        }
    }
}
