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
    /// The forms that the repository has the image's layers in, as they turned out.
    public private(set) var blobs: [(layer: LayerID, blob: LayerBlob)] = []
    /// The blobs that manifests say are the image's layers. They must not be used for other images: nobody has looked.
    public private(set) var claims: [(layer: LayerID, blob: Digest)] = []

    /// A record without layers.
    public init(repository: String, digests: [Digest]) {
        self.repository = repository
        self.digests = digests
    }

    /// Notes what the repository has a layer in.
    ///
    /// - Parameter isVerified: whether the blob was unpacked and had the layer's diffID. What we made ourselves, and the
    ///   archive under its own digest, need no proof.
    public mutating func add(_ blob: LayerBlob, of layer: LayerID, _ diffID: Digest, isVerified: Bool = false) {
        let descriptor = blob.descriptor
        let isArchive = descriptor.digest == diffID && descriptor.mediaType.isPlainLayer
        if isVerified || isArchive || blob.encoder != nil {
            blobs.append((layer, blob))
        } else {
            claims.append((layer, descriptor.digest))
        }
    }
}
