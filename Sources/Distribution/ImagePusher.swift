import FoundationEssentials
public import ImageStore
public import OCI
public import Registry

/// What a push has left in the registry.
public struct PushedImage: Sendable, Hashable {
    /// The digest of the manifest.
    public var digest: Digest
    /// Bytes of the manifest.
    public var size: Int64
}

/// Pushes images from a store to a registry.
///
/// An image that came from a registry is pushed with the digests it came with. Its layers are stored unpacked, so their
/// compressed forms must be found again; in this order: the target has it; the target's registry has it in another
/// repository; our own compression gives exactly that; a registry that it came from still has it and hands it through. If
/// nothing of that works the layer is compressed anew, and the manifest gets another digest, which is said.
public struct ImagePusher: Sendable {
    let store: ImageStore
    let client: RegistryClient
    let others: @Sendable (String) -> RegistryClient?
    let report: @Sendable (TransferEvent) -> Void
    /// How many layers are sent at once.
    private static let parallelism = 3

    /// A pusher.
    ///
    /// - Parameters:
    ///   - client: of the registry that the names' domain says.
    ///   - others: gives clients of other registries by their domains, for layers that only they have.
    ///   - report: takes what happens, from any thread.
    public init(
        store: ImageStore, client: RegistryClient,
        others: @escaping @Sendable (String) -> RegistryClient? = { _ in nil },
        report: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) {
        // Leased to the push alone.
        self.store = store.session()
        self.client = client
        self.others = others
        self.report = report
    }

    /// Pushes an image under a tag.
    public func push(_ image: ImageRecord, as reference: Reference) async throws(DistributionError) -> PushedImage {
        guard reference.domain == client.domain, let tag = reference.tag, reference.digest == nil else {
            throw DistributionError(.badName, "cannot push \(reference.familiar): a tag is needed, and no digest")
        }
        report(.pushing(reference))
        let plan = try PushPlan(image, reference, store: store)
        try fromStore { () throws(StoreError) in try store.lease(image.layerIDs) }
        for layer in plan.uniqueLayers { report(.layer(id: layer.name, .waiting)) }
        let sent = try await send(plan, reference)
        try await pushConfiguration(plan, reference)
        let document = try plan.manifest(with: sent.mapValues(\.descriptor))
        if plan.mustKeepDigests, document.digest != image.manifestDigest {
            report(
                .remark(
                    "the manifest's digest changes from \(image.manifestDigest) to \(document.digest): "
                        + "the layers' original compressed forms cannot be had any more"))
        }
        try await fromRegistry { () async throws(RegistryError) in
            try await client.putManifest(document, in: reference.path, as: tag)
        }
        var transfer = TransferRecord(repository: reference.name, digests: [document.digest])
        for layer in plan.uniqueLayers {
            if let blob = sent[layer.id] { transfer.add(blob, of: layer.id, layer.diffID) }
        }
        try fromStore { () throws(StoreError) in try store.record(transfer, of: image.id) }
        return PushedImage(digest: document.digest, size: Int64(document.content.count))
    }

    private func pushConfiguration(_ plan: PushPlan, _ reference: Reference) async throws(DistributionError) {
        let descriptor = plan.original.config
        let document = try fromStore { () throws(StoreError) in try store.blobs.read(descriptor.digest) }
        try await fromRegistry { () async throws(RegistryError) in
            if try await client.hasBlob(descriptor.digest, in: reference.path) { return }
            let source = BlobSource(size: Int64(document.count)) { sink in try document.withUnsafeBytes { try sink($0) }
            }
            _ = try await client.upload(source, to: reference.path, expected: descriptor.digest)
        }
    }

    /// Sees to it that the registry has all layers, a few at once, and returns in which form it has each.
    private func send(
        _ plan: PushPlan, _ reference: Reference
    ) async throws(DistributionError) -> [LayerID: LayerBlob] {
        do {
            return try await withThrowingTaskGroup(of: (LayerID, LayerBlob).self) { group in
                var waiting = plan.uniqueLayers[...]
                var done: [LayerID: LayerBlob] = [:]
                func startNext() {
                    guard let layer = waiting.popFirst() else { return }
                    group.addTask(executorPreference: TransferExecutor.shared) {
                        (layer.id, try await LayerPush(pusher: self, layer: layer, reference: reference).run())
                    }
                }
                for _ in 0..<ImagePusher.parallelism { startNext() }
                while let (layer, blob) = try await group.next() {
                    done[layer] = blob
                    startNext()
                }
                return done
            }
        } catch {
            throw DistributionError(wrapping: error)
        }
    }
}
