public import FoundationEssentials
public import ImageStore
import Linux
public import OCI
public import Registry

/// Reads build caches from a registry and writes them there: manifests whose configuration says which steps led to
/// which layers. What a configuration means is the caller's business.
public struct CacheTransfer: Sendable {
    private let store: ImageStore
    private let client: RegistryClient
    private let reference: Reference
    private let limits: ImportOptions

    /// A transfer.
    ///
    /// - Parameters:
    ///   - client: of the registry that the name's domain says.
    ///   - reference: the name of the cache.
    ///   - limits: of the archives that are taken from it.
    public init(
        store: ImageStore, client: RegistryClient, reference: Reference, limits: ImportOptions = ImportOptions()
    ) {
        self.store = store
        self.client = client
        self.reference = reference
        self.limits = limits
    }

    /// What a name leads to.
    public struct Content: Sendable {
        /// The configuration's type, the cache's own or an image's.
        public var mediaType: MediaType
        /// The configuration, verified.
        public var configuration: Data
        /// The layers that the manifest lists.
        public var layers: [Descriptor]
    }

    // MARK: Reading

    /// Reads a cache, or an image that may have one in its configuration.
    ///
    /// - Parameters:
    ///   - type: the type of a cache's configuration.
    ///   - limit: bytes that a configuration may have.
    public func load(type: MediaType, limit: Int) async throws(DistributionError) -> Content {
        let tag = reference.digest?.description ?? reference.tag ?? Reference.defaultTag
        var document = try await fromRegistry { () async throws(RegistryError) in
            try await client.manifest(of: reference.path, tag)
        }
        if document.mediaType.isIndex {
            let index = try decode(Index.self, document.content)
            // BuildKit has written indexes that list the layers beside the configuration.
            if let configuration = index.manifests.first(where: { $0.mediaType == type }) {
                return try await content(
                    configuration, index.manifests.filter { $0.mediaType.isLayer }, limit: limit)
            }
            guard let next = index.manifest(for: .current) else {
                throw DistributionError(
                    .badImage, "\(reference.familiar) is neither a cache nor an image for this machine")
            }
            document = try await fromRegistry { () async throws(RegistryError) in
                try await client.manifest(of: reference.path, next.digest.description, size: next.size)
            }
        }
        let manifest = try decode(Manifest.self, document.content)
        return try await content(manifest.config, manifest.layers, limit: limit)
    }

    private func content(
        _ configuration: Descriptor, _ layers: [Descriptor], limit: Int
    ) async throws(DistributionError) -> Content {
        let data = try await fromRegistry { () async throws(RegistryError) in
            try await client.blob(configuration, of: reference.path, limit: limit)
        }
        return Content(mediaType: configuration.mediaType, configuration: data, layers: layers)
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ data: Data) throws(DistributionError) -> Value {
        do throws(OCIError) {
            return try JSON.decode(type, from: data)
        } catch {
            throw DistributionError(.badImage, "\(reference.familiar) cannot be used as a cache: \(error.message)")
        }
    }

    /// Gets a layer into the store, verified on the way and leased.
    public func fetch(_ blob: Descriptor, diffID: Digest) async throws(DistributionError) -> LayerRecord {
        let store = store
        var exact = limits
        (exact.kind, exact.isExact, exact.expectedDiffID) = (.layer, true, diffID)
        let options = exact
        return try await LayerStream.run { (queue) throws(StoreError) in
            let layer = try store.importLayer(from: queue, options: options)
            try queue.finish()
            return layer
        } download: { (queue) async throws(RegistryError) in
            try await client.download(
                blob, of: reference.path, interruption: { _ in }, to: { (piece) throws(Errno) in try queue.put(piece) })
        }
    }

    // MARK: Writing

    /// Sends layers, and then the cache that says of them what `configuration` makes of their forms in the registry.
    ///
    /// - Parameters:
    ///   - image: the image that the layers were made for: what is learnt of them is remembered with it.
    ///   - type: the configuration's type.
    public func push(
        _ layers: [LayerRecord], of image: Digest, type: MediaType,
        configuration: @Sendable ([Descriptor]) throws(DistributionError) -> Data
    ) async throws(DistributionError) {
        let pusher = ImagePusher(store: store, client: client)
        var forms: [Descriptor] = []
        var transfer = TransferRecord(repository: reference.name, digests: [])
        for record in layers {
            guard let diffID = record.diffID else {
                throw DistributionError(.badImage, "the layer \(record.id) is unfinished")
            }
            let layer = PushPlan.Layer(id: record.id, diffID: diffID, archiveSize: record.archiveSize, original: nil)
            let blob: LayerBlob
            do {
                blob = try await LayerPush(pusher: pusher, layer: layer, reference: reference).run()
            } catch {
                throw DistributionError(wrapping: error)
            }
            transfer.add(blob, of: record.id, diffID)
            var form = blob.descriptor
            if !form.mediaType.isLayer { form.mediaType = .layerGzip }
            forms.append(form)
        }
        let content = try configuration(forms)
        let sent = try await fromRegistry { () async throws(RegistryError) in
            let source = BlobSource(size: Int64(content.count)) { sink in try content.withUnsafeBytes { try sink($0) } }
            return try await client.upload(source, to: reference.path, expected: .sha256(of: content))
        }
        let manifest = Manifest(
            config: Descriptor(mediaType: type, digest: sent.digest, size: Int64(content.count)), layers: forms)
        let document: Data
        do throws(OCIError) {
            document = try JSON.encode(manifest)
        } catch {
            throw DistributionError(.badImage, error.message)
        }
        try await fromRegistry { () async throws(RegistryError) in
            try await client.putManifest(
                RegistryDocument(content: document, mediaType: .imageManifest), in: reference.path,
                as: reference.tag ?? Reference.defaultTag)
        }
        try fromStore { () throws(StoreError) in try store.record(transfer, of: image) }
    }
}
