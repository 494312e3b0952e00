public import FoundationEssentials
import GRDB
public import OCI

extension ImageStore {
    // MARK: Pulling

    /// Keeps a layer of a pull that goes on, even beyond the end of this process, so that the next pull finds it.
    ///
    /// `finishPull` or `dropUnfinishedPulls` end that, or a day.
    public func keepForPull(_ layer: LayerID) throws(StoreError) {
        try catalog.write("record the layer \(layer)") { database in
            try database.execute(
                sql: "INSERT OR REPLACE INTO unfinished_pulls (layer, since) VALUES (?, ?)",
                arguments: [try LayerRows.number(layer, in: database), Timestamp.now.seconds])
        }
    }

    /// Forgets the layers of pulls that were interrupted at least so many seconds ago; those that nothing else keeps go.
    ///
    /// Returns the layers removed.
    @discardableResult
    public func dropUnfinishedPulls(olderThan seconds: Int64 = 0) throws(StoreError) -> [LayerRecord] {
        let limit = Timestamp.now.seconds - seconds
        let found = try catalog.read("list unfinished pulls") { database in
            try Int64.fetchAll(
                database, sql: "SELECT layer FROM unfinished_pulls WHERE since <= ?", arguments: [limit])
        }
        if found.isEmpty { return [] }
        try catalog.write("drop unfinished pulls") { database in
            try database.execute(sql: "DELETE FROM unfinished_pulls WHERE since <= ?", arguments: [limit])
        }
        return try removeUnusedLayers(among: found)
    }

    /// Makes the image that a pull has brought, with the documents as they came, and gives it a name.
    ///
    /// - Parameter reference: the name it was pulled by; it becomes a tag unless it has a digest.
    @discardableResult
    public func finishPull(
        _ reference: Reference, configurationDocument: Data, manifestDocument: Data, layers: [LayerID],
        _ transfer: TransferRecord
    ) throws(StoreError) -> ImageRecord {
        let tags = reference.digest == nil ? [reference] : []
        let image = try createImage(
            configurationDocument: configurationDocument, manifestDocument: manifestDocument, layers: layers, tags: tags
        )
        try adopt(manifestDocument, for: image)
        try record(transfer, of: image.id, ending: layers)
        return try self.image(id: image.id)
    }

    /// Has an image that the store had already be described by another manifest: the one that came last, whose layers
    /// are the forms that registries have.
    func adopt(_ manifest: Data, for image: ImageRecord) throws(StoreError) {
        let digest = Digest.sha256(of: manifest)
        if image.manifestDigest == digest { return }
        let old = image.manifestDigest
        let paths = [BlobStore.relativePath(digest), BlobStore.relativePath(old)]
        try announce(paths)
        defer { try? removeBlobsIfUnused(paths) }
        try blobs.put(manifest)
        try catalog.write("record the manifest of the image \(image.id.short)", durable: true) { database in
            // Nobody removes blobs meanwhile; somebody may have done so before.
            if !blobs.contains(digest) { try blobs.put(manifest) }
            try database.execute(
                sql: "UPDATE images SET manifest_digest = ?, document_usage = ? WHERE id = ?",
                arguments: [
                    digest.description, blobs.diskUsage(image.id) + blobs.diskUsage(digest), image.id.description,
                ])
        }
    }

    // MARK: What registries have

    /// Remembers what a transfer of an image showed. The layers `ending` need no longer be kept for a pull.
    public func record(
        _ transfer: TransferRecord, of image: Digest, ending layers: [LayerID] = []
    ) throws(StoreError) {
        let now = Timestamp.now.description
        try catalog.write("record the transfer of the image \(image.short)") { database in
            guard let row = try ImageRow.find(id: image, in: database) else { return }
            for digest in transfer.digests {
                try database.execute(
                    sql: "INSERT OR IGNORE INTO repository_digests (name, digest, image) VALUES (?, ?, ?)",
                    arguments: [transfer.repository, digest.description, row.number])
            }
            for (layer, blob) in transfer.blobs {
                let number = try LayerRows.number(layer, in: database)
                try database.execute(
                    sql: """
                        INSERT INTO layer_blobs (digest, layer, size, media_type, encoder) VALUES (?, ?, ?, ?, ?)
                        ON CONFLICT DO UPDATE SET encoder = coalesce(excluded.encoder, encoder)
                        """,
                    arguments: [
                        blob.descriptor.digest.description, number, blob.descriptor.size,
                        blob.descriptor.mediaType.rawValue, blob.encoder,
                    ])
            }
            for (layer, digest) in transfer.blobs.map({ ($0.layer, $0.blob.descriptor.digest) }) + transfer.claims {
                try database.execute(
                    sql: "INSERT OR REPLACE INTO blob_origins (digest, layer, name, last_seen) VALUES (?, ?, ?, ?)",
                    arguments: [
                        digest.description, try LayerRows.number(layer, in: database), transfer.repository, now,
                    ])
            }
            for layer in layers {
                try database.execute(
                    sql: "DELETE FROM unfinished_pulls WHERE layer = (SELECT number FROM layers WHERE id = ?)",
                    arguments: [layer.rawValue])
            }
        }
    }

    /// The forms in which a layer was fetched or sent, those that we can make ourselves first.
    public func blobs(of layer: LayerID) throws(StoreError) -> [LayerBlob] {
        try catalog.read("look up the layer \(layer)") { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT digest, size, media_type, encoder FROM layer_blobs
                    WHERE layer = (SELECT number FROM layers WHERE id = ?) ORDER BY encoder IS NULL, digest
                    """, arguments: [layer.rawValue]
            ).map { row in
                LayerBlob(
                    descriptor: Descriptor(
                        mediaType: MediaType(rawValue: row["media_type"]), digest: try row.requiredDigest("digest"),
                        size: row["size"]), encoder: row["encoder"])
            }
        }
    }

    /// The repositories that had a blob, by their full names, those seen last first.
    public func origins(of blob: Digest) throws(StoreError) -> [String] {
        try catalog.read("look up the blob \(blob)") { database in
            try String.fetchAll(
                database,
                sql: "SELECT name FROM blob_origins WHERE digest = ? GROUP BY name ORDER BY max(last_seen) DESC",
                arguments: [blob.description])
        }
    }

    /// The names with digests under which registries have an image, that of its own manifest among them, sorted.
    public func repositoryDigests(of image: Digest) throws(StoreError) -> [Reference] {
        try catalog.read("look up the image \(image.short)") { database in
            try ImageRow.find(id: image, in: database).map { try DigestRows.of($0, in: database) } ?? []
        }
    }
}
