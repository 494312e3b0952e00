/// What a container or the command of a build step has of the host, and what limits it.
public struct Isolation: Hashable, Sendable {
    /// A limit of setrlimit(2); runtime-spec, `process.rlimits`.
    public struct Limit: Hashable, Codable, Sendable {
        /// The name, such as `RLIMIT_NOFILE`.
        public var type: String
        /// What cannot be raised.
        public var hard: UInt64
        /// What counts.
        public var soft: UInt64

        /// Puts a limit together.
        public init(type: String, soft: UInt64, hard: UInt64) {
            self.type = type
            self.soft = soft
            self.hard = hard
        }
    }

    /// A line of `/etc/hosts`.
    public struct Host: Hashable, Codable, Sendable {
        /// The name.
        public var name: String
        /// Its address.
        public var address: String

        /// Puts a line together.
        public init(name: String, address: String) {
            self.name = name
            self.address = address
        }
    }

    /// Whether it has the host's network; without, it has a network of its own with nothing but the loopback.
    public var hasNetwork = true
    /// Whether it has all capabilities that this process has, all devices, no filter of system calls, and nothing of
    /// `/proc` and `/sys` hidden.
    public var isPrivileged = false
    /// Capabilities besides the usual ones, as `CAP_SYS_ADMIN`, or `ALL`.
    public var addedCapabilities: [String] = []
    /// Capabilities that it lacks of the usual ones, likewise.
    public var droppedCapabilities: [String] = []
    /// `--security-opt` values as Docker keeps them; see `SecurityOptions`.
    public var securityOptions: [String] = []
    /// Whether `/proc` and `/sys` show less than there is, and cannot be written where that concerns the host.
    public var masksSystemPaths = true
    /// Whether the root file system cannot be written.
    public var isReadOnly = false
    /// What it may use.
    public var resources = ResourceLimits()
    /// Lines for `/etc/hosts` besides the host's.
    public var hosts: [Host] = []
    /// The size of `/dev/shm` in bytes; nil for Docker's 64 MiB.
    public var sharedMemory: Int64?
    /// Limits of each process; without them those of this process hold.
    public var limits: [Limit] = []

    /// Docker's defaults with the host's network.
    public init() {}
}

extension Isolation: Codable {
    private enum CodingKeys: CodingKey {
        case hasNetwork, isPrivileged, addedCapabilities, droppedCapabilities, securityOptions, masksSystemPaths
        case isReadOnly, resources, hosts, sharedMemory, limits
    }

    /// Reads what was kept; what an older version did not keep is as by default.
    public init(from decoder: any Decoder) throws {
        let kept = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, into value: inout Value) throws {
            value = try kept.decodeIfPresent(Value.self, forKey: key) ?? value
        }
        try read(.hasNetwork, into: &hasNetwork)
        try read(.isPrivileged, into: &isPrivileged)
        try read(.addedCapabilities, into: &addedCapabilities)
        try read(.droppedCapabilities, into: &droppedCapabilities)
        try read(.securityOptions, into: &securityOptions)
        try read(.masksSystemPaths, into: &masksSystemPaths)
        try read(.isReadOnly, into: &isReadOnly)
        try read(.resources, into: &resources)
        try read(.hosts, into: &hosts)
        sharedMemory = try kept.decodeIfPresent(Int64.self, forKey: .sharedMemory)
        try read(.limits, into: &limits)
    }
}
