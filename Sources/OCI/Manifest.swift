/// One image: its configuration and its layers, bottom first. image-spec, "Image Manifest".
public struct Manifest: Hashable, Codable, Sendable {
    /// Always 2.
    public var schemaVersion = 2
    /// The type of this document.
    public var mediaType: MediaType?
    /// The type of the artifact, where the manifest is not an image's.
    public var artifactType: String?
    /// The configuration's blob.
    public var config: Descriptor
    /// The layers' blobs, bottom first.
    public var layers: [Descriptor]
    /// The manifest that this one refers to, as signatures do.
    public var subject: Descriptor?
    /// Free properties.
    public var annotations: [String: String]?

    /// Makes an image's manifest.
    public init(config: Descriptor, layers: [Descriptor]) {
        self.mediaType = .imageManifest
        self.config = config
        self.layers = layers
    }
}
