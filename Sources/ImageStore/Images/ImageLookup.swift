import GRDB
import OCI

/// What the catalog says of an image at one moment.
struct ImageSnapshot {
    var row: ImageRow
    var references: [Reference]
    var digests: [Reference]
    var layers: [LayerID]
    var size: Int64

    /// The same with a configuration.
    func record(_ configuration: ImageConfiguration) -> ImageRecord {
        ImageRecord(
            id: row.id, manifestDigest: row.manifestDigest, references: references, digests: digests,
            createdAt: row.createdAt, size: size, layerIDs: layers, configuration: configuration)
    }
}

/// Finds the image that a user's text means.
struct ImageLookup {
    var row: ImageRow
    /// The name that led there; nil when an ID did.
    var reference: Reference?

    /// Nil where there is none; throws `ambiguous` where the text is the beginning of several IDs.
    init?(_ text: String, in database: Database) throws {
        if let id = try? Digest(parsing: text) {
            guard let found = try ImageRow.find(id: id, in: database) else { return nil }
            row = found
            return
        }
        if let name = try? Reference(parsing: text), let found = try ImageRow.find(name, in: database) {
            row = found
            reference = name
            return
        }
        let prefix = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        let digits = prefix.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        guard digits, (1...64).contains(prefix.utf8.count) else { return nil }
        let found = try ImageRow.find(prefix: prefix, in: database)
        if found.count > 1 {
            throw StoreError(
                .ambiguous, "the image ID \(text) is ambiguous: several begin like that", remedy: "give more digits")
        }
        guard let first = found.first else { return nil }
        row = first
    }
}

extension ImageRow {
    /// All images, newest first, with their names, stacks and sizes, in five queries however many there are.
    static func all(in database: Database) throws -> [ImageSnapshot] {
        var references: [Int64: [Reference]] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT image, name, tag FROM tags ORDER BY name, tag") {
            references[row["image"], default: []].append(try reference(row))
        }
        let digests = try DigestRows.all(in: database)
        var stacks: [Int64: [LayerID]] = [:]
        let stackRows = try Row.fetchCursor(
            database,
            sql: """
                SELECT image, layers.id FROM image_layers JOIN layers ON layers.number = layer ORDER BY image, position
                """)
        while let row = try stackRows.next() {
            stacks[row[0], default: []].append(LayerID(rawValue: row[1]))
        }
        var sizes: [Int64: Int64] = [:]
        let sizeRows = try Row.fetchCursor(
            database,
            sql: """
                SELECT images.number, document_usage + coalesce(sum(disk_usage), 0) FROM images
                LEFT JOIN (SELECT DISTINCT image, layer FROM image_layers) AS held ON held.image = images.number
                LEFT JOIN layers ON layers.number = held.layer GROUP BY images.number
                """)
        while let row = try sizeRows.next() { sizes[row[0]] = row[1] }
        let images = try Row.fetchAll(database, sql: "SELECT \(columns) FROM images").map(ImageRow.init)
        return images.sorted { ($0.createdAt, $0.number) > ($1.createdAt, $1.number) }.map {
            ImageSnapshot(
                row: $0, references: references[$0.number] ?? [],
                digests: DigestRows.shown(digests[$0.number] ?? [], of: $0), layers: stacks[$0.number] ?? [],
                size: sizes[$0.number] ?? 0)
        }
    }
}
