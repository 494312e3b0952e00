import GRDB
public import OCI

/// Something that keeps a layer in the store.
public struct LayerHolder: Hashable, Sendable {
    /// What it is.
    public enum Kind: String, Hashable, Sendable {
        case image
        case container
        /// A step of a build that is going on.
        case build
        case mount
        /// A record of the build cache.
        case cache
        /// A living process that builds, pulls or loads.
        case lease
    }

    /// What it is.
    public var kind: Kind
    /// The image's first name or ID, the container's name, the mount point, the beginning of the cache's key, the process id.
    public var name: String
}

/// A layer and what keeps it.
public struct LayerHolding: Sendable {
    public var layer: LayerRecord
    public var holders: [LayerHolder]
}

extension ImageStore {
    /// What keeps a layer: the one of that ID or diffID, or the beginning of one. Nil where there is none, `ambiguous`
    /// where several begin like that.
    public func holding(ofLayerMatching text: String) throws(StoreError) -> LayerHolding? {
        let digits = text.hasPrefix("sha256:") ? String(text.dropFirst(7)) : text
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        let found = try catalog.read("look up the layer \(text)") { database in
            try String.fetchAll(
                database,
                sql: """
                    SELECT id FROM layers WHERE NOT is_dead
                    AND (id >= :p AND id < :p || 'g' OR diff_id >= 'sha256:' || :p AND diff_id < 'sha256:' || :p || 'g')
                    LIMIT 2
                    """, arguments: ["p": digits])
        }
        if found.count > 1 {
            throw StoreError(
                .ambiguous, "the layer \(text) is ambiguous: several begin like that", remedy: "give more digits")
        }
        return try found.first.map { id throws(StoreError) in try holding(of: [LayerID(rawValue: id)]) }?.first
    }

    /// What keeps layers, in the same order.
    public func holding(of layers: [LayerID]) throws(StoreError) -> [LayerHolding] {
        try catalog.read("look up what keeps layers") { database in
            try layers.compactMap { id in
                guard let record = try LayerRows.find(id, in: database) else { return nil }
                return LayerHolding(layer: record, holders: try LayerHolders.all(of: id, in: database))
            }
        }
    }
}

private enum LayerHolders {
    private static let queries: [(sql: String, kind: LayerHolder.Kind)] = [
        (
            """
            SELECT coalesce((SELECT min(name || ':' || tag) FROM tags WHERE tags.image = images.number), images.id)
            FROM image_layers JOIN images ON images.number = image WHERE layer = :n ORDER BY images.number
            """, .image
        ),
        (
            """
            SELECT name FROM container_layers JOIN containers ON containers.number = container
            WHERE layer = :n AND NOT is_build ORDER BY containers.number
            """, .container
        ),
        (
            """
            SELECT name FROM container_layers JOIN containers ON containers.number = container
            WHERE layer = :n AND is_build ORDER BY containers.number
            """, .build
        ),
        (
            """
            SELECT mount_point FROM mount_layers JOIN mounts ON mounts.number = mount WHERE layer = :n
            ORDER BY mounts.number
            """, .mount
        ),
        ("SELECT substr(key, 1, 12) FROM cache WHERE layer = :n ORDER BY key", .cache),
        ("SELECT pid FROM leases WHERE layer = :n ORDER BY pid", .lease),
    ]

    static func all(of id: LayerID, in database: Database) throws -> [LayerHolder] {
        let number = try Int64.fetchOne(
            database, sql: "SELECT number FROM layers WHERE id = ?", arguments: [id.rawValue])
        var holders: [LayerHolder] = []
        for (sql, kind) in queries {
            var seen: Set<String> = []
            for name in try String.fetchAll(database, sql: sql, arguments: ["n": number])
            where seen.insert(name).inserted {
                holders.append(LayerHolder(kind: kind, name: kind == .image ? familiar(name) : name))
            }
        }
        return holders
    }

    private static func familiar(_ name: String) -> String {
        if name.hasPrefix("sha256:") { return name }
        return (try? Reference(parsing: name).familiar) ?? name
    }
}
