import FoundationEssentials
import GRDB
import OCI

/// Rows of images and tags.
struct ImageRow {
    var number: Int64
    var id: Digest
    var manifestDigest: Digest
    var createdAt: Timestamp

    static let columns = "images.number, images.id, images.manifest_digest, images.created_at"

    init(_ row: Row) throws {
        number = row["number"]
        id = try row.requiredDigest("id")
        manifestDigest = try row.requiredDigest("manifest_digest")
        createdAt = try row.timestamp("created_at")
    }

    static func find(id: Digest, in database: Database) throws -> ImageRow? {
        try Row.fetchOne(
            database, sql: "SELECT \(columns) FROM images WHERE id = ?", arguments: [id.description]
        ).map(ImageRow.init)
    }

    static func find(_ reference: Reference, in database: Database) throws -> ImageRow? {
        if let digest = reference.digest {
            return try Row.fetchOne(
                database,
                sql: """
                    SELECT \(columns) FROM images JOIN tags ON tags.image = images.number
                    WHERE images.manifest_digest = :digest AND tags.name = :name
                    UNION
                    SELECT \(columns) FROM images JOIN repository_digests ON repository_digests.image = images.number
                    WHERE repository_digests.digest = :digest AND repository_digests.name = :name
                    """, arguments: ["digest": digest.description, "name": reference.name]
            ).map(ImageRow.init)
        }
        return try Row.fetchOne(
            database,
            sql: """
                SELECT \(columns) FROM tags JOIN images ON images.number = tags.image WHERE tags.name = ? AND tags.tag = ?
                """, arguments: [reference.name, reference.tag ?? Reference.defaultTag]
        ).map(ImageRow.init)
    }

    /// Images whose ID begins with the digits, at most two.
    static func find(prefix: String, in database: Database) throws -> [ImageRow] {
        try Row.fetchAll(
            database, sql: "SELECT \(columns) FROM images WHERE id >= ? AND id < ? LIMIT 2",
            arguments: ["sha256:" + prefix, "sha256:" + prefix + "g"]
        ).map(ImageRow.init)
    }

    /// Records an image of layers, bottom first.
    static func insert(
        _ id: Digest, manifestDigest: Digest, createdAt: Timestamp, layers: [LayerID], in database: Database
    ) throws {
        try database.execute(
            sql: "INSERT INTO images (id, manifest_digest, created_at) VALUES (?, ?, ?)",
            arguments: [id.description, manifestDigest.description, createdAt.description])
        try LayerRows.connect(
            layers, to: database.lastInsertedRowID, table: "image_layers", column: "image", in: database)
    }

    /// Notes what the image's documents take on disk, in bytes.
    func setDocumentUsage(_ bytes: Int64, in database: Database) throws {
        try database.execute(
            sql: "UPDATE images SET document_usage = ? WHERE number = ?", arguments: [bytes, number])
    }

    func references(in database: Database) throws -> [Reference] {
        try Row.fetchAll(
            database, sql: "SELECT name, tag FROM tags WHERE image = ? ORDER BY name, tag", arguments: [number]
        ).map(ImageRow.reference)
    }

    /// All names, with tags and with digests, sorted.
    func names(in database: Database) throws -> [Reference] {
        let digests = DigestRows.shown(try DigestRows.of(self, in: database), of: self)
        return (try references(in: database) + digests).sorted { $0.description < $1.description }
    }

    static func reference(_ row: Row) throws -> Reference {
        let (name, tag): (String, String) = (row["name"], row["tag"])
        return try Reference(parsing: "\(name):\(tag)")
    }

    func layers(in database: Database) throws -> [LayerID] {
        try LayerRows.stack(of: number, table: "image_layers", column: "image", in: database)
    }

    /// Bytes on disk of its layers, each once, and of its documents.
    func size(in database: Database) throws -> Int64 {
        try Int64.fetchOne(
            database,
            sql: """
                SELECT document_usage + coalesce((
                    SELECT sum(disk_usage) FROM layers
                    WHERE number IN (SELECT layer FROM image_layers WHERE image = images.number)
                ), 0) FROM images WHERE number = ?
                """, arguments: [number]) ?? 0
    }
}
