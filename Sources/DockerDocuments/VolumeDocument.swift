package import OCI

/// A volume: the Engine API's `GET /volumes/{name}`.
package struct VolumeDocument: Hashable, Codable, Sendable {
    /// RFC 3339.
    package var createdAt = ""
    package var driver = "local"
    @OrNull package var labels: [String: String]?
    /// Where its files are.
    package var mountPoint = ""
    package var name = ""
    @OrNull package var options: [String: String]?
    package var scope = "local"
    package var usage: VolumeDocument.Usage?

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case createdAt = "CreatedAt"
        case driver = "Driver"
        case labels = "Labels"
        case mountPoint = "Mountpoint"
        case name = "Name"
        case options = "Options"
        case scope = "Scope"
        case usage = "UsageData"
    }
}

extension VolumeDocument {
    /// What a volume takes.
    package struct Usage: Hashable, Codable, Sendable {
        /// How many containers have it.
        package var links = 0
        /// Bytes on disk.
        package var size: Int64 = 0

        /// Docker's zero values.
        package init() {}

        enum CodingKeys: String, CodingKey {
            case links = "RefCount"
            case size = "Size"
        }
    }
}

/// All volumes: the Engine API's `GET /volumes`.
package struct VolumeListing: Hashable, Codable, Sendable {
    package var volumes: [VolumeDocument] = []
    @OrNull package var warnings: [String]?

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case volumes = "Volumes"
        case warnings = "Warnings"
    }
}

/// What a store takes on disk: the Engine API's `GET /system/df`.
package struct DiskUsageDocument: Hashable, Codable, Sendable {
    /// Bytes of all layers.
    package var layersSize: Int64 = 0
    package var images: [ImageListEntry] = []
    package var containers: [ContainerListEntry] = []
    package var volumes: [VolumeDocument] = []
    @OrNull package var buildCache: [DiskUsageDocument.CacheRecord]?

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case layersSize = "LayersSize"
        case images = "Images"
        case containers = "Containers"
        case volumes = "Volumes"
        case buildCache = "BuildCache"
    }
}

extension DiskUsageDocument {
    /// A record of the build cache.
    package struct CacheRecord: Hashable, Codable, Sendable {
        package var id = ""
        /// `regular` or `exec.cachemount`.
        package var type = ""
        package var isInUse = false
        package var isShared = false
        package var size: Int64 = 0
        package var createdAt = ""
        @OrNull package var lastUsedAt: String?
        package var usageCount = 0

        /// Docker's zero values.
        package init() {}

        enum CodingKeys: String, CodingKey {
            case id = "ID"
            case type = "Type"
            case isInUse = "InUse"
            case isShared = "Shared"
            case size = "Size"
            case createdAt = "CreatedAt"
            case lastUsedAt = "LastUsedAt"
            case usageCount = "UsageCount"
        }
    }
}
