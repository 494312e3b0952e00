package import OCI

/// An image as `inspect` describes it: the Engine API's `GET /images/{name}/json`.
package struct ImageInspection: Hashable, Codable, Sendable {
    package var id = ""
    package var tags: [String] = []
    package var digests: [String] = []
    package var parent = ""
    package var comment = ""
    /// RFC 3339.
    package var created = ""
    package var dockerVersion = ""
    package var author = ""
    package var config = ContainerConfig()
    package var architecture = ""
    package var variant: String?
    package var os = ""
    /// Bytes on disk.
    package var size: Int64 = 0
    package var graphDriver = GraphDriver()
    package var rootFS = ImageInspection.RootFS()
    package var metadata = ImageInspection.Metadata()
    /// What registries and archives refer to the manifest with.
    package var descriptor: Descriptor?

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case id = "Id"
        case tags = "RepoTags"
        case digests = "RepoDigests"
        case parent = "Parent"
        case comment = "Comment"
        case created = "Created"
        case dockerVersion = "DockerVersion"
        case author = "Author"
        case config = "Config"
        case architecture = "Architecture"
        case variant = "Variant"
        case os = "Os"
        case size = "Size"
        case graphDriver = "GraphDriver"
        case rootFS = "RootFS"
        case metadata = "Metadata"
        case descriptor = "Descriptor"
    }
}

extension ImageInspection {
    /// The layers of an image by their diffIDs, bottom first.
    package struct RootFS: Hashable, Codable, Sendable {
        package var type = "layers"
        package var layers: [String] = []

        /// Docker's zero values.
        package init() {}

        enum CodingKeys: String, CodingKey {
            case type = "Type"
            case layers = "Layers"
        }
    }

    /// What a store knows of an image besides.
    package struct Metadata: Hashable, Codable, Sendable {
        /// RFC 3339; `DockerTime.never` for an image that never had a tag.
        package var lastTagTime = DockerTime.never

        /// Docker's zero values.
        package init() {}

        enum CodingKeys: String, CodingKey {
            case lastTagTime = "LastTagTime"
        }
    }
}

/// A step of an image's making: the Engine API's `GET /images/{name}/history`.
package struct ImageHistoryEntry: Hashable, Codable, Sendable {
    package var comment = ""
    /// Seconds since 1970.
    package var created: Int64 = 0
    package var createdBy = ""
    /// `<missing>` where no image is known.
    package var id = ""
    /// Bytes of its layer.
    package var size: Int64 = 0
    @OrNull package var tags: [String]?

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case comment = "Comment"
        case created = "Created"
        case createdBy = "CreatedBy"
        case id = "Id"
        case size = "Size"
        case tags = "Tags"
    }
}
