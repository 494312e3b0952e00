package import OCI

/// The networks of a container.
package struct NetworkSettings: Hashable, Codable, Sendable {
    package var bridge = ""
    package var sandboxID = ""
    package var sandboxKey = ""
    package var ports: [String: [PortBinding]] = [:]
    package var isHairpin = false
    package var linkLocalIPv6Address = ""
    package var linkLocalIPv6PrefixLength = 0
    @OrNull package var secondaryIPAddresses: [JSONValue]?
    @OrNull package var secondaryIPv6Addresses: [JSONValue]?
    package var endpointID = ""
    package var gateway = ""
    package var globalIPv6Address = ""
    package var globalIPv6PrefixLength = 0
    package var ipAddress = ""
    package var ipPrefixLength = 0
    package var ipv6Gateway = ""
    package var macAddress = ""
    package var networks: [String: NetworkEndpoint] = [:]

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case bridge = "Bridge"
        case sandboxID = "SandboxID"
        case sandboxKey = "SandboxKey"
        case ports = "Ports"
        case isHairpin = "HairpinMode"
        case linkLocalIPv6Address = "LinkLocalIPv6Address"
        case linkLocalIPv6PrefixLength = "LinkLocalIPv6PrefixLen"
        case secondaryIPAddresses = "SecondaryIPAddresses"
        case secondaryIPv6Addresses = "SecondaryIPv6Addresses"
        case endpointID = "EndpointID"
        case gateway = "Gateway"
        case globalIPv6Address = "GlobalIPv6Address"
        case globalIPv6PrefixLength = "GlobalIPv6PrefixLen"
        case ipAddress = "IPAddress"
        case ipPrefixLength = "IPPrefixLen"
        case ipv6Gateway = "IPv6Gateway"
        case macAddress = "MacAddress"
        case networks = "Networks"
    }
}

/// What a container has in one network.
package struct NetworkEndpoint: Hashable, Codable, Sendable {
    @OrNull package var ipamConfig: JSONValue?
    @OrNull package var links: [String]?
    @OrNull package var aliases: [String]?
    package var macAddress = ""
    package var networkID = ""
    package var endpointID = ""
    package var gateway = ""
    package var ipAddress = ""
    package var ipPrefixLength = 0
    package var ipv6Gateway = ""
    package var globalIPv6Address = ""
    package var globalIPv6PrefixLength = 0
    @OrNull package var driverOptions: [String: String]?

    /// Docker's zero values.
    package init() {}

    enum CodingKeys: String, CodingKey {
        case ipamConfig = "IPAMConfig"
        case links = "Links"
        case aliases = "Aliases"
        case macAddress = "MacAddress"
        case networkID = "NetworkID"
        case endpointID = "EndpointID"
        case gateway = "Gateway"
        case ipAddress = "IPAddress"
        case ipPrefixLength = "IPPrefixLen"
        case ipv6Gateway = "IPv6Gateway"
        case globalIPv6Address = "GlobalIPv6Address"
        case globalIPv6PrefixLength = "GlobalIPv6PrefixLen"
        case driverOptions = "DriverOpts"
    }
}
