import GRDB
import OCI

/// Decides and carries out one removal within a transaction, by the rules of Docker's `ImageDelete`.
struct ImageRemoval {
    private let image: ImageRow
    /// The name that was given; nil where an ID was.
    private let reference: Reference?
    private let force: Bool
    private let keepsCache: Bool

    init(_ found: ImageLookup, force: Bool, keepsCache: Bool) {
        self.keepsCache = keepsCache
        image = found.row
        reference = found.reference.map { name in name.digest.map { name.with(digest: $0) } ?? name }
        self.force = force
    }

    func carryOut(in database: Database, _ blobs: BlobStore) throws -> Removal {
        var removal = Removal()
        let names = try image.names(in: database)
        if let reference {
            if Self.isOneName(names) { try refuseToRemove(reference, in: database) }
            removal.events = try remove(reference, of: names, in: database)
            removal.reports = removal.events.compactMap { event in
                if case .untagged(let name) = event { .image("untag", image.id, name: name) } else { nil }
            }
            // Other names lead to it, or containers have it: then the name alone goes.
            if try !image.names(in: database).isEmpty || user(in: database) != nil { return removal }
        } else {
            try refuse(names, in: database)
        }
        let left = try image.names(in: database)
        let layers = try ImageRemoval.delete(image, left, keepsCache: keepsCache, &removal, in: database)
        try removal.buryLayers(among: layers, in: database)
        try removal.take([image.id, image.manifestDigest], of: blobs, in: database)
        return removal
    }

    // MARK: Names

    /// Whether names are at most one tag and digests of one repository, that of the tag; false without names.
    private static func isOneName(_ names: [Reference]) -> Bool {
        if names.count <= 1 { return names.count == 1 }
        let tags = names.filter { $0.digest == nil }
        let repositories = Set(names.filter { $0.digest != nil }.map(\.name))
        return tags.count <= 1 && repositories.count == 1 && tags.allSatisfy { repositories.contains($0.name) }
    }

    /// Removes a name, and with the last tag of a repository its digests.
    private func remove(
        _ reference: Reference, of names: [Reference], in database: Database
    ) throws -> [RemovalEvent] {
        guard names.contains(reference) else {
            throw StoreError(.noSuchImage, "No such image: \(reference.familiar)")
        }
        if reference.digest != nil {
            try DigestRows.remove(reference, from: image, in: database)
            return [.untagged(reference)]
        }
        try TagRows.remove(reference, in: database)
        let sameRepository = names.filter { $0.name == reference.name && $0 != reference }
        if sameRepository.contains(where: { $0.digest == nil }) { return [.untagged(reference)] }
        for digest in sameRepository { try DigestRows.remove(digest, from: image, in: database) }
        return [.untagged(reference)] + sameRepository.map(RemovalEvent.untagged)
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

    // MARK: Conflicts

    private struct User {
        var id: String
        var isRunning: Bool
    }

    /// A container that has the image, rather one that runs.
    private func user(in database: Database) throws -> User? {
        try Row.fetchOne(
            database,
            sql: "SELECT id, state FROM containers WHERE image_id = ? ORDER BY state = 'running' DESC LIMIT 1",
            arguments: [image.id.description]
        ).map { row in
            User(
                id: String((row["id"] as String).prefix(12)),
                isRunning: (row["state"] as String) == ContainerState.running.rawValue)
        }
    }

    /// Refuses to remove the only name of an image that is in use.
    private func refuseToRemove(_ reference: Reference, in database: Database) throws {
        if !force, let user = try user(in: database) {
            throw StoreError(
                .conflict,
                "conflict: unable to remove repository reference \"\(reference.familiar)\" (must force) - container \(user.id) is using its referenced image \(image.id.short)"
            )
        }
        try refuseIfMounted(in: database)
    }

    /// Refuses to remove an image whose ID was given.
    private func refuse(_ names: [Reference], in database: Database) throws {
        func conflict(_ kind: String, _ why: String) -> StoreError {
            StoreError(.conflict, "conflict: unable to delete \(image.id.short) (\(kind)) - image is \(why)")
        }
        let user = try user(in: database)
        if let user, user.isRunning {
            throw conflict("cannot be forced", "being used by running container \(user.id)")
        }
        if !force, !names.isEmpty, !Self.isOneName(names) {
            throw conflict("must be forced", "referenced in multiple repositories")
        }
        if !force, let user { throw conflict("must be forced", "being used by stopped container \(user.id)") }
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
