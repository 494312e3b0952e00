public import ImageStore
public import OCI

/// How images are pulled.
public struct PullOptions: Sendable {
    /// What the image is to run on; nil for this machine, and then an image for another is taken if there is no choice.
    public var platform: Platform?
    /// How many layers are fetched at once.
    public var parallelism = 3
    /// What layers may be.
    public var limits = ImportOptions(kind: .layer)
    /// The most layers an image may have.
    public var maximumLayers = 1024

    /// What is usual.
    public init(platform: Platform? = nil) { self.platform = platform }
}

/// What a pull has brought.
public struct PulledImage: Sendable, Hashable {
    /// The image.
    public var image: ImageRecord
    /// The digest of what the name led to: a manifest's or an index's.
    public var digest: Digest
    /// Whether the store had the image under that name already.
    public var wasUpToDate: Bool
}
