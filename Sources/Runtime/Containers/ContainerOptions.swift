/// How a container is to be made: what `create` and `run` take besides the image.
public struct ContainerOptions: Hashable, Sendable {
    /// A name; nil for a random one.
    public var name: String?
    /// The command and its arguments; empty for the image's.
    public var command: [String] = []
    /// What replaces the image's entrypoint, and its command with it; `[]` removes the entrypoint.
    public var entrypoint: [String]?
    /// `NAME=value`, or `NAME` to remove a variable, over the image's environment.
    public var environment: [String] = []
    /// The working directory, absolute; nil for the image's.
    public var workingDirectory: String?
    /// `user[:group]`; nil for the image's.
    public var user: String?
    /// `-v` arguments: `host:container[:ro]`, `name:container[:ro]` or `container`.
    public var volumes: [String] = []
    /// Whether the container gets a pseudo-terminal.
    public var terminal = false
    /// Whether standard input stays open.
    public var interactive = false
    /// Whether it runs in the background, so that nobody is attached to it from the beginning.
    public var isDetached = false
    /// The host name; nil for the first twelve digits of the id.
    public var hostname: String?
    /// Labels over the image's.
    public var labels: [String: String] = [:]
    /// `--network`: `host` or `none`; nil and `default` for the host's.
    public var network: String?
    /// `-p` arguments; see `PortMapping`.
    public var publish: [String] = []
    /// `-P`: publish every exposed port.
    public var publishAll = false
    /// Whether the container goes when its process ends.
    public var autoRemove = false
    /// The signal for `stop`, by name or number; nil for the image's.
    public var stopSignal: String?
    /// `--cap-add` arguments.
    public var addedCapabilities: [String] = []
    /// `--cap-drop` arguments.
    public var droppedCapabilities: [String] = []
    /// `--security-opt` arguments.
    public var securityOptions: [String] = []
    /// Whether the root file system cannot be written.
    public var isReadOnly = false
    /// What the container may use.
    public var resources = ResourceLimits()
    /// What `image` was asked for, as `ps` shows it; nil shows the image's id.
    public var imageName: String?

    /// Everything as the image says.
    public init() {}
}

extension ContainerOptions {
    /// What the options say of the host; `badOption` for what makes no sense.
    func isolation() throws(RuntimeError) -> Isolation {
        var isolation = Isolation()
        isolation.network = try ContainerNetwork(named: network)
        isolation.addedCapabilities = try addedCapabilities.map { name throws(RuntimeError) in
            try Capability.named(name)
        }
        isolation.droppedCapabilities = try droppedCapabilities.map { name throws(RuntimeError) in
            try Capability.named(name)
        }
        (isolation.securityOptions, isolation.masksSystemPaths) = try SecurityOptions.normalized(securityOptions)
        isolation.isReadOnly = isReadOnly
        try resources.check()
        isolation.resources = resources
        return isolation
    }
}
