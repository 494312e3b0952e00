import GRDB
import Linux
import OCI

// How a tree becomes a layer: a record without a digest and a lease first, then the files take their place, then the
// digest makes it a layer that others find. A crash in between leaves what the next collection removes.
extension ImageStore {
    /// Records a layer whose files are still to come.
    func reserveLayer() throws(StoreError) -> LayerID {
        let id = LayerID.random()
        try catalog.write("cannot record the layer \(id)") { database in
            try LayerRows.insert(id, in: database)
            try LayerRows.lease(id, to: .current, owner: leaseOwner, in: database)
        }
        return id
    }

    /// Gives a layer whose files are in place and durable its digest. Where the store has that content already, the
    /// other layer is leased and returned.
    func completeLayer(_ id: LayerID, _ summary: LayerSummary) throws(StoreError) -> LayerRecord {
        try catalog.write("cannot publish the layer \(id)", durable: true) { database in
            if let other = try LayerRows.find(diffID: summary.diffID, in: database) {
                try LayerRows.lease(other.id, to: .current, owner: leaseOwner, in: database)
                return other
            }
            try database.execute(
                sql: "UPDATE layers SET diff_id = ?, archive_size = ?, disk_usage = ? WHERE id = ? AND NOT is_dead",
                arguments: [summary.diffID.description, summary.archiveSize, summary.diskUsage, id.rawValue])
            guard let record = try LayerRows.find(id, in: database) else {
                throw StoreError(.noSuchLayer, "the layer \(id) was removed before it was finished")
            }
            return record
        }
    }

    /// Gives up one lease of this handle, and the layer with it when nothing else keeps it.
    func releaseLease(of id: LayerID) throws(StoreError) {
        let number = try catalog.write("cannot release the layer \(id)") { database in
            let number = try Int64.fetchOne(
                database, sql: "SELECT number FROM layers WHERE id = ?", arguments: [id.rawValue])
            try database.execute(
                sql: "DELETE FROM leases WHERE layer = ? AND owner = ?", arguments: [number, leaseOwner])
            return number
        }
        if let number { try removeUnusedLayers(among: [number]) }
    }

    /// Moves a directory with a finished tree named `fs` to its place.
    func placeLayer(_ id: LayerID, from directory: borrowing FileDescriptor, _ name: String) throws(StoreError) {
        try attempting("cannot move the layer \(id) into place") { () throws(Errno) in
            let home = try FileDescriptor.open("\(root)/layers", [.directory])
            try directory.rename(name, to: home, id.rawValue, flags: .noReplace)
            try home.sync()
        }
    }

    /// Makes everything written so far durable.
    func synchronise() throws(StoreError) {
        try attempting("cannot write to disk") { () throws(Errno) in
            try FileDescriptor.open("\(root)/layers", [.directory]).syncFileSystem()
        }
    }
}
