import GRDB
import Linux
public import OCI

extension ImageStore {
    /// Removes what a user means by a name or an ID, by Docker's rules, and returns what happened.
    ///
    /// A name is taken off its image; when it was the last, or when an ID was given, the image goes, and with it every
    /// layer that nothing else keeps. `conflict` when containers use the image (a running one even with `force`), or
    /// when an ID was given and several repositories name the image. Build-cache records of layers that only this image
    /// and the cache kept go with it, so that removing images frees their space.
    @discardableResult
    public func removeImage(
        _ text: String, force: Bool = false
    ) throws(StoreError) -> [RemovalEvent] {
        let removal = try catalog.write("cannot remove the image \(text)", durable: true, freesSpace: true) {
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
        let removal = try catalog.write("cannot remove the image \(id.short)", durable: true, freesSpace: true) {
            database in
            guard let found = try ImageLookup(id.description, in: database),
                try found.row.references(in: database).isEmpty
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
        try catalog.write("cannot remove blobs", freesSpace: true) { database in
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

/// Decides and carries out one removal within a transaction.
struct ImageRemoval {
    private let image: ImageRow
    private let reference: Reference?
    private let force: Bool
    private let keepsCache: Bool

    init(_ found: ImageLookup, force: Bool, keepsCache: Bool) {
        self.keepsCache = keepsCache
        image = found.row
        reference = found.reference.flatMap { $0.digest == nil ? $0 : nil }
        self.force = force
    }

    func carryOut(in database: Database, _ blobs: BlobStore) throws -> Removal {
        var removal = Removal()
        let references = try image.references(in: database)
        if let reference, references.count > 1 {
            try TagRows.remove(reference, in: database)
            removal.events = [.untagged(reference)]
            removal.reports = [.image("untag", image.id, name: reference)]
            return removal
        }
        if reference == nil, Set(references.map(\.name)).count > 1, !force {
            throw StoreError(
                .conflict,
                "conflict: unable to delete \(image.id.short) (must be forced) - image is referenced in multiple repositories"
            )
        }
        try refuseIfUsed(in: database)
        let layers = try ImageRemoval.delete(image, references, keepsCache: keepsCache, &removal, in: database)
        try removal.buryLayers(among: layers, in: database)
        try removal.take([image.id, image.manifestDigest], of: blobs, in: database)
        return removal
    }

    /// Takes an image out of the catalog, with the cache's records of layers that only it and the cache kept. Returns the
    /// row numbers of its layers.
    static func delete(
        _ image: ImageRow, _ references: [Reference], keepsCache: Bool = false, _ removal: inout Removal,
        in database: Database
    ) throws -> [Int64] {
        removal.events += references.map(RemovalEvent.untagged) + [.deleted(image.id)]
        removal.reports += references.map { .image("untag", image.id, name: $0) } + [.image("delete", image.id)]
        let layers = try Int64.fetchAll(
            database, sql: "SELECT DISTINCT layer FROM image_layers WHERE image = ?", arguments: [image.number])
        try database.execute(sql: "DELETE FROM images WHERE number = ?", arguments: [image.number])
        if !keepsCache { try dropCache(of: layers, in: database) }
        return layers
    }

    private func refuseIfUsed(in database: Database) throws {
        let rows = try Row.fetchAll(
            database, sql: "SELECT id, state FROM containers WHERE image_id = ? ORDER BY state = 'running' DESC",
            arguments: [image.id.description])
        if let user = rows.first {
            let short = (user["id"] as String).prefix(12)
            let running = (user["state"] as String) == ContainerState.running.rawValue
            if running {
                throw StoreError(
                    .conflict,
                    "conflict: unable to delete \(image.id.short) (cannot be forced) - image is being used by running container \(short)"
                )
            }
            if !force, let reference {
                throw StoreError(
                    .conflict,
                    "conflict: unable to remove repository reference \"\(reference.familiar)\" (must force) - container \(short) is using its referenced image \(image.id.short)"
                )
            }
            if !force {
                throw StoreError(
                    .conflict,
                    "conflict: unable to delete \(image.id.short) (must be forced) - image is being used by stopped container \(short)"
                )
            }
        }
        try refuseIfMounted(in: database)
    }

    private func refuseIfMounted(in database: Database) throws {
        let mounts = try Row.fetchAll(
            database, sql: "SELECT mount_point, server_pid, server_start FROM mounts WHERE image_id = ?",
            arguments: [image.id.description])
        for mount in mounts {
            let (point, start): (String, Int64) = (mount["mount_point"], mount["server_start"])
            let server = ProcessIdentity(pid: mount["server_pid"], startTime: UInt64(bitPattern: start))
            if server.isAlive {
                throw StoreError(
                    .conflict,
                    "conflict: unable to delete \(image.id.short) (cannot be forced) - image is mounted at \(point)",
                    remedy: "unmount it first")
            }
            try database.execute(sql: "DELETE FROM mounts WHERE mount_point = ?", arguments: [point])
        }
    }

    private static func dropCache(of layers: [Int64], in database: Database) throws {
        for layer in layers {
            try database.execute(
                sql: """
                    DELETE FROM cache WHERE layer = :layer
                    AND NOT EXISTS (SELECT 1 FROM image_layers WHERE layer = :layer)
                    AND NOT EXISTS (SELECT 1 FROM container_layers WHERE layer = :layer)
                    """, arguments: ["layer": layer])
        }
    }
}
