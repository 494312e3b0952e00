import FoundationEssentials
import Linux
import OCI

/// What a file of an image archive holds.
enum ImageArchiveFile {
    case document(Data)
    case layer(LayerRecord)
}

/// What an archive of some images consists of: the same images always give the same files.
struct ImageArchiveContents {
    /// All files by their paths; sorted, they are in the order in which archives have them.
    private(set) var files: [String: ImageArchiveFile] = [:]
    private let store: ImageStore
    private var descriptors: [Descriptor] = []
    private var dockerImages: [ImageArchive.DockerImage] = []
    private var repositories: [String: [String: String]] = [:]

    /// Describes images in the order given, each under the names given with it.
    init(
        _ images: [SavedImage], format: ImageArchiveFormat, store: ImageStore
    ) throws(StoreError) {
        self.store = store
        for image in images { try add(image) }
        try put(ImageArchive.layout, ImageArchive.Layout())
        try put(ImageArchive.index, Index(manifests: descriptors))
        if format == .docker {
            try put(ImageArchive.dockerManifest, dockerImages)
            try put(ImageArchive.repositories, repositories)
        }
    }

    private mutating func put(_ name: String, _ value: some Encodable) throws(StoreError) {
        files[name] = .document(try ImageStore.document(value))
    }

    private mutating func add(_ saved: SavedImage) throws(StoreError) {
        let image = saved.image
        var layers: [LayerRecord] = []
        for id in image.layerIDs { layers.append(try store.layer(id)) }
        let configuration = try store.blobs.read(image.id)
        let manifest = try manifest(of: image, layers, configuration)
        files[ImageArchive.blobs + image.id.hex] = .document(configuration)
        let digest = Digest.sha256(of: manifest.document)
        files[ImageArchive.blobs + digest.hex] = .document(manifest.document)
        var paths: [String] = []
        var sources: [String: Descriptor] = [:]
        for (record, diffID) in zip(layers, image.configuration.rootFS.diffIDs) {
            let path = ImageArchive.blobs + diffID.hex
            files[path] = .layer(record)
            paths.append(path)
            sources[diffID.description] = Descriptor(mediaType: .layerTar, digest: diffID, size: record.archiveSize)
        }
        dockerImages.append(
            ImageArchive.DockerImage(
                config: ImageArchive.blobs + image.id.hex,
                repoTags: saved.references.isEmpty ? nil : saved.references.map(\.familiar), layers: paths,
                layerSources: sources))
        var descriptor = Descriptor(
            mediaType: manifest.mediaType, digest: digest, size: Int64(manifest.document.count))
        if !saved.annotations.isEmpty { descriptor.annotations = saved.annotations }
        if saved.references.isEmpty { descriptors.append(descriptor) }
        for reference in saved.references {
            let tag = reference.tag ?? Reference.defaultTag
            descriptor.annotations = saved.annotations.merging([
                ImageArchive.nameAnnotation: reference.description, ImageArchive.referenceAnnotation: tag,
            ]) { $1 }
            descriptors.append(descriptor)
            repositories[reference.familiarName, default: [:]][tag] =
                image.configuration.rootFS.diffIDs.last?.hex ?? image.id.hex
        }
    }

    /// The image's own manifest where it names the layers as they are in the archive, uncompressed; else one that does.
    private func manifest(
        of image: ImageRecord, _ layers: [LayerRecord], _ configuration: Data
    ) throws(StoreError) -> (document: Data, mediaType: MediaType) {
        let own = try store.manifest(of: image)
        let diffIDs = image.configuration.rootFS.diffIDs
        if own.layers.map(\.digest) == diffIDs, own.layers.allSatisfy({ $0.mediaType == .layerTar }) {
            return (try store.blobs.read(image.manifestDigest), own.mediaType ?? .imageManifest)
        }
        let manifest = Manifest(
            config: Descriptor(mediaType: .imageConfiguration, digest: image.id, size: Int64(configuration.count)),
            layers: zip(layers, diffIDs).map {
                Descriptor(mediaType: .layerTar, digest: $1, size: $0.archiveSize)
            })
        return (try ImageStore.document(manifest), .imageManifest)
    }
}
