/// The media type of a blob; image-spec, "Media Types", and the older names that registries still serve.
public struct MediaType: RawRepresentable, Hashable, Codable, Sendable, CustomStringConvertible {
    /// The type as documents and HTTP headers spell it.
    public let rawValue: String

    /// Takes any spelling; unknown types are kept as they are.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The spelling.
    public var description: String { rawValue }

    /// A list of manifests, one per platform.
    public static let imageIndex = MediaType(rawValue: "application/vnd.oci.image.index.v1+json")
    /// One image.
    public static let imageManifest = MediaType(rawValue: "application/vnd.oci.image.manifest.v1+json")
    /// The configuration of an image.
    public static let imageConfiguration = MediaType(rawValue: "application/vnd.oci.image.config.v1+json")
    /// A layer as a tar archive without compression.
    public static let layerTar = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar")
    /// A layer compressed with gzip.
    public static let layerGzip = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar+gzip")
    /// A layer compressed with Zstandard.
    public static let layerZstd = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar+zstd")
    /// An empty JSON object, for a descriptor that must be there and says nothing.
    public static let empty = MediaType(rawValue: "application/vnd.oci.empty.v1+json")

    /// Docker's list of manifests (schema 2).
    public static let dockerManifestList = MediaType(
        rawValue: "application/vnd.docker.distribution.manifest.list.v2+json")
    /// Docker's manifest (schema 2).
    public static let dockerManifest = MediaType(rawValue: "application/vnd.docker.distribution.manifest.v2+json")
    /// Docker's image configuration.
    public static let dockerConfiguration = MediaType(rawValue: "application/vnd.docker.container.image.v1+json")
    /// Docker's layer compressed with gzip.
    public static let dockerLayerGzip = MediaType(rawValue: "application/vnd.docker.image.rootfs.diff.tar.gzip")

    /// Whether the type is one of the lists of manifests.
    public var isIndex: Bool { self == .imageIndex || self == .dockerManifestList }
    /// Whether the type is one of the manifests of a single image.
    public var isManifest: Bool { self == .imageManifest || self == .dockerManifest }
    /// Whether the type is that of an image's configuration.
    public var isImageConfiguration: Bool { self == .imageConfiguration || self == .dockerConfiguration }

    private static let archives = [
        "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.docker.image.rootfs.diff.tar", "application/vnd.docker.image.rootfs.foreign.diff.tar",
    ]

    /// Whether the type is that of a layer, a tar archive, as it is or compressed in a way that everybody can read.
    public var isLayer: Bool {
        MediaType.archives.contains { archive in
            rawValue.hasPrefix(archive)
                && ["", "+gzip", "+zstd", ".gzip", ".zstd"].contains(rawValue.dropFirst(archive.count))
        }
    }
    /// Whether the type is that of a layer without compression.
    public var isPlainLayer: Bool { MediaType.archives.contains(rawValue) }
}
