public import OCI

/// What the store takes on disk. All sizes are bytes of allocated blocks, as `du` counts them.
public struct DiskUsage: Sendable {
    /// One line of the summary.
    public struct Total: Hashable, Sendable {
        /// How many there are.
        public var count = 0
        /// How many of them are in use.
        public var active = 0
        /// Bytes they take; what several share is counted once.
        public var size: Int64 = 0
        /// Bytes that would be free without those not in use.
        public var reclaimable: Int64 = 0

        /// Puts a line together.
        public init(count: Int = 0, active: Int = 0, size: Int64 = 0, reclaimable: Int64 = 0) {
            self.count = count
            self.active = active
            self.size = size
            self.reclaimable = reclaimable
        }
    }

    /// One image.
    public struct Image: Hashable, Sendable {
        public var id: Digest
        public var references: [Reference]
        public var createdAt: Timestamp
        /// Bytes of all its layers and of its documents: `shared` + `unique`.
        public var size: Int64
        /// Bytes of layers that other images have too.
        public var shared: Int64
        /// Bytes of layers that only this image has, and of its documents.
        public var unique: Int64
        /// How many containers use it.
        public var containers: Int
    }

    /// One container.
    public struct Container: Hashable, Sendable {
        public var record: ContainerRecord
        /// Bytes of its directory: what it wrote, its log, its settings.
        public var size: Int64
    }

    /// One record of the build cache that holds a layer (the others take no room), or a directory of
    /// `RUN --mount=type=cache`.
    public struct Cache: Hashable, Sendable {
        public var record: CacheRecord
        /// Bytes of its layer or directory.
        public var size: Int64
        /// Whether an image or a container has the layer too; of a directory, whether a build is using it.
        public var isShared: Bool

        /// Whether it is a directory of `RUN --mount=type=cache`.
        public var isMount: Bool { record.kind == .mount }
        /// What people call such a directory; nil for the record of a step.
        public var mountName: String? {
            if case .mount(let name) = record.value { name } else { nil }
        }
    }

    /// Images: `size` is the bytes of all their layers and documents, `reclaimable` what pruning them all frees.
    public var imageTotal = Total()
    /// Containers: with layers that only containers keep; `reclaimable` is what pruning those that have ended frees.
    public var containerTotal = Total()
    /// Build cache: only layers that neither an image nor a container has, and directories of cache mounts, are counted
    /// in bytes.
    public var cacheTotal = Total()
    /// The images, newest first.
    public var images: [Image] = []
    /// The containers, newest first; builds are left out.
    public var containers: [Container] = []
    /// The build cache, most recently used first.
    public var cache: [Cache] = []
    /// Bytes of all layers, each once.
    public var layerBytes: Int64 = 0
    /// Bytes of layers that go when containers that have ended, images and build cache are pruned.
    public var reclaimableLayerBytes: Int64 = 0
    /// Bytes of the manifests and configurations of images.
    public var documentBytes: Int64 = 0
    /// Bytes of those of images that go when containers that have ended are pruned, and then images.
    public var reclaimableDocumentBytes: Int64 = 0
    /// Bytes of the directories of `RUN --mount=type=cache`.
    public var cacheMountBytes: Int64 = 0
    /// Bytes of those that no build is using.
    public var reclaimableCacheMountBytes: Int64 = 0
    /// Bytes of everything else in the store but volumes: the catalog, what is unfinished, the directories themselves.
    public var overheadBytes: Int64 = 0
    /// IDs of containers that pruning leaves alone: running, mounted, or of a build.
    public var activeContainers: Set<String> = []

    /// Bytes of the store without its volumes, as `du` counts them.
    public var storeBytes: Int64 {
        layerBytes + documentBytes + cacheMountBytes + overheadBytes + containers.reduce(0) { $0 + $1.size }
    }

    /// Bytes that are free after pruning containers, images and build cache.
    public var reclaimableBytes: Int64 {
        reclaimableLayerBytes + reclaimableDocumentBytes + reclaimableCacheMountBytes
            + containers.reduce(0) { $0 + (activeContainers.contains($1.record.id) ? 0 : $1.size) }
    }
}
