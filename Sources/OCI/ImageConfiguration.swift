/// The configuration of an image: what it runs on, how it runs, its layers and its history.
///
/// image-spec, "Image Configuration". The digest of this document is the image's ID. Members that the specification
/// does not name are kept in `other` and written back.
public struct ImageConfiguration: Hashable, Sendable {
    /// When the image was made.
    public var created: Timestamp?
    /// Who made it.
    public var author: String?
    /// The processor by Go's name.
    public var architecture: String
    /// The operating system by Go's name.
    public var os: String
    /// The version of the operating system.
    public var osVersion: String?
    /// The variant of the processor.
    public var variant: String?
    /// How containers of the image run.
    public var config: ContainerConfiguration
    /// The layers by the digests of their archives without compression.
    public var rootFS: RootFS
    /// What each layer came from, oldest first.
    public var history: [History]
    /// What else the document says.
    public var other: [String: JSONValue] = [:]

    /// The configuration of an image without layers.
    public init(
        created: Timestamp? = nil, author: String? = nil, platform: Platform = .current,
        config: ContainerConfiguration = ContainerConfiguration(), rootFS: RootFS = RootFS(diffIDs: []),
        history: [History] = []
    ) {
        self.created = created
        self.author = author
        self.architecture = platform.architecture
        self.os = platform.os
        self.variant = platform.variant
        self.config = config
        self.rootFS = rootFS
        self.history = history
    }

    /// What the image runs on.
    public var platform: Platform { Platform(architecture: architecture, os: os, variant: variant) }
}

/// The layers of an image by the digests of their archives; image-spec, "Image Configuration", `rootfs`.
public struct RootFS: Hashable, Codable, Sendable {
    /// Always `layers`.
    public var type = "layers"
    /// The digests of the layers' uncompressed archives, bottom first.
    public var diffIDs: [Digest]

    /// A stack of layers, bottom first.
    public init(diffIDs: [Digest]) { self.diffIDs = diffIDs }

    enum CodingKeys: String, CodingKey {
        case type
        case diffIDs = "diff_ids"
    }
}

extension ImageConfiguration {
    /// Gives each layer that the history does not tell of an entry at its end, so that the entry of a layer that comes
    /// next counts for that one; image-spec has one entry without `empty_layer` for each layer.
    ///
    /// - Parameter layers: how many layers the image has.
    public mutating func completeHistory(layers: Int) {
        let told = history.count { $0.emptyLayer != true }
        for _ in 0..<max(0, layers - told) { history.append(History(created: created)) }
    }
}

/// One step of an image's making; image-spec, "Image Configuration", `history`.
public struct History: Hashable, Codable, Sendable {
    /// When the step was done.
    public var created: Timestamp?
    /// The command or instruction.
    public var createdBy: String?
    /// Who did it.
    public var author: String?
    /// A remark, such as the message of a commit.
    public var comment: String?
    /// Whether the step made no layer.
    public var emptyLayer: Bool?

    /// Describes a step.
    public init(
        created: Timestamp? = nil, createdBy: String? = nil, author: String? = nil, comment: String? = nil,
        emptyLayer: Bool = false
    ) {
        self.created = created
        self.createdBy = createdBy
        self.author = author
        self.comment = comment
        self.emptyLayer = emptyLayer ? true : nil
    }

    enum CodingKeys: String, CodingKey {
        case created, author, comment
        case createdBy = "created_by"
        case emptyLayer = "empty_layer"
    }
}

extension ImageConfiguration: Codable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case created, author, architecture, os, variant, config, history
        case osVersion = "os.version"
        case rootFS = "rootfs"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        created = try container.decodeIfPresent(Timestamp.self, forKey: .created)
        author = try container.decodeIfPresent(String.self, forKey: .author)
        architecture = try container.decode(String.self, forKey: .architecture)
        os = try container.decode(String.self, forKey: .os)
        osVersion = try container.decodeIfPresent(String.self, forKey: .osVersion)
        variant = try container.decodeIfPresent(String.self, forKey: .variant)
        config =
            try container.decodeIfPresent(ContainerConfiguration.self, forKey: .config) ?? ContainerConfiguration()
        rootFS = try container.decode(RootFS.self, forKey: .rootFS)
        history = try container.decodeIfPresent([History].self, forKey: .history) ?? []
        other = try UnknownMembers.decode(decoder, besides: CodingKeys.self)
    }

    public func encode(to encoder: any Encoder) throws {
        try UnknownMembers.encode(other, to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(created, forKey: .created)
        try container.encodeIfPresent(author, forKey: .author)
        try container.encode(architecture, forKey: .architecture)
        try container.encode(os, forKey: .os)
        try container.encodeIfPresent(osVersion, forKey: .osVersion)
        try container.encodeIfPresent(variant, forKey: .variant)
        try container.encode(config, forKey: .config)
        try container.encode(rootFS, forKey: .rootFS)
        try container.encode(history, forKey: .history)
    }
}
