public import FoundationEssentials
import GRDB
public import OCI

extension ImageStore {
    // MARK: Making

    /// Makes an image of a configuration and the layers it stands on, bottom first, and gives it names.
    ///
    /// The configuration's `rootFS` is set from the layers. A name that leads to another image moves; that image stays,
    /// dangling if it has no other. Durable when this returns. An image with the same configuration is the same image.
    ///
    /// - Parameter annotations: what the manifest says besides; an image that is there already gets them.
    @discardableResult
    public func createImage(
        configuration: ImageConfiguration, layers: [LayerID], tags: [Reference] = [],
        annotations: [String: String] = [:]
    ) throws(StoreError) -> ImageRecord {
        try makeImage(configuration: configuration, layers: layers, tags: tags, annotations: annotations).image
    }

    /// The same, and whether the image was not there before.
    public func makeImage(
        configuration: ImageConfiguration, layers: [LayerID], tags: [Reference] = [],
        annotations: [String: String] = [:]
    ) throws(StoreError) -> (image: ImageRecord, isNew: Bool) {
        var configuration = configuration
        var descriptors: [Descriptor] = []
        var diffIDs: [Digest] = []
        for id in layers {
            let record = try layer(id)
            guard let diffID = record.diffID else {
                throw StoreError(.conflict, "cannot make an image of the layer \(id): it is unfinished")
            }
            diffIDs.append(diffID)
            descriptors.append(Descriptor(mediaType: .layerTar, digest: diffID, size: record.archiveSize))
        }
        configuration.rootFS = RootFS(diffIDs: diffIDs)
        let document = try ImageStore.document(configuration)
        var manifest = Manifest(
            config: Descriptor(
                mediaType: .imageConfiguration, digest: .sha256(of: document), size: Int64(document.count)),
            layers: descriptors)
        if !annotations.isEmpty { manifest.annotations = annotations }
        let (image, isNew) = try makeImage(
            configurationDocument: document, manifestDocument: try ImageStore.document(manifest), layers: layers,
            tags: tags, reportsTags: true)
        return (try annotated(image, as: manifest), isNew)
    }

    /// The image with the annotations of a manifest: one that was there before has its own. That of an image which came
    /// from elsewhere stays as it is, unless there are annotations to be added.
    private func annotated(_ image: ImageRecord, as wanted: Manifest) throws(StoreError) -> ImageRecord {
        guard var known = try? manifest(of: image), known.annotations != wanted.annotations else { return image }
        let isOurs = known.layers == wanted.layers && known.config == wanted.config
        if !isOurs, wanted.annotations == nil { return image }
        known.annotations = wanted.annotations
        try adopt(try ImageStore.document(known), for: image)
        return try self.image(id: image.id)
    }

    /// Makes an image of documents that must keep their bytes, such as those of a registry. What reports that it has come
    /// reports its names with it.
    ///
    /// `corrupt` when the configuration cannot be read or does not list as many layers as are given.
    @discardableResult
    public func createImage(
        configurationDocument: Data, manifestDocument: Data, layers: [LayerID], tags: [Reference] = []
    ) throws(StoreError) -> ImageRecord {
        try makeImage(
            configurationDocument: configurationDocument, manifestDocument: manifestDocument, layers: layers,
            tags: tags,
            reportsTags: false
        ).image
    }

    private func makeImage(
        configurationDocument: Data, manifestDocument: Data, layers: [LayerID], tags: [Reference], reportsTags: Bool
    ) throws(StoreError) -> (image: ImageRecord, isNew: Bool) {
        let configuration = try ImageStore.read(ImageConfiguration.self, configurationDocument, "the configuration")
        guard configuration.rootFS.diffIDs.count == layers.count else {
            throw StoreError(
                .corrupt,
                "the configuration lists \(configuration.rootFS.diffIDs.count) layers, the image has \(layers.count)")
        }
        try ImageStore.requireTags(tags)
        let id = Digest.sha256(of: configurationDocument)
        if let image = try existing(id, configuration, layers: layers, tags: tags) { return (image, false) }
        // Held until the image's own rows do, so that a collection in another process leaves them alone.
        try lease(layers)
        try makeDurable(layers)
        let documents = [configurationDocument, manifestDocument]
        let paths = documents.map { BlobStore.relativePath(.sha256(of: $0)) }
        try announce(paths)
        CrashPoint.reached("image-announced")
        // Whatever comes of it: a document that no image is written in does not stay.
        defer { try? removeBlobsIfUnused(paths) }
        for document in documents { try blobs.put(document) }
        CrashPoint.reached("image-documents")
        let made = try catalog.write("record the image \(id.short)", durable: true) { database in
            let isNew = try ImageRow.find(id: id, in: database) == nil
            if isNew {
                try ImageRow.insert(
                    id, manifestDigest: .sha256(of: manifestDocument), createdAt: configuration.created ?? .now,
                    layers: layers, in: database)
            }
            guard let row = try ImageRow.find(id: id, in: database) else {
                throw StoreError(.corrupt, "the image \(id.short) vanished from the catalog")
            }
            // Nobody removes blobs meanwhile; somebody may have done so before.
            for document in documents where !blobs.contains(.sha256(of: document)) { try blobs.put(document) }
            try row.setDocumentUsage(blobs.diskUsage(id) + blobs.diskUsage(row.manifestDigest), in: database)
            for tag in tags { try TagRows.set(tag, to: id, in: database) }
            if reportsTags { try note(tags.map { .image("tag", id, name: $0) }, in: database) }
            return (try record(row, configuration: configuration, in: database), isNew)
        }
        CrashPoint.reached("image-recorded")
        return made
    }

    /// The image if there is nothing left to do, as after a build of which every step was cached.
    private func existing(
        _ id: Digest, _ configuration: ImageConfiguration, layers: [LayerID], tags: [Reference]
    ) throws(StoreError) -> ImageRecord? {
        try catalog.read("look up the image \(id.short)") { database in
            guard let row = try ImageRow.find(id: id, in: database) else { return nil }
            let image = try record(row, configuration: configuration, in: database)
            guard image.layerIDs == layers, Set(image.references).isSuperset(of: tags) else { return nil }
            return blobs.isIntact(id) && blobs.isIntact(row.manifestDigest) ? image : nil
        }
    }

    /// Gives an image a further name; one that leads to another image moves.
    public func tag(_ id: Digest, as reference: Reference) throws(StoreError) {
        try ImageStore.requireTags([reference])
        try catalog.write("tag the image \(id.short)", durable: true) { database in
            try TagRows.set(reference, to: id, in: database)
            try note([.image("tag", id, name: reference)], in: database)
        }
    }

    /// When an image was given a name last; nil for one that never had a name.
    public func lastTagTime(of id: Digest) throws(StoreError) -> Timestamp? {
        try catalog.read("look up the image \(id.short)") { database in
            try Row.fetchOne(
                database,
                sql: "SELECT last FROM tag_times JOIN images ON images.number = image WHERE images.id = ?",
                arguments: [id.description]
            ).map { try $0.timestamp("last") }
        }
    }

    // MARK: Finding

    /// All images that fit, newest first. One whose configuration is damaged is among them, as such.
    ///
    /// - Parameter mayFit: whether the configuration of an image is read; it is called with an empty one.
    public func images(where mayFit: (ImageRecord) -> Bool = { _ in true }) throws(StoreError) -> [ImageRecord] {
        var result: [ImageRecord] = []
        for var record in try imageSummaries() where mayFit(record) {
            do throws(StoreError) {
                record.configuration = try configuration(of: record.id)
            } catch {
                guard error.code == .noSuchBlob || error.code == .corrupt else { throw error }
                // Removed since it was listed?
                if try !isListed(record.id) { continue }
                record.damage = error.message
            }
            result.append(record)
        }
        return result
    }

    /// All images, newest first, without their configurations, which are files of their own.
    public func imageSummaries() throws(StoreError) -> [ImageRecord] {
        try catalog.read("list the images") { database in
            try ImageRow.all(in: database).map { $0.record(ImageConfiguration()) }
        }
    }

    func isListed(_ id: Digest) throws(StoreError) -> Bool {
        try catalog.read("look up the image") { try ImageRow.find(id: id, in: $0) != nil }
    }

    /// The image that a user means by `name[:tag]`, `name@digest`, an ID or the beginning of one.
    ///
    /// A name goes before an ID. `noSuchImage` where there is none, `ambiguous` where a beginning fits several.
    public func image(matching text: String) throws(StoreError) -> ImageRecord {
        let found = try catalog.read("look up the image \(text)") { database in
            try ImageLookup(text, in: database).map { ($0, try snapshot($0.row, in: database)) }
        }
        guard let (_, image) = found else {
            throw StoreError(.noSuchImage, "No such image: \(text)")
        }
        do throws(StoreError) {
            return image.record(try configuration(of: image.row.id))
        } catch {
            // Removed since it was found?
            if error.code == .noSuchBlob, try !isListed(image.row.id) {
                throw StoreError(.noSuchImage, "No such image: \(text)")
            }
            throw error
        }
    }

    /// The image of that ID; `noSuchImage` where there is none.
    public func image(id: Digest) throws(StoreError) -> ImageRecord {
        try image(matching: id.description)
    }

    /// The manifest of an image.
    public func manifest(of image: ImageRecord) throws(StoreError) -> Manifest {
        try ImageStore.read(
            Manifest.self, try blobs.read(image.manifestDigest), "the manifest of the image \(image.id.short)")
    }

    /// The configuration of an image by its ID.
    public func configuration(of id: Digest) throws(StoreError) -> ImageConfiguration {
        try ImageStore.read(
            ImageConfiguration.self, try blobs.read(id), "the configuration of the image \(id.short)")
    }

    // MARK: Helpers

    func record(
        _ row: ImageRow, configuration: ImageConfiguration, in database: Database
    ) throws -> ImageRecord {
        try snapshot(row, in: database).record(configuration)
    }

    func snapshot(_ row: ImageRow, in database: Database) throws -> ImageSnapshot {
        ImageSnapshot(
            row: row, references: try row.references(in: database),
            digests: DigestRows.shown(try DigestRows.of(row, in: database), of: row),
            layers: try row.layers(in: database), size: try row.size(in: database))
    }

    static func document(_ value: some Encodable) throws(StoreError) -> Data {
        do throws(OCIError) {
            return try JSON.encode(value)
        } catch {
            throw StoreError(.corrupt, error.message)
        }
    }

    static func read<Value: Decodable>(_ type: Value.Type, _ data: Data, _ what: String) throws(StoreError) -> Value {
        do throws(OCIError) {
            return try JSON.decode(type, from: data)
        } catch {
            throw StoreError(.corrupt, "\(what) is damaged: \(error.message)")
        }
    }

    /// Refuses names that no image can be given, as Docker does: without a tag, with a digest, or called like the
    /// algorithm of an ID, so that `sha256:abc` always means an ID. `badName`.
    public static func requireTags(_ references: [Reference]) throws(StoreError) {
        for reference in references where reference.familiarName == "sha256" {
            throw StoreError(
                .badName,
                "cannot tag an image as \(reference.familiar): a name like that of a digest's algorithm is ambiguous")
        }
        for reference in references where reference.tag == nil || reference.digest != nil {
            throw StoreError(
                .badName, "cannot tag an image as \(reference.familiar): a tag is needed, and no digest")
        }
    }
}

/// Names that lead to images.
enum TagRows {
    static func set(_ reference: Reference, to id: Digest, in database: Database) throws {
        guard let row = try ImageRow.find(id: id, in: database) else {
            throw StoreError(.noSuchImage, "No such image: \(id)")
        }
        try database.execute(
            sql: """
                INSERT INTO tags (name, tag, image) VALUES (?, ?, ?)
                ON CONFLICT (name, tag) DO UPDATE SET image = excluded.image
                """, arguments: [reference.name, reference.tag ?? Reference.defaultTag, row.number])
        try database.execute(
            sql: "INSERT OR REPLACE INTO tag_times (image, last) VALUES (?, ?)",
            arguments: [row.number, Timestamp.now.description])
    }

    static func remove(_ reference: Reference, in database: Database) throws {
        try database.execute(
            sql: "DELETE FROM tags WHERE name = ? AND tag = ?",
            arguments: [reference.name, reference.tag ?? Reference.defaultTag])
    }
}
