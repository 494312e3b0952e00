package import OCI

/// How the containers of an image run, or how one container does.
package struct ContainerConfig: Hashable, Codable, Sendable {
    package var hostname = ""
    package var domainname = ""
    package var user = ""
    package var attachesInput = false
    package var attachesOutput = false
    package var attachesErrors = false
    package var exposedPorts: [String: EmptyObject]?
    package var hasTerminal = false
    package var opensInput = false
    /// Whether the input ends with the first client that has it.
    package var opensInputOnce = false
    /// `NAME=value`.
    @OrNull package var environment: [String]?
    @OrNull package var command: [String]?
    package var healthcheck: Healthcheck?
    package var argsEscaped: Bool?
    /// What the user called the image; empty for an image's own configuration.
    package var image = ""
    @OrNull package var volumes: [String: EmptyObject]?
    package var workingDirectory = ""
    @OrNull package var entrypoint: [String]?
    @OrNull package var onBuild: [String]?
    @OrNull package var labels: [String: String]?
    package var stopSignal: String?
    /// Seconds.
    package var stopTimeout: Int?
    package var shell: [String]?

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case hostname = "Hostname"
        case domainname = "Domainname"
        case user = "User"
        case attachesInput = "AttachStdin"
        case attachesOutput = "AttachStdout"
        case attachesErrors = "AttachStderr"
        case exposedPorts = "ExposedPorts"
        case hasTerminal = "Tty"
        case opensInput = "OpenStdin"
        case opensInputOnce = "StdinOnce"
        case environment = "Env"
        case command = "Cmd"
        case healthcheck = "Healthcheck"
        case argsEscaped = "ArgsEscaped"
        case image = "Image"
        case volumes = "Volumes"
        case workingDirectory = "WorkingDir"
        case entrypoint = "Entrypoint"
        case onBuild = "OnBuild"
        case labels = "Labels"
        case stopSignal = "StopSignal"
        case stopTimeout = "StopTimeout"
        case shell = "Shell"
    }
}

/// What Go writes for the members of a set: `{}`.
package struct EmptyObject: Hashable, Codable, Sendable {
    package init() {}
}
