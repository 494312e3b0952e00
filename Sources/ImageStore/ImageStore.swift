public import Linux
public import OCI

/// Images, layers, containers and everything known of them, in one directory.
///
/// ```
/// catalog.sqlite      images, tags, layers, containers, cache records, mounts, leases
/// blobs/sha256/       manifests and configurations
/// layers/<id>/fs      one unpacked tree per layer, immutable, stored once by diffID
/// caches/<key>/       directories of RUN --mount=type=cache
/// containers/<id>/    upper, work, rootfs, config.json, logs
/// tmp/                everything unfinished
/// quarantine/         what `check` found damaged
/// ```
///
/// Publishing is: write under `tmp/`, make durable, rename, then one transaction of the catalog. Any number of
/// processes may use a store at once. A store may be used from any thread.
///
/// What keeps a layer in the store: an image, a container, a mount, a build-cache record, an unfinished pull, or a
/// lease of a living process. Every layer that a process imports or commits is leased to it until `releaseLeases()` or its end.
/// Leases belong to a handle: what works for itself, such as a build, has a `session` whose leases nobody else releases.
public final class ImageStore: Sendable {
    /// The store's directory, absolute.
    public let root: String
    /// Manifests and configurations.
    public let blobs: BlobStore
    /// How unions over the store's layers keep their notes: the store's own record, made with it.
    public let marks: OverlayMarks
    let catalog: Catalog
    /// Tells this handle's leases from those of others in the same process.
    let leaseOwner = RandomName.hex(digits: 16)

    /// Opens the store in a directory, making it where it is missing, and removes what dead processes left unfinished.
    ///
    /// The directory is the caller's alone, mode 0700: an existing one that others may enter is closed to them.
    ///
    /// - Parameter creating: whether a store is made where there is none.
    /// - Throws: `notPermitted` for a directory of another user's, or one that has other things in it and is open to all;
    ///   `noSuchStore` where there is none and none is to be made.
    public init(root: String, creating: Bool = true) throws(StoreError) {
        // The catalog waits for ever for a thread that it does not get.
        try attempting("open the store \(root)") { () throws(Errno) in try PrivateThread.require(2) }
        let absolute = try StoreDirectory.prepare(root, creating: creating)
        self.root = absolute
        blobs = BlobStore(directory: absolute + "/blobs/sha256", temporary: absolute + "/tmp")
        catalog = try Catalog(path: absolute + "/catalog.sqlite", lockedBy: absolute)
        marks = try ImageStore.recordedMarks(in: catalog, of: absolute)
        try TemporaryDirectory.sweep(absolute + "/tmp")
        do throws(StoreError) {
            try noticeNewBoot()
            try dropLeasesOfTheDead()
            try dropUnfinishedPathsOfTheDead()
            try finishRemovals()
            try dropUnfinishedPulls(olderThan: 86_400)
        } catch {
            // A full disk keeps nobody from reading, nor from removing what fills it.
            if error.code != .noSpace { throw error }
        }
    }

    /// Shares all of another handle but its leases.
    private init(sharing other: ImageStore) {
        root = other.root
        blobs = other.blobs
        catalog = other.catalog
        marks = other.marks
    }

    deinit {
        try? releaseLeases()
    }

    /// A further handle of the open store, at no cost. Its leases are its own, and end with it.
    public func session() -> ImageStore { ImageStore(sharing: self) }

    /// `tmp/`, where everything unfinished is.
    var temporary: String { root + "/tmp" }

    /// `quarantine/`, where `check` puts what is damaged.
    var quarantine: String { root + "/quarantine" }

    /// Makes a directory under `tmp/` for something unfinished, such as a layer that is being written.
    public func makeTemporaryDirectory() throws(StoreError) -> TemporaryDirectory {
        try TemporaryDirectory(in: temporary)
    }

    /// The unpacked tree of a layer: a lower directory.
    public func layerPath(_ id: LayerID) -> String { "\(root)/layers/\(id.rawValue)/fs" }

    /// The lower directories of a stack given bottom first, as a union takes them: top first, each once.
    ///
    /// A layer that occurs twice counts where it is highest: that place already decides every path the layer names.
    public func lowerPaths(_ layers: [LayerID]) -> [String] {
        var seen: Set<LayerID> = []
        return layers.reversed().filter { seen.insert($0).inserted }.map(layerPath)
    }
}
