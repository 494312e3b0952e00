public import OCI

/// What the catalog knows of an image.
public struct ImageRecord: Hashable, Sendable, Identifiable {
    /// The digest of the configuration: the image's ID.
    public var id: Digest
    /// The digest of the manifest.
    public var manifestDigest: Digest
    /// The tagged names of the image, sorted; empty for a dangling image.
    public var references: [Reference]
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

    /// Whether no name leads to the image (`<none>:<none>`).
    public var isDangling: Bool { references.isEmpty }

    /// Whether the image runs on a platform, whatever its variant.
    public func fits(_ platform: Platform) -> Bool {
        let found = configuration.platform
        return found.os == platform.os && found.architecture == platform.architecture
    }
}

/// A condition for listing images, as `--filter` takes it. An image is listed when it fits all conditions.
public enum ImageFilter: Hashable, Sendable {
    /// A label of the configuration, with a value where one is given.
    case label(String, value: String?)
    /// Whether the image has no name.
    case dangling(Bool)
    /// A pattern (`*`, `?`, `[…]`, none matching `/`) for the familiar name, or name and tag, of one of its references.
    case reference(String)
    /// Made before the image of that name or ID.
    case before(String)
    /// Made after the image of that name or ID.
    case since(String)

    /// Parses `key=value`; `badName` for an unknown key or an impossible value.
    public init(parsing text: String) throws(StoreError) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let value = parts.count == 2 ? parts[1] : nil
        switch (parts.first, value) {
        case ("label", let value?) where !value.isEmpty:
            let label = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            self = .label(label[0], value: label.count == 2 ? label[1] : nil)
        case ("dangling", "true"), ("dangling", "1"): self = .dangling(true)
        case ("dangling", "false"), ("dangling", "0"): self = .dangling(false)
        case ("reference", let value?) where !value.isEmpty: self = .reference(value)
        case ("before", let value?) where !value.isEmpty: self = .before(value)
        case ("since", let value?) where !value.isEmpty: self = .since(value)
        default:
            throw StoreError(
                .badName, "invalid filter \"\(text)\"",
                remedy: "use label=KEY[=VALUE], dangling=true|false, reference=PATTERN, before=IMAGE or since=IMAGE")
        }
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
