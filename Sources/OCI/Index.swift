/// A list of manifests, usually one per platform. image-spec, "Image Index".
public struct Index: Hashable, Codable, Sendable {
    /// Always 2.
    public var schemaVersion = 2
    /// The type of this document.
    public var mediaType: MediaType?
    /// The type of the artifact, where the list is not of images.
    public var artifactType: String?
    /// The manifests.
    public var manifests: [Descriptor]
    /// The manifest that this one refers to.
    public var subject: Descriptor?
    /// Free properties.
    public var annotations: [String: String]?

    /// Makes a list.
    public init(manifests: [Descriptor]) {
        self.mediaType = .imageIndex
        self.manifests = manifests
    }

    /// The first image that runs on a platform; a variant counts only where both sides name one.
    public func manifest(for platform: Platform) -> Descriptor? {
        manifests.first { descriptor in
            guard let offered = descriptor.platform else { return false }
            guard offered.os == platform.os, offered.architecture == platform.architecture else { return false }
            guard let wanted = platform.variant, let variant = offered.variant else { return true }
            return wanted == variant
        }
    }
}
