public import FoundationEssentials
public import OCI

/// Where a container is in its life.
public enum ContainerState: String, Hashable, Codable, Sendable {
    /// Made, never started.
    case created
    /// Its process runs.
    case running
    /// Its process has ended.
    case exited
    /// It could not be removed, or was found broken.
    case dead
}

/// What the catalog knows of a container.
public struct ContainerRecord: Hashable, Sendable, Identifiable {
    /// 64 hexadecimal digits.
    public let id: String
    /// The unique name.
    public var name: String
    /// The image it was made from; nil where a build began from nothing. The image may be gone by now.
    public var imageID: Digest?
    /// What the user called that image.
    public var imageName: String
    /// The layers below its writable directory, bottom first.
    public var layerIDs: [LayerID]
    /// When it was made.
    public var createdAt: Timestamp
    /// Where it is in its life.
    public var state: ContainerState
    /// The first process in the container, as the host numbers it; nil while none runs.
    public var pid: Int32?
    /// The process that looks after the container; nil while none does.
    public var supervisor: ProcessIdentity?
    /// The status its last process ended with.
    public var exitCode: Int32?
    /// When its last process started.
    public var startedAt: Timestamp?
    /// When its last process ended.
    public var finishedAt: Timestamp?
    /// The command and its arguments.
    public var arguments: [String]
    /// The runtime's own description of the container; opaque to the store.
    public var configJSON: Data
    /// Whether it is a step of a build rather than a user's container.
    public var isBuild: Bool

    /// The first 12 digits of the ID, as tables show it.
    public var shortID: String { String(id.prefix(12)) }
}

/// Where a container's files are.
public struct ContainerPaths: Hashable, Sendable {
    /// `containers/<id>`; all others are in it.
    public var directory: String
    /// What the container wrote: the upper directory of its union.
    public var upper: String
    /// The union's working directory, on the same file system as `upper`.
    public var work: String
    /// Where the union is mounted: the container's `/`.
    public var rootfs: String
    /// The runtime bundle, which holds `config.json`.
    public var bundle: String
    /// What the container printed.
    public var log: String

    init(directory: String) {
        self.directory = directory
        upper = directory + "/upper"
        work = directory + "/work"
        rootfs = directory + "/rootfs"
        bundle = directory
        log = directory + "/container.log"
    }
}
