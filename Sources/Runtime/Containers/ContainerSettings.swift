public import ImageStore
public import OCI

/// How a container runs, once options and image are put together; what the catalog keeps of it as JSON.
public struct ContainerSettings: Hashable, Codable, Sendable {
    /// The image's configuration with the options over it: what `commit` gives to the new image.
    public var configuration: ContainerConfiguration
    public var terminal: Bool
    public var interactive: Bool
    /// Whether it was made to run in the background; nil where it was made before this was kept.
    private var keptDetached: Bool?
    /// The host name; nil for the first twelve digits of the id.
    public var hostname: String?
    /// What is mounted from outside.
    public var volumes: [VolumeMount]
    public var autoRemove: Bool
    /// `-p` arguments, for containers with networks of their own.
    public var publish: [String]
    public var publishAll: Bool
    /// What it has of the host, and what limits it; nil where it was made before this was kept, for the defaults.
    private var keptIsolation: Isolation?

    /// Whether it was made to run in the background, so that nobody is attached to it from the beginning.
    public var isDetached: Bool { keptDetached ?? false }

    /// What it has of the host, and what limits it.
    public var isolation: Isolation {
        get { keptIsolation ?? Isolation() }
        set { keptIsolation = newValue }
    }

    /// The entrypoint and the command that follows it.
    public var arguments: [String] { (configuration.entrypoint ?? []) + (configuration.cmd ?? []) }

    /// Puts an image's configuration and options together by Docker's rules; `badOption` when there is nothing to run
    /// or an option makes no sense.
    ///
    /// - Parameter makeName: gives an anonymous volume its name.
    public init(
        image: ContainerConfiguration, options: ContainerOptions, makeName: () -> String
    ) throws(RuntimeError) {
        var merged = image
        if let entrypoint = options.entrypoint {
            // The image's command was meant for its own entrypoint.
            merged.entrypoint = entrypoint.isEmpty || entrypoint == [""] ? nil : entrypoint
            merged.cmd = nil
        }
        if !options.command.isEmpty { merged.cmd = options.command }
        for entry in options.environment { try Self.apply(entry, to: &merged) }
        if let directory = options.workingDirectory {
            guard directory.hasPrefix("/") else {
                throw RuntimeError(
                    .badOption, "the working directory '\(directory)' is invalid, it needs to be an absolute path")
            }
            merged.workingDir = ContainerPath.normalized(directory)
        }
        if let user = options.user { merged.user = user }
        merged.labels.merge(options.labels) { _, new in new }
        if let signal = options.stopSignal {
            _ = try Signals.number(signal)
            merged.stopSignal = signal
        }
        configuration = merged
        terminal = options.terminal
        interactive = options.interactive
        keptDetached = options.isDetached
        hostname = options.hostname
        if let name = options.hostname { try HostName.check(name) }
        autoRemove = options.autoRemove
        publish = options.publish
        publishAll = options.publishAll
        volumes = try Self.volumes(image: image, options: options, makeName: makeName)
        keptIsolation = try options.isolation()
        try PortMapping.check(options)
        if arguments.isEmpty {
            throw RuntimeError(.badOption, "no command specified", remedy: "give one after the image's name")
        }
    }

    /// What is known of a build step's command that is kept as a container.
    init(keeping command: BuildCommand) {
        configuration = ContainerConfiguration()
        configuration.cmd = command.arguments
        configuration.env = command.environment
        configuration.workingDir = command.workingDirectory
        configuration.user = command.user
        terminal = false
        interactive = false
        hostname = nil
        volumes = []
        autoRemove = false
        publish = []
        publishAll = false
        var isolation = command.isolation
        // What a step was allowed for the time of a build is not handed on.
        isolation.isPrivileged = false
        keptIsolation = isolation
    }

    /// `NAME=value` sets a variable, `NAME` removes it.
    static func apply(_ entry: String, to configuration: inout ContainerConfiguration) throws(RuntimeError) {
        let name = String(entry.prefix { $0 != "=" })
        if name.isEmpty { throw RuntimeError(.badOption, "invalid environment variable: \(entry)") }
        if name.count < entry.count {
            configuration.setEnvironment(name, to: String(entry.dropFirst(name.count + 1)))
        } else {
            configuration.removeEnvironment(name)
        }
    }

    /// The volumes asked for, and an anonymous one for each other path that the image declares.
    private static func volumes(
        image: ContainerConfiguration, options: ContainerOptions, makeName: () -> String
    ) throws(RuntimeError) -> [VolumeMount] {
        var volumes: [VolumeMount] = []
        for text in options.volumes {
            let volume = try VolumeMount.parse(text, makeName: makeName)
            if volumes.contains(where: { $0.destination == volume.destination }) {
                throw RuntimeError(.badOption, "duplicate mount point: \(volume.destination)")
            }
            volumes.append(volume)
        }
        for path in image.volumes.map(ContainerPath.normalized).sorted() where path != "/" {
            if volumes.contains(where: { $0.destination == path }) { continue }
            volumes.append(VolumeMount(source: .anonymous(makeName()), destination: path))
        }
        return volumes
    }
}

extension ContainerRecord {
    /// How the container runs; nil where what the catalog has of it cannot be read.
    public var settings: ContainerSettings? { try? JSON.decode(ContainerSettings.self, from: configJSON) }
}
