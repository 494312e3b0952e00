import GRDB
import OCI

/// The names with digests under which registries have images.
enum DigestRows {
    /// Those of an image, sorted.
    static func of(_ image: ImageRow, in database: Database) throws -> [Reference] {
        try Row.fetchAll(
            database, sql: "SELECT name, digest FROM repository_digests WHERE image = ? ORDER BY name, digest",
            arguments: [image.number]
        ).map(reference)
    }

    /// Those of all images by the images' row numbers, sorted.
    static func all(in database: Database) throws -> [Int64: [Reference]] {
        var result: [Int64: [Reference]] = [:]
        let rows = try Row.fetchAll(
            database, sql: "SELECT image, name, digest FROM repository_digests ORDER BY name, digest")
        for row in rows { result[row["image"], default: []].append(try reference(row)) }
        return result
    }

    /// Those of an image that people see: a repository that has the image in an index is named with the index's digest
    /// only, and not with that of the manifest in it.
    static func shown(_ references: [Reference], of image: ImageRow) -> [Reference] {
        references.filter { reference in
            reference.digest != image.manifestDigest
                || !references.contains { $0.name == reference.name && $0.digest != image.manifestDigest }
        }
    }

    /// Removes a name from an image; what of it people do not see goes with it.
    static func remove(_ reference: Reference, from image: ImageRow, in database: Database) throws {
        try database.execute(
            sql: "DELETE FROM repository_digests WHERE image = ? AND name = ? AND digest IN (?, ?)",
            arguments: [
                image.number, reference.name, reference.digest?.description, image.manifestDigest.description,
            ])
    }

    private static func reference(_ row: Row) throws -> Reference {
        let (name, digest): (String, String) = (row["name"], row["digest"])
        return try Reference(parsing: "\(name)@\(digest)")
    }
}
