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
        /// Bytes of all its layers: `shared` + `unique`.
        public var size: Int64
        /// Bytes of layers that other images have too.
        public var shared: Int64
        /// Bytes of layers that only this image has.
        public var unique: Int64
        /// How many containers use it.
        public var containers: Int
    }

    /// One container.
    public struct Container: Hashable, Sendable {
        public var record: ContainerRecord
        /// Bytes of what it wrote: its upper directory.
        public var size: Int64
    }

    /// One record of the build cache that holds a layer; the others take no room.
    public struct Cache: Hashable, Sendable {
        public var record: CacheRecord
        /// Bytes of its layer.
        public var size: Int64
        /// Whether an image or a container has the layer too.
        public var isShared: Bool
    }

    /// Images: `size` is the bytes of all their layers, `reclaimable` those that no container stands on.
    public var imageTotal = Total()
    /// Containers: `reclaimable` is what those that do not run have written.
    public var containerTotal = Total()
    /// Build cache: only layers that neither an image nor a container has are counted in bytes.
    public var cacheTotal = Total()
    /// The images, newest first.
    public var images: [Image] = []
    /// The containers, newest first; builds are left out.
    public var containers: [Container] = []
    /// The build cache, most recently used first.
    public var cache: [Cache] = []
    /// Bytes of all layers, each once.
    public var layerBytes: Int64 = 0
    /// Bytes of all layers less bytes of layers that a container stands on.
    public var reclaimableLayerBytes: Int64 = 0
}
