public import Linux
public import OCI

/// A mount of an image or a container that a mount server holds. Its layers are in use while that process lives.
public struct MountRecord: Hashable, Sendable {
    /// The directory that it is mounted on, absolute.
    public var mountPoint: String
    /// The image that is mounted.
    public var imageID: Digest?
    /// The container that is mounted.
    public var containerID: String?
    /// The layers, bottom first.
    public var layerIDs: [LayerID]
    /// Whether nothing can be written.
    public var readOnly: Bool
    /// The mount server.
    public var server: ProcessIdentity
    /// Which mount it is; nil for one that was recorded by an earlier version of Strata.
    public var identity: MountIdentity?
    /// When it was mounted.
    public var createdAt: Timestamp

    /// Describes a mount.
    public init(
        mountPoint: String, imageID: Digest? = nil, containerID: String? = nil, layerIDs: [LayerID], readOnly: Bool,
        server: ProcessIdentity, identity: MountIdentity? = nil, createdAt: Timestamp = .now
    ) {
        self.mountPoint = mountPoint
        self.imageID = imageID
        self.containerID = containerID
        self.layerIDs = layerIDs
        self.readOnly = readOnly
        self.server = server
        self.identity = identity
        self.createdAt = createdAt
    }
}
