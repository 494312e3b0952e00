public import OCI

/// A form in which registries have a layer.
public struct LayerBlob: Hashable, Sendable {
    /// What manifests refer to it with: type, digest and size in bytes.
    public var descriptor: Descriptor
    /// What compresses the layer to exactly these bytes, by a name that changes when its output does; nil when nothing
    /// of ours is known to.
    public var encoder: String?

    /// Puts a form together.
    public init(descriptor: Descriptor, encoder: String? = nil) {
        self.descriptor = descriptor
        self.encoder = encoder
    }
}

/// What a transfer between the store and a registry showed, to be remembered.
public struct TransferRecord: Sendable {
    /// The repository by its full name, such as `docker.io/library/alpine`.
    public var repository: String
    /// The digests of manifests and indexes under which the repository has the image.
    public var digests: [Digest]
    /// The forms that the repository has the image's layers in.
    public var blobs: [(layer: LayerID, blob: LayerBlob)]

    /// Puts a record together.
    public init(repository: String, digests: [Digest], blobs: [(layer: LayerID, blob: LayerBlob)]) {
        self.repository = repository
        self.digests = digests
        self.blobs = blobs
    }
}
