import ImageStore
import OCI
import Registry

/// What is to be pushed of an image.
struct PushPlan: Sendable {
    /// One of the image's layers.
    struct Layer: Sendable {
        var id: LayerID
        var diffID: Digest
        /// Bytes of its archive.
        var archiveSize: Int64
        /// The form that the manifest names; nil where it names none that a registry would have.
        var original: Descriptor?
        /// What is shown for it.
        var name: String { diffID.short }
    }

    /// The image's manifest.
    let original: Manifest
    private let document: RegistryDocument
    /// Bottom first.
    let layers: [Layer]
    /// Whether the manifest is one that a registry has, so that its digest is known elsewhere.
    let mustKeepDigests: Bool

    init(_ image: ImageRecord, _ reference: Reference, store: ImageStore) throws(DistributionError) {
        let content = try fromStore { () throws(StoreError) in try store.blobs.read(image.manifestDigest) }
        do throws(OCIError) {
            original = try JSON.decode(Manifest.self, from: content)
        } catch {
            throw DistributionError(
                .badImage, "the manifest of the image \(image.id.short) is damaged: \(error.message)")
        }
        document = RegistryDocument(content: content, mediaType: original.mediaType ?? .imageManifest)
        guard original.layers.count == image.layerIDs.count else {
            throw DistributionError(
                .badImage, "the manifest of the image \(image.id.short) does not list the image's layers")
        }
        let known = try fromStore { () throws(StoreError) in try store.repositoryDigests(of: image.id) }
        var records: [LayerRecord] = []
        for id in image.layerIDs { records.append(try fromStore { () throws(StoreError) in try store.layer(id) }) }
        // A manifest of our own making lists the archives as they are; nobody else knows its digest.
        let isOurs = zip(original.layers, records).allSatisfy { layer, record in
            layer.mediaType == .layerTar && layer.digest == record.diffID
        }
        let keeps = !isOurs || known.contains { $0.digest == image.manifestDigest }
        mustKeepDigests = keeps
        var layers: [Layer] = []
        for (descriptor, record) in zip(original.layers, records) {
            guard let diffID = record.diffID else {
                throw DistributionError(
                    .badImage, "the layer \(record.id) of the image \(image.id.short) is unfinished")
            }
            layers.append(
                Layer(
                    id: record.id, diffID: diffID, archiveSize: record.archiveSize,
                    original: keeps ? descriptor : nil))
        }
        self.layers = layers
    }

    /// Each layer once.
    var uniqueLayers: [Layer] {
        var seen: Set<LayerID> = []
        return layers.filter { seen.insert($0.id).inserted }
    }

    /// The manifest for layers in the given forms: the original one when it fits.
    func manifest(with forms: [LayerID: Descriptor]) throws(DistributionError) -> RegistryDocument {
        var manifest = original
        manifest.layers = []
        for (layer, old) in zip(layers, original.layers) {
            guard let form = forms[layer.id] else {
                throw DistributionError(.badImage, "the layer \(layer.name) was not pushed")
            }
            if form.digest == old.digest {
                manifest.layers.append(old)
                continue
            }
            var next = old
            (next.digest, next.size) = (form.digest, form.size)
            // What was made anew is made with gzip, and said in the manifest's own dialect.
            let isDocker = document.mediaType == .dockerManifest
            next.mediaType = form.mediaType.isPlainLayer ? .layerTar : isDocker ? .dockerLayerGzip : .layerGzip
            if form.mediaType == .layerZstd, !isDocker { next.mediaType = .layerZstd }
            manifest.layers.append(next)
        }
        if manifest == original { return document }
        do throws(OCIError) {
            return RegistryDocument(content: try JSON.encode(manifest), mediaType: document.mediaType)
        } catch {
            throw DistributionError(.badImage, error.message)
        }
    }
}
