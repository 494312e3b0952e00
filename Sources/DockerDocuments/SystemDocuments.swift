/// Facts about a store and what it stands on: the part of the Engine API's `GET /info` that Strata knows, and members of its own.
package struct SystemInformation: Hashable, Codable, Sendable {
    package var containers = 0
    package var runningContainers = 0
    package var pausedContainers = 0
    package var stoppedContainers = 0
    package var images = 0
    /// Strata's own.
    package var layers = 0
    package var driver = ""
    package var osType = ""
    package var architecture = ""
    package var processorCount = 0
    /// The store's directory.
    package var dockerRoot = ""
    package var serverVersion = ""
    package var defaultRuntime = ""
    /// Strata's own.
    package var mountHelper = ""
    /// The same as `DockerRootDir`.
    package var strataRoot = ""

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case containers = "Containers"
        case runningContainers = "ContainersRunning"
        case pausedContainers = "ContainersPaused"
        case stoppedContainers = "ContainersStopped"
        case images = "Images"
        case layers = "Layers"
        case driver = "Driver"
        case osType = "OSType"
        case architecture = "Architecture"
        case processorCount = "NCPU"
        case dockerRoot = "DockerRootDir"
        case serverVersion = "ServerVersion"
        case defaultRuntime = "DefaultRuntime"
        case mountHelper = "MountHelper"
        case strataRoot = "StrataRootDir"
    }
}

/// The version: the part of the Engine API's `GET /version` that Strata knows.
package struct VersionInformation: Hashable, Codable, Sendable {
    package var version = ""
    package var os = ""
    package var architecture = ""

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case version = "Version"
        case os = "Os"
        case architecture = "Arch"
    }
}
