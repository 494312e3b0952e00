public import OCI

/// What the catalog knows of an image.
public struct ImageRecord: Hashable, Sendable, Identifiable {
    /// The digest of the configuration: the image's ID.
    public var id: Digest
    /// The digest of the manifest.
    public var manifestDigest: Digest
    /// The tagged names of the image, sorted; empty for a dangling image.
    public var references: [Reference]
    /// The names with digests under which registries have the image, sorted.
    public var digests: [Reference]
    /// When the image was made, by its configuration; else when it entered the store.
    public var createdAt: Timestamp
    /// Bytes that its layers take on disk, each layer once, and its manifest and configuration.
    public var size: Int64
    /// Its layers, bottom first, as the configuration lists them.
    public var layerIDs: [LayerID]
    /// How it runs and what it is made of.
    public var configuration: ImageConfiguration
    /// Why the configuration could not be read, and is empty therefore; nil for a whole image.
    public var damage: String?

    /// Whether no tag leads to the image.
    public var isDangling: Bool { references.isEmpty }

    /// Whether the image runs on a platform, whatever its variant.
    public func fits(_ platform: Platform) -> Bool {
        let found = configuration.platform
        return found.os == platform.os && found.architecture == platform.architecture
    }
}

/// One thing that removing an image did, in the order it happened.
public enum RemovalEvent: Hashable, Sendable {
    /// A name no longer leads to the image.
    case untagged(Reference)
    /// The image is gone.
    case deleted(Digest)
    /// A layer that nothing else used is gone.
    case deletedLayer(Digest)

    /// The line that Docker prints for it.
    public var description: String {
        switch self {
        case .untagged(let reference): "Untagged: \(reference.familiar)"
        case .deleted(let id): "Deleted: \(id)"
        case .deletedLayer(let diffID): "Deleted: \(diffID)"
        }
    }
}
