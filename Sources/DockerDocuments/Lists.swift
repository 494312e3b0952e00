package import OCI

/// A container as lists have it: the Engine API's `GET /containers/json`.
package struct ContainerListEntry: Hashable, Codable, Sendable {
    package var id = ""
    /// With a slash before each.
    package var names: [String] = []
    /// What the user called it, or its ID.
    package var image = ""
    package var imageID = ""
    package var command = ""
    /// Seconds since 1970.
    package var created: Int64 = 0
    package var ports: [ContainerListEntry.Port] = []
    package var writtenSize: Int64?
    package var rootSize: Int64?
    package var labels: [String: String] = [:]
    package var state = ""
    /// For people, such as `Up 3 seconds`.
    package var status = ""
    package var host = ContainerListEntry.Host()
    package var networkSettings = ContainerListEntry.Networks()
    package var mounts: [MountPoint] = []

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case id = "Id"
        case names = "Names"
        case image = "Image"
        case imageID = "ImageID"
        case command = "Command"
        case created = "Created"
        case ports = "Ports"
        case writtenSize = "SizeRw"
        case rootSize = "SizeRootFs"
        case labels = "Labels"
        case state = "State"
        case status = "Status"
        case host = "HostConfig"
        case networkSettings = "NetworkSettings"
        case mounts = "Mounts"
    }
}

extension ContainerListEntry {
    /// The part of `HostConfig` that lists have.
    package struct Host: Hashable, Codable, Sendable {
        package var networkMode = ""

        /// Docker's zero values.
        package init() {}

        enum CodingKeys: String, CodingKey {
            case networkMode = "NetworkMode"
        }
    }

    /// The part of `NetworkSettings` that lists have.
    package struct Networks: Hashable, Codable, Sendable {
        package var networks: [String: NetworkEndpoint] = [:]

        /// Docker's zero values.
        package init() {}

        enum CodingKeys: String, CodingKey {
            case networks = "Networks"
        }
    }

    /// A port of a container, and the host's that leads to it.
    package struct Port: Hashable, Codable, Sendable {
        package var address: String?
        package var privatePort = 0
        package var publicPort: Int?
        package var type = "tcp"

        /// Docker's zero values.
        package init() {}

        enum CodingKeys: String, CodingKey {
            case address = "IP"
            case privatePort = "PrivatePort"
            case publicPort = "PublicPort"
            case type = "Type"
        }
    }
}

/// An image as lists have it: the Engine API's `GET /images/json`.
package struct ImageListEntry: Hashable, Codable, Sendable {
    /// How many containers have it; -1 where nobody counted.
    package var containers = -1
    /// Seconds since 1970.
    package var created: Int64 = 0
    package var id = ""
    @OrNull package var labels: [String: String]?
    package var parentID = ""
    package var digests: [String] = []
    package var tags: [String] = []
    /// Bytes of layers that other images have too; -1 where nobody counted.
    package var sharedSize: Int64 = -1
    /// Bytes on disk.
    package var size: Int64 = 0

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case containers = "Containers"
        case created = "Created"
        case id = "Id"
        case labels = "Labels"
        case parentID = "ParentId"
        case digests = "RepoDigests"
        case tags = "RepoTags"
        case sharedSize = "SharedSize"
        case size = "Size"
    }
}
