/// Names a blob: its type, digest and size. image-spec, "Content Descriptors".
public struct Descriptor: Hashable, Codable, Sendable {
    /// The type of the blob.
    public var mediaType: MediaType
    /// The digest of the blob's bytes.
    public var digest: Digest
    /// The length of the blob in bytes.
    public var size: Int64
    /// Other places to get the blob from.
    public var urls: [String]?
    /// Free properties.
    public var annotations: [String: String]?
    /// What the described image runs on; in an index.
    public var platform: Platform?
    /// The type of the artifact when the descriptor points to one.
    public var artifactType: String?
    /// The blob itself in base 64, for small ones.
    public var data: String?

    /// Makes a descriptor from its required parts.
    public init(mediaType: MediaType, digest: Digest, size: Int64, platform: Platform? = nil) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.platform = platform
    }
}
