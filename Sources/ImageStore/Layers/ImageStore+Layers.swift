import GRDB
import Linux
public import OCI

extension ImageStore {
    /// The layer of that ID; `noSuchLayer` where there is none.
    public func layer(_ id: LayerID) throws(StoreError) -> LayerRecord {
        let record = try catalog.read("look up the layer \(id)") { try LayerRows.find(id, in: $0) }
        guard let record else { throw StoreError(.noSuchLayer, "there is no layer \(id) in the store") }
        return record
    }

    /// The layer with that content; nil where the store has none.
    public func layer(diffID: Digest) throws(StoreError) -> LayerRecord? {
        try catalog.read("look up the layer \(diffID)") { try LayerRows.find(diffID: diffID, in: $0) }
    }

    /// All layers, oldest first.
    public func layers() throws(StoreError) -> [LayerRecord] {
        try catalog.read("list the layers") { database in
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
        try catalog.write("lease layers") { database in
            for id in layers { try LayerRows.lease(id, to: .current, owner: leaseOwner, in: database) }
        }
    }

    /// The image that a user means, with its layers leased in the same moment: from then on no prune takes them, nor it.
    ///
    /// - Throws: `noSuchImage` where there is none, `ambiguous` where the beginning of an ID fits several.
    public func leaseImage(matching text: String) throws(StoreError) -> ImageRecord {
        // Most that is asked for and missing costs no writing.
        let found = try image(matching: text)
        try catalog.write("lease the image \(text)") { database in
            guard let row = try ImageRow.find(id: found.id, in: database) else {
                throw StoreError(.noSuchImage, "No such image: \(text)")
            }
            let layers = try LayerRows.stack(of: row.number, table: "image_layers", column: "image", in: database)
            for layer in Set(layers) { try LayerRows.lease(layer, to: .current, owner: leaseOwner, in: database) }
        }
        return found
    }

    /// The image of that ID, leased likewise.
    public func leaseImage(id: Digest) throws(StoreError) -> ImageRecord { try leaseImage(matching: id.description) }

    /// The layer with that content, leased to this handle; nil where the store has none, or has lost its files, so that
    /// it has to come again. Whatever stands on one that was lost then stands on the new one.
    public func leaseUsable(diffID: Digest) throws(StoreError) -> LayerRecord? {
        if try layer(diffID: diffID) == nil { return nil }
        return try catalog.write("lease the layer \(diffID)") { database in
            guard let found = try LayerRows.find(diffID: diffID, in: database) else { return nil }
            if try FileDescriptor.currentDirectory.statusIfPresent(of: layerPath(found.id)) == nil {
                try LayerRows.setBroken(found.id, in: database)
                return nil
            }
            try LayerRows.lease(found.id, to: .current, owner: leaseOwner, in: database)
            return found
        }
    }

    /// Gives up all leases of this handle; layers that nothing else keeps are removed.
    public func releaseLeases() throws(StoreError) {
        let held = try catalog.read("list leases") { database in
            try Int64.fetchAll(database, sql: "SELECT layer FROM leases WHERE owner = ?", arguments: [leaseOwner])
        }
        if held.isEmpty { return }
        try catalog.write("release leases", freesSpace: true) { database in
            try database.execute(sql: "DELETE FROM leases WHERE owner = ?", arguments: [leaseOwner])
        }
        try removeUnusedLayers(among: held)
    }

    /// Drops leases of processes that are gone, and what only they kept.
    func dropLeasesOfTheDead() throws(StoreError) {
        let holders = try catalog.read("list leases") { database in
            try Row.fetchAll(database, sql: "SELECT DISTINCT pid, start_time FROM leases").map {
                ProcessIdentity(pid: $0["pid"], startTime: UInt64(bitPattern: $0["start_time"] as Int64))
            }
        }
        let dead = holders.filter { !$0.isAlive }
        if dead.isEmpty { return }
        try catalog.write("drop leases", freesSpace: true) { database in
            for process in dead {
                try database.execute(
                    sql: "DELETE FROM leases WHERE pid = ? AND start_time = ?",
                    arguments: [process.pid, Int64(bitPattern: process.startTime)])
            }
        }
        try collectGarbage()
    }
}
