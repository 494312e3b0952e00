import OCI

/// The forms in which images are handed from one tool to another as files.
public enum ImageArchiveFormat: String, CaseIterable, Sendable {
    /// A tar archive as Docker writes it since version 25: an OCI layout with `manifest.json` and `repositories` in it,
    /// for older readers.
    case docker = "docker-archive"
    /// A tar archive of an OCI layout; image-spec, "Image Layout".
    case oci = "oci-archive"
    /// An OCI layout as a directory.
    case directory = "oci-dir"
}

/// Names within image archives, and what is accepted of them.
enum ImageArchive {
    static let index = "index.json"
    static let layout = "oci-layout"
    static let dockerManifest = "manifest.json"
    static let repositories = "repositories"
    static let blobs = "blobs/sha256/"

    /// containerd's and Docker's annotation for the whole name of an image.
    static let nameAnnotation = "io.containerd.image.name"
    /// image-spec, "Pre-Defined Annotation Keys": the name within the layout, for most tools only the tag.
    static let referenceAnnotation = "org.opencontainers.image.ref.name"

    /// The largest manifest, index or configuration that is read: the limit that registries have for manifests, twice.
    static let maximumDocument = 8 << 20
    /// The most layers of an image. No other tool can stack half as many.
    static let maximumLayers = 1024
    /// How deep indexes may lie in one another.
    static let maximumDepth = 4
    /// The most files in an archive.
    static let maximumEntries = 200_000
    /// The longest name of a file in an archive, in bytes, and of what a link there leads to: `PATH_MAX`.
    static let maximumName = 4096

    /// One image as Docker's `manifest.json` lists it.
    struct DockerImage: Codable {
        /// The path of the configuration.
        var config: String
        /// Names with tags.
        var repoTags: [String]?
        /// The paths of the layers, bottom first.
        var layers: [String]?
        /// What the layers were, by diffID.
        var layerSources: [String: Descriptor]?

        enum CodingKeys: String, CodingKey {
            case config = "Config"
            case repoTags = "RepoTags"
            case layers = "Layers"
            case layerSources = "LayerSources"
        }
    }

    /// `oci-layout`; image-spec, "oci-layout file".
    struct Layout: Codable {
        var imageLayoutVersion = "1.0.0"
    }
}
