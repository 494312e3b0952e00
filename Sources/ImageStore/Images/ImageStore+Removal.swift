import GRDB
import Linux
public import OCI

extension ImageStore {
    /// Removes what a user means by a name or an ID, by Docker's rules, and returns what happened.
    ///
    /// A name is taken off its image, and with the last tag of a repository its digests; when it was the last, or when an
    /// ID was given, the image goes, and with it every layer that nothing else keeps. `conflict` when the name is the only
    /// one and containers use the image; when an ID was given and containers use the image (a running one even with
    /// `force`) or several names lead to it; when it is mounted. Without the conflict because of `force`, an image that
    /// containers use loses its name and stays. Build-cache records of layers that only this image
    /// and the cache kept go with it, so that removing images frees their space.
    @discardableResult
    public func removeImage(
        _ text: String, force: Bool = false
    ) throws(StoreError) -> [RemovalEvent] {
        let removal = try catalog.write("remove the image \(text)", durable: true, freesSpace: true) {
            database in
            guard let found = try ImageLookup(text, in: database) else {
                throw StoreError(.noSuchImage, "No such image: \(text)")
            }
            let removal = try ImageRemoval(found, force: force, keepsCache: false).carryOut(in: database, blobs)
            try note(removal.reports, in: database)
            return removal
        }
        CrashPoint.reached("image-removed")
        try finish(removal)
        return removal.events
    }

    /// Removes an image that was never meant to be kept, if it is still there and nobody has given it a name meanwhile.
    /// The records of the build cache stay.
    public func removeImage(unnamed id: Digest) throws(StoreError) {
        let removal = try catalog.write("remove the image \(id.short)", durable: true, freesSpace: true) {
            database in
            guard let found = try ImageLookup(id.description, in: database),
                try found.row.names(in: database).isEmpty
            else { return Removal() }
            return try ImageRemoval(found, force: false, keepsCache: true).carryOut(in: database, blobs)
        }
        try finish(removal)
    }

    /// Removes the files of what a transaction has taken out of the catalog.
    func finish(_ removal: Removal) throws(StoreError) {
        try removeFiles(of: removal.layers.map(\.id))
        try removeBlobsIfUnused(removal.blobs)
    }

    /// Removes blobs, announced by their paths, unless an image is written in them.
    func removeBlobsIfUnused(_ paths: [String]) throws(StoreError) {
        if paths.isEmpty { return }
        // Within a transaction, so that nobody records an image of them meanwhile.
        try catalog.write("remove blobs", freesSpace: true) { database in
            for path in paths where try !UnfinishedRows.isNamed(path, in: database) {
                do throws(Errno) {
                    try FileDescriptor.currentDirectory.unlink("\(root)/\(path)")
                } catch {
                    if error != .ENOENT { throw error }
                }
            }
            CrashPoint.reached("blobs-removed")
            try UnfinishedRows.remove(paths, in: database)
        }
    }
}

/// What a transaction took out of the catalog and whose files are to go next.
struct Removal {
    var events: [RemovalEvent] = []
    /// The same of images, as it is reported.
    var reports: [StoreEvent] = []
    /// Marked as dead.
    var layers: [LayerRecord] = []
    /// Announced paths of documents.
    var blobs: [String] = []
    /// Bytes on disk of all that.
    var bytes: Int64 = 0

    /// Takes out the layers that nothing keeps, of those given by row number or of all.
    mutating func buryLayers(among candidates: [Int64]?, in database: Database) throws {
        let dead = try LayerRows.bury(among: candidates, in: database)
        layers += dead
        bytes += dead.reduce(0) { $0 + $1.diskUsage }
        events += dead.compactMap { $0.diffID.map(RemovalEvent.deletedLayer) }
    }

    /// Takes out documents that no image is written in.
    mutating func take(_ documents: Set<Digest>, of store: BlobStore, in database: Database) throws {
        for digest in documents where try !BlobRows.isUsed(digest.description, in: database) {
            let path = BlobStore.relativePath(digest)
            try UnfinishedRows.add([path], in: database)
            blobs.append(path)
            bytes += store.diskUsage(digest)
        }
    }
}
