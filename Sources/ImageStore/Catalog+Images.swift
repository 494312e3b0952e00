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
                    WHERE images.manifest_digest = ? AND tags.name = ?
                    """, arguments: [digest.description, reference.name]
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

    func references(in database: Database) throws -> [Reference] {
        try Row.fetchAll(
            database, sql: "SELECT name, tag FROM tags WHERE image = ? ORDER BY name, tag", arguments: [number]
        ).map(ImageRow.reference)
    }

    static func reference(_ row: Row) throws -> Reference {
        let (name, tag): (String, String) = (row["name"], row["tag"])
        return try Reference(parsing: "\(name):\(tag)")
    }

    func layers(in database: Database) throws -> [LayerID] {
        try LayerRows.stack(of: number, table: "image_layers", column: "image", in: database)
    }

    func size(in database: Database) throws -> Int64 {
        try Int64.fetchOne(
            database,
            sql: """
                SELECT sum(disk_usage) FROM layers
                WHERE number IN (SELECT layer FROM image_layers WHERE image = ?)
                """, arguments: [number]) ?? 0
    }
}
