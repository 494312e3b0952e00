import FoundationEssentials
public import ImageStore
public import OCI
public import Registry

/// Pulls images from a registry into a store.
public struct ImagePuller: Sendable {
    let store: ImageStore
    let client: RegistryClient
    let options: PullOptions
    let report: @Sendable (TransferEvent) -> Void

    /// How many indexes may lead from one to the next.
    private static let maximumDepth = 4

    /// A puller.
    ///
    /// - Parameters:
    ///   - client: of the registry that the names' domain says.
    ///   - report: takes what happens, from any thread.
    public init(
        store: ImageStore, client: RegistryClient, options: PullOptions = PullOptions(),
        report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) {
        self.store = store
        self.client = client
        self.options = options
        self.report = report
    }

    /// Pulls an image by tag or digest.
    ///
    /// Layers that the store has are not fetched; several others are fetched at once, verified and unpacked on the way.
    /// What is finished stays in the store when the pull is interrupted, even by the end of the process, for the next
    /// attempt.
    public func pull(_ reference: Reference) async throws(DistributionError) -> PulledImage {
        guard reference.domain == client.domain else {
            throw DistributionError(.badName, "\(reference.familiar) is not an image of \(client.domain)")
        }
        report(.pulling(reference))
        let top = try await fromRegistry { () async throws(RegistryError) in
            try await client.manifest(
                of: reference.path, reference.digest?.description ?? reference.tag ?? Reference.defaultTag)
        }
        let document = try await select(top, reference)
        let manifest = try checked(document, reference)
        let configuration = try await fetchConfiguration(manifest, reference)
        let diffIDs = try check(configuration.value, manifest, reference)
        let before = try? store.image(matching: reference.description)
        let (layers, fetched) = try await fetchLayers(diffIDs, manifest.layers, reference)
        var transfer = TransferRecord(repository: reference.name, digests: Array(Set([top.digest, document.digest])))
        for (layer, (diffID, descriptor)) in zip(layers, zip(diffIDs, manifest.layers)) {
            let isVerified = fetched[diffID] == descriptor.digest
            transfer.add(LayerBlob(descriptor: descriptor), of: layer, diffID, isVerified: isVerified)
        }
        let image = try fromStore { () throws(StoreError) in
            try store.finishPull(
                reference, configurationDocument: configuration.document, manifestDocument: document.content,
                layers: layers, transfer)
        }
        return PulledImage(image: image, digest: top.digest, wasUpToDate: before?.id == image.id)
    }

    // MARK: Documents

    /// The manifest for the platform: the document itself, or what an index leads to.
    private func select(
        _ top: RegistryDocument, _ reference: Reference
    ) async throws(DistributionError) -> RegistryDocument {
        var document = top
        for _ in 0...ImagePuller.maximumDepth {
            if document.mediaType.isManifest { return document }
            let index = try decode(Index.self, document.content, "the index of \(reference.familiar)")
            let wanted = options.platform ?? .current
            guard let next = index.manifest(for: wanted) ?? index.nested(for: wanted) else {
                let offered = Set(index.manifests.compactMap { $0.platform?.description }).sorted()
                throw DistributionError(
                    .wrongPlatform, "no matching manifest for \(wanted) in the index of \(reference.familiar)",
                    remedy: offered.isEmpty ? nil : "it has \(offered.prefix(12).joined(separator: ", "))")
            }
            document = try await fromRegistry { () async throws(RegistryError) in
                try await client.manifest(of: reference.path, next.digest.description, size: next.size)
            }
        }
        throw DistributionError(.badImage, "the index of \(reference.familiar) leads from index to index without end")
    }

    private func checked(
        _ document: RegistryDocument, _ reference: Reference
    ) throws(DistributionError) -> Manifest {
        let what = "the manifest of \(reference.familiar)"
        let manifest = try decode(Manifest.self, document.content, what)
        guard manifest.config.mediaType.isImageConfiguration else {
            throw DistributionError(
                .badImage,
                "\(reference.familiar) is no image: its configuration is of the type \(manifest.config.mediaType)")
        }
        if manifest.layers.count > options.maximumLayers {
            throw DistributionError(
                .badImage,
                "\(what) lists \(manifest.layers.count) layers, at most \(options.maximumLayers) are supported")
        }
        for layer in manifest.layers {
            guard layer.mediaType.isLayer else {
                throw DistributionError(.badImage, "\(what) has a layer of the unsupported type \(layer.mediaType)")
            }
            guard layer.size >= 0 else {
                throw DistributionError(.badImage, "\(what) has a layer of \(layer.size) bytes")
            }
        }
        return manifest
    }

    private func fetchConfiguration(
        _ manifest: Manifest, _ reference: Reference
    ) async throws(DistributionError) -> (value: ImageConfiguration, document: Data) {
        // Verified when it is read; one that is damaged is fetched again.
        let stored = try? store.blobs.read(manifest.config.digest)
        let document: Data
        if let stored {
            document = stored
        } else {
            document = try await fromRegistry { () async throws(RegistryError) in
                try await client.blob(manifest.config, of: reference.path)
            }
        }
        let what = "the configuration of \(reference.familiar)"
        return (try decode(ImageConfiguration.self, document, what), document)
    }

    /// The diffIDs of the layers, if configuration and manifest agree and the platform fits.
    private func check(
        _ configuration: ImageConfiguration, _ manifest: Manifest, _ reference: Reference
    ) throws(DistributionError) -> [Digest] {
        let diffIDs = configuration.rootFS.diffIDs
        guard diffIDs.count == manifest.layers.count else {
            throw DistributionError(
                .badImage,
                "the configuration of \(reference.familiar) lists \(diffIDs.count) layers, its manifest \(manifest.layers.count)"
            )
        }
        let wanted = options.platform ?? .current
        let found = configuration.platform
        if found.os != wanted.os || found.architecture != wanted.architecture {
            let message = "the image \(reference.familiar) is for \(found), not for \(wanted)"
            if options.platform != nil { throw DistributionError(.wrongPlatform, message) }
            report(.remark(message))
        }
        return diffIDs
    }

    private func decode<Value: Decodable>(
        _ type: Value.Type, _ document: Data, _ what: String
    ) throws(DistributionError) -> Value {
        do throws(OCIError) {
            return try JSON.decode(type, from: document)
        } catch {
            throw DistributionError(.badImage, "\(what) cannot be used: \(error.message)")
        }
    }
}

extension Index {
    /// An index within this one that may have something for the platform.
    fileprivate func nested(for platform: Platform) -> Descriptor? {
        manifests.first { descriptor in
            descriptor.mediaType.isIndex
                && (descriptor.platform.map { $0.os == platform.os && $0.architecture == platform.architecture } ?? true)
        } ?? (manifests.count == 1 && manifests[0].platform == nil ? manifests[0] : nil)
    }
}
