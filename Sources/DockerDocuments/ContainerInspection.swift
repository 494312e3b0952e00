package import OCI

/// A container as `inspect` describes it: the Engine API's `GET /containers/{id}/json`.
package struct ContainerInspection: Hashable, Codable, Sendable {
    package var id = ""
    /// RFC 3339.
    package var created = ""
    /// The program.
    package var path = ""
    /// Its arguments.
    package var arguments: [String] = []
    package var state = ContainerInspection.State()
    /// The ID of the image.
    package var imageID = ""
    package var resolverPath = ""
    package var hostnamePath = ""
    package var hostsPath = ""
    package var logPath = ""
    /// With a slash before it.
    package var name = ""
    package var restartCount = 0
    package var driver = ""
    package var platform = ""
    package var mountLabel = ""
    package var processLabel = ""
    package var appArmorProfile = ""
    @OrNull package var execIDs: [String]?
    package var hostConfig = HostConfig()
    package var graphDriver = GraphDriver()
    /// Bytes that it wrote; nil where nobody asked.
    package var writtenSize: Int64?
    /// Bytes of that and of its image; nil where nobody asked.
    package var rootSize: Int64?
    package var mounts: [MountPoint] = []
    package var config = ContainerConfig()
    package var networkSettings = NetworkSettings()

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case id = "Id"
        case created = "Created"
        case path = "Path"
        case arguments = "Args"
        case state = "State"
        case imageID = "Image"
        case resolverPath = "ResolvConfPath"
        case hostnamePath = "HostnamePath"
        case hostsPath = "HostsPath"
        case logPath = "LogPath"
        case name = "Name"
        case restartCount = "RestartCount"
        case driver = "Driver"
        case platform = "Platform"
        case mountLabel = "MountLabel"
        case processLabel = "ProcessLabel"
        case appArmorProfile = "AppArmorProfile"
        case execIDs = "ExecIDs"
        case hostConfig = "HostConfig"
        case graphDriver = "GraphDriver"
        case writtenSize = "SizeRw"
        case rootSize = "SizeRootFs"
        case mounts = "Mounts"
        case config = "Config"
        case networkSettings = "NetworkSettings"
    }
}

extension ContainerInspection {
    /// Where a container is in its life.
    package struct State: Hashable, Codable, Sendable {
        /// `created`, `running`, `exited` or another of Docker's words.
        package var status = ""
        package var isRunning = false
        package var isPaused = false
        package var isRestarting = false
        package var isOutOfMemoryKilled = false
        package var isDead = false
        /// 0 while none runs.
        package var pid = 0
        package var exitCode = 0
        package var errorText = ""
        /// RFC 3339; `DockerTime.never` before.
        package var startedAt = DockerTime.never
        package var finishedAt = DockerTime.never

        /// Docker's zero values.
        package init() {}

        enum CodingKeys: String, CodingKey {
            case status = "Status"
            case isRunning = "Running"
            case isPaused = "Paused"
            case isRestarting = "Restarting"
            case isOutOfMemoryKilled = "OOMKilled"
            case isDead = "Dead"
            case pid = "Pid"
            case exitCode = "ExitCode"
            case errorText = "Error"
            case startedAt = "StartedAt"
            case finishedAt = "FinishedAt"
        }
    }
}

/// What is mounted in a container from outside.
package struct MountPoint: Hashable, Codable, Sendable {
    /// `bind` or `volume`.
    package var type = ""
    /// The volume's; nil for a path of the host's.
    package var name: String?
    /// The path on the host.
    package var source = ""
    /// The path in the container.
    package var destination = ""
    /// The volume's; nil for a path of the host's.
    package var driver: String?
    package var mode = ""
    package var isWritable = false
    package var propagation = ""

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case type = "Type"
        case name = "Name"
        case source = "Source"
        case destination = "Destination"
        case driver = "Driver"
        case mode = "Mode"
        case isWritable = "RW"
        case propagation = "Propagation"
    }
}

/// Where the directories of an image or a container are.
package struct GraphDriver: Hashable, Codable, Sendable {
    package var data: [String: String] = [:]
    package var name = ""

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case data = "Data"
        case name = "Name"
    }
}

/// Points in time as Docker writes them.
package enum DockerTime {
    /// Go's zero time: what has not happened.
    package static let never = "0001-01-01T00:00:00Z"
}
