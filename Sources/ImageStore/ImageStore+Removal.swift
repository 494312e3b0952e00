import GRDB
public import OCI

extension ImageStore {
    /// Removes what a user means by a name or an ID, by Docker's rules, and returns what happened.
    ///
    /// A name is taken off its image; when it was the last, or when an ID was given, the image goes, and with it every
    /// layer that nothing else keeps. `conflict` when containers use the image (a running one even with `force`), or
    /// when an ID was given and several repositories name the image. Build-cache records of layers that only this image
    /// and the cache kept go with it, so that removing images frees their space.
    @discardableResult
    public func removeImage(_ text: String, force: Bool = false) throws(StoreError) -> [RemovalEvent] {
        let outcome = try catalog.write("cannot remove the image \(text)", durable: true) { database in
            guard let found = try ImageLookup(text, in: database) else {
                throw StoreError(.noSuchImage, "No such image: \(text)")
            }
            return try ImageRemoval(found, force: force).carryOut(in: database)
        }
        var events = outcome.events
        guard let blobsToRemove = outcome.blobs else { return events }
        let removed = try removeUnusedLayers(among: outcome.layers)
        events += removed.compactMap { $0.diffID.map(RemovalEvent.deletedLayer) }
        for digest in blobsToRemove { try removeBlobIfUnused(digest) }
        return events
    }

    /// Takes a name off its image, which stays even without a name.
    public func untag(_ reference: Reference) throws(StoreError) {
        try catalog.write("cannot untag \(reference.familiar)", durable: true) { database in
            guard try ImageRow.find(reference, in: database) != nil else {
                throw StoreError(.noSuchImage, "No such image: \(reference.familiar)")
            }
            try TagRows.remove(reference, in: database)
        }
    }

    private func removeBlobIfUnused(_ digest: Digest) throws(StoreError) {
        // Within a transaction, so that nobody records an image of that blob meanwhile.
        try catalog.write("cannot remove the blob \(digest)") { database in
            let used = try Bool.fetchOne(
                database, sql: "SELECT EXISTS (SELECT 1 FROM images WHERE id = ? OR manifest_digest = ?)",
                arguments: [digest.description, digest.description])
            if used != true { try blobs.remove(digest) }
        }
    }
}

/// Decides and carries out one removal within a transaction.
struct ImageRemoval {
    struct Outcome {
        var events: [RemovalEvent] = []
        /// Row numbers of layers that may have become unused.
        var layers: [Int64] = []
        /// What the image was written in; nil while the image stays.
        var blobs: [Digest]?
    }

    private let image: ImageRow
    private let reference: Reference?
    private let force: Bool

    init(_ found: ImageLookup, force: Bool) {
        image = found.row
        reference = found.reference.flatMap { $0.digest == nil ? $0 : nil }
        self.force = force
    }

    func carryOut(in database: Database) throws -> Outcome {
        var outcome = Outcome()
        let references = try image.references(in: database)
        if let reference, references.count > 1 {
            try TagRows.remove(reference, in: database)
            outcome.events = [.untagged(reference)]
            return outcome
        }
        if reference == nil, Set(references.map(\.name)).count > 1, !force {
            throw StoreError(
                .conflict,
                "conflict: unable to delete \(image.id.short) (must be forced) - image is referenced in multiple repositories"
            )
        }
        try refuseIfUsed(in: database)
        outcome.events = references.map(RemovalEvent.untagged) + [.deleted(image.id)]
        outcome.layers = try Int64.fetchAll(
            database, sql: "SELECT DISTINCT layer FROM image_layers WHERE image = ?", arguments: [image.number])
        outcome.blobs = [image.id, image.manifestDigest]
        try database.execute(sql: "DELETE FROM images WHERE number = ?", arguments: [image.number])
        try dropCache(of: outcome.layers, in: database)
        return outcome
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

    private func dropCache(of layers: [Int64], in database: Database) throws {
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
