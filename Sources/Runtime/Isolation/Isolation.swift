/// What a container or the command of a build step has of the host, and what limits it.
public struct Isolation: Hashable, Sendable {
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

    /// Which network it is on.
    public var network = ContainerNetwork.host
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
    public var limits: [RuntimeSpecification.Limit] = []

    /// Docker's defaults with the host's network.
    public init() {}
}

extension Isolation: Codable {
    private enum CodingKeys: CodingKey {
        case network, isPrivileged, addedCapabilities, droppedCapabilities, securityOptions, masksSystemPaths
        case isReadOnly, resources, hosts, sharedMemory, limits
        /// What older versions kept in the place of `network`.
        case hasNetwork
    }

    /// Reads what was kept; what an older version did not keep is as by default.
    public init(from decoder: any Decoder) throws {
        let kept = try decoder.container(keyedBy: CodingKeys.self)
        func read<Value: Decodable>(_ key: CodingKeys, into value: inout Value) throws {
            value = try kept.decodeIfPresent(Value.self, forKey: key) ?? value
        }
        if try kept.decodeIfPresent(Bool.self, forKey: .hasNetwork) == false { network = .none }
        try read(.network, into: &network)
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

    /// Writes what is kept.
    public func encode(to encoder: any Encoder) throws {
        var kept = encoder.container(keyedBy: CodingKeys.self)
        try kept.encode(network, forKey: .network)
        try kept.encode(isPrivileged, forKey: .isPrivileged)
        try kept.encode(addedCapabilities, forKey: .addedCapabilities)
        try kept.encode(droppedCapabilities, forKey: .droppedCapabilities)
        try kept.encode(securityOptions, forKey: .securityOptions)
        try kept.encode(masksSystemPaths, forKey: .masksSystemPaths)
        try kept.encode(isReadOnly, forKey: .isReadOnly)
        try kept.encode(resources, forKey: .resources)
        try kept.encode(hosts, forKey: .hosts)
        try kept.encodeIfPresent(sharedMemory, forKey: .sharedMemory)
        try kept.encode(limits, forKey: .limits)
    }
}
