import GRDB
import Glibc
import Linux
import OCI

// How a tree becomes a layer: a record without a digest and a lease first, then the files take their place, then the
// digest makes it a layer that others find. A crash in between leaves what the next collection removes.
//
// Writing to disk is left to the making of an image, once for all its layers: a build of ten steps waits once and not ten
// times. Until then the record says during which boot the files were written; after a crash of the machine such layers
// are forgotten.
extension ImageStore {
    /// Records a layer whose files are still to come.
    func reserveLayer() throws(StoreError) -> LayerID {
        let id = LayerID.random()
        try catalog.write("record the layer \(id)") { database in
            try LayerRows.insert(id, in: database)
            try LayerRows.lease(id, to: .current, owner: leaseOwner, in: database)
        }
        CrashPoint.reached("layer-reserved")
        return id
    }

    /// Gives a layer whose files are in place its digest. Where the store has that content already, the other layer is
    /// leased and returned.
    ///
    /// The files need not be on disk yet: `makeDurable` sees to that once for all layers of an image.
    func completeLayer(_ id: LayerID, _ summary: LayerSummary) throws(StoreError) -> LayerRecord {
        let boot = try ImageStore.bootID()
        CrashPoint.reached("layer-placed")
        // Its own directory counts, and what lies beside the tree.
        let size = try summary.diskUsage + diskUsage(besidesTreeOf: id)
        let outcome = try catalog.write("publish the layer \(id)") { database in
            if let other = try LayerRows.find(diffID: summary.diffID, in: database) {
                if try FileDescriptor.currentDirectory.statusIfPresent(of: layerPath(other.id)) != nil {
                    try LayerRows.lease(other.id, to: .current, owner: leaseOwner, in: database)
                    return (other, Int64?.none)
                }
                try LayerRows.setBroken(other.id, in: database)
            }
            let healed = try LayerRows.replaceBroken(summary.diffID, by: id, in: database)
            // Images that were reported as stored stand on it from now on, so it must be on disk.
            if healed != nil { try FileDescriptor.open("\(root)/layers", [.directory]).syncFileSystem() }
            try database.execute(
                sql: """
                    UPDATE layers SET diff_id = ?, archive_size = ?, disk_usage = ?, unsynced_boot = ?
                    WHERE id = ? AND NOT is_dead
                    """,
                arguments: [
                    summary.diffID.description, summary.archiveSize,
                    healed == nil ? size : try diskUsage(ofTree: "\(root)/layers/\(id.rawValue)"),
                    healed == nil ? boot : nil, id.rawValue,
                ])
            guard let record = try LayerRows.find(id, in: database) else {
                throw StoreError(.noSuchLayer, "the layer \(id) was removed before it was finished")
            }
            return (record, healed)
        }
        CrashPoint.reached("layer-complete")
        if let healed = outcome.1 { try removeUnusedLayers(among: [healed]) }
        return outcome.0
    }

    /// Has the files of layers reach the disk, and counts their blocks, which are only allocated then.
    func makeDurable(_ layers: [LayerID]) throws(StoreError) {
        let unsynced = try catalog.read("look for layers to be written") { database in
            try String.fetchAll(database, sql: "SELECT id FROM layers WHERE unsynced_boot IS NOT NULL")
        }
        // One call writes them all, those of the build's other stages included.
        if Set(layers.map(\.rawValue)).isDisjoint(with: unsynced) { return }
        try attempting("write the layers to disk") { () throws(Errno) in
            try FileDescriptor.open("\(root)/layers", [.directory]).syncFileSystem()
        }
        var sizes: [(id: String, bytes: Int64)] = []
        for id in unsynced {
            sizes.append((id, try diskUsage(ofTree: "\(root)/layers/\(id)")))
        }
        CrashPoint.reached("layers-synced")
        try catalog.write("record layers as written", durable: true) { database in
            for (id, bytes) in sizes {
                try database.execute(
                    sql: "UPDATE layers SET disk_usage = ?, unsynced_boot = NULL WHERE id = ?", arguments: [bytes, id])
            }
        }
    }

    /// Bytes of the blocks of a layer's directory without its tree.
    private func diskUsage(besidesTreeOf id: LayerID) throws(StoreError) -> Int64 {
        try attempting("add up the layer \(id)") { () throws(Errno) in
            let home = try FileDescriptor.open("\(root)/layers/\(id.rawValue)", [.directory])
            var bytes = try home.status().allocatedSize
            for name in try home.sortedEntryNames() {
                if strcmp(name, "fs") == 0 { continue }
                var counter = UsageCounter()
                try counter.addTree(name, in: home)
                bytes += counter.bytes
            }
            return bytes
        }
    }

    /// The kernel's name for the machine's run since it was switched on.
    static func bootID() throws(StoreError) -> String {
        let path = "/proc/sys/kernel/random/boot_id"
        let text = try attempting("read \(path)") { () throws(Errno) in
            try FileDescriptor.open(path).readAll(limit: 4096)
        }
        return String(decoding: text.filter { $0 > 0x20 }, as: UTF8.self)
    }

    /// Gives up one lease of this handle, and the layer with it when nothing else keeps it.
    func releaseLease(of id: LayerID) throws(StoreError) {
        let number = try catalog.write("release the layer \(id)") { database in
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
        try attempting("move the layer \(id) into place") { () throws(Errno) in
            let home = try FileDescriptor.open("\(root)/layers", [.directory])
            try directory.rename(name, to: home, id.rawValue, flags: .noReplace)
            try home.sync()
        }
    }
}
