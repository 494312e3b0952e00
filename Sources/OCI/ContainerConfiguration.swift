/// How containers of an image run by default; image-spec, "Image Configuration", `config`, with Docker's additions.
///
/// Empty collections and nil are not written.
public struct ContainerConfiguration: Hashable, Sendable {
    /// The host name; rarely set in images.
    public var hostname: String?
    /// User and group as `user[:group]`, names or numbers; nil or empty means root.
    public var user: String?
    /// Ports that the image listens on, as `80/tcp`.
    public var exposedPorts: Set<String> = []
    /// Environment, as `NAME=value`, in order.
    public var env: [String] = []
    /// Arguments to which the command is appended.
    public var entrypoint: [String]?
    /// Default arguments.
    public var cmd: [String]?
    /// Paths that hold a container's own data.
    public var volumes: Set<String> = []
    /// The directory in which the process starts; nil or empty means `/`.
    public var workingDir: String?
    /// Free properties.
    public var labels: [String: String] = [:]
    /// The signal that asks the process to stop, by name or number; nil means SIGTERM.
    public var stopSignal: String?
    /// How long to wait after that signal, in seconds.
    public var stopTimeout: Int?
    /// The shell for shell-form instructions; nil means `/bin/sh -c`.
    public var shell: [String]?
    /// Instructions to carry out when another image is built from this one.
    public var onBuild: [String] = []
    /// How to find out whether a container works.
    public var healthcheck: Healthcheck?
    /// Whether the command is already escaped; Windows only.
    public var argsEscaped: Bool?
    /// What else the document says.
    public var other: [String: JSONValue] = [:]

    /// A configuration that sets nothing.
    public init() {}

    /// The value of an environment variable, by its last setting.
    public func environmentValue(_ name: String) -> String? {
        env.last { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    /// Removes an environment variable.
    public mutating func removeEnvironment(_ name: String) { env.removeAll { $0.hasPrefix(name + "=") } }

    /// Sets an environment variable: in its place where it was set before, else at the end.
    public mutating func setEnvironment(_ name: String, to value: String) {
        if let index = env.firstIndex(where: { $0.hasPrefix(name + "=") }) {
            env[index] = "\(name)=\(value)"
        } else {
            env.append("\(name)=\(value)")
        }
    }
}

/// Docker's health check; times in nanoseconds.
public struct Healthcheck: Hashable, Codable, Sendable {
    /// `["NONE"]`, `["CMD", args…]` or `["CMD-SHELL", command]`.
    public var test: [String]?
    /// Between two checks.
    public var interval: Int64?
    /// For one check.
    public var timeout: Int64?
    /// From the start until failures count.
    public var startPeriod: Int64?
    /// Between two checks during the start period.
    public var startInterval: Int64?
    /// Failures in a row that make the container unhealthy.
    public var retries: Int?

    /// A check that sets nothing but its command.
    public init(test: [String]? = nil) { self.test = test }

    enum CodingKeys: String, CodingKey {
        case test = "Test"
        case interval = "Interval"
        case timeout = "Timeout"
        case startPeriod = "StartPeriod"
        case startInterval = "StartInterval"
        case retries = "Retries"
    }
}

extension ContainerConfiguration: Codable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case hostname = "Hostname"
        case user = "User"
        case exposedPorts = "ExposedPorts"
        case env = "Env"
        case entrypoint = "Entrypoint"
        case cmd = "Cmd"
        case volumes = "Volumes"
        case workingDir = "WorkingDir"
        case labels = "Labels"
        case stopSignal = "StopSignal"
        case stopTimeout = "StopTimeout"
        case shell = "Shell"
        case onBuild = "OnBuild"
        case healthcheck = "Healthcheck"
        case argsEscaped = "ArgsEscaped"
    }

    /// The value of a set member: Go writes a set as an object of empty objects.
    private struct Present: Codable {}

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func set(_ key: CodingKeys) throws -> Set<String> {
            Set(try container.decodeIfPresent([String: Present].self, forKey: key)?.keys.map { $0 } ?? [])
        }
        hostname = try container.decodeIfPresent(String.self, forKey: .hostname)
        user = try container.decodeIfPresent(String.self, forKey: .user)
        exposedPorts = try set(.exposedPorts)
        env = try container.decodeIfPresent([String].self, forKey: .env) ?? []
        entrypoint = try container.decodeIfPresent([String].self, forKey: .entrypoint)
        cmd = try container.decodeIfPresent([String].self, forKey: .cmd)
        volumes = try set(.volumes)
        workingDir = try container.decodeIfPresent(String.self, forKey: .workingDir)
        labels = try container.decodeIfPresent([String: String].self, forKey: .labels) ?? [:]
        stopSignal = try container.decodeIfPresent(String.self, forKey: .stopSignal)
        stopTimeout = try container.decodeIfPresent(Int.self, forKey: .stopTimeout)
        shell = try container.decodeIfPresent([String].self, forKey: .shell)
        onBuild = try container.decodeIfPresent([String].self, forKey: .onBuild) ?? []
        healthcheck = try container.decodeIfPresent(Healthcheck.self, forKey: .healthcheck)
        argsEscaped = try container.decodeIfPresent(Bool.self, forKey: .argsEscaped)
        other = try UnknownMembers.decode(decoder, besides: CodingKeys.self)
    }

    public func encode(to encoder: any Encoder) throws {
        try UnknownMembers.encode(other, to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        func set(_ members: Set<String>, _ key: CodingKeys) throws {
            if members.isEmpty { return }
            try container.encode(Dictionary(uniqueKeysWithValues: members.map { ($0, Present()) }), forKey: key)
        }
        func text(_ value: String?, _ key: CodingKeys) throws {
            if let value, !value.isEmpty { try container.encode(value, forKey: key) }
        }
        try text(hostname, .hostname)
        try text(user, .user)
        try set(exposedPorts, .exposedPorts)
        if !env.isEmpty { try container.encode(env, forKey: .env) }
        try container.encodeIfPresent(entrypoint, forKey: .entrypoint)
        try container.encodeIfPresent(cmd, forKey: .cmd)
        try set(volumes, .volumes)
        try text(workingDir, .workingDir)
        if !labels.isEmpty { try container.encode(labels, forKey: .labels) }
        try text(stopSignal, .stopSignal)
        try container.encodeIfPresent(stopTimeout, forKey: .stopTimeout)
        try container.encodeIfPresent(shell, forKey: .shell)
        if !onBuild.isEmpty { try container.encode(onBuild, forKey: .onBuild) }
        try container.encodeIfPresent(healthcheck, forKey: .healthcheck)
        try container.encodeIfPresent(argsEscaped, forKey: .argsEscaped)
    }
}
