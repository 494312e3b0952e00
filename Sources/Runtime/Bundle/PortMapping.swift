import Linux
public import OCI

/// A `-p` argument: which of the host's ports lead to which of the container's.
public struct PortMapping: Hashable, Sendable {
    /// The host's address, or one of its ports that lead in; empty for all addresses.
    public var address: String
    /// The host's ports; nil for any that are free.
    public var hostPorts: ClosedRange<UInt16>?
    /// The container's ports.
    public var containerPorts: ClosedRange<UInt16>
    /// `tcp`, `udp` or `sctp`.
    public var transport: String

    /// Whether nothing is lost where the container has the host's network and listens there by itself.
    var isSameOnHost: Bool { address.isEmpty && (hostPorts == nil || hostPorts == containerPorts) }

    /// Reads `[[ADDRESS:]HOSTPORT:]PORT[/PROTOCOL]`, where ports may be ranges, or Docker's long form
    /// `published=…,target=…,protocol=…`; `badOption` with Docker's words for anything else.
    public static func parse(_ given: String) throws(RuntimeError) -> PortMapping {
        let text = given.contains("=") ? try shortForm(given) : given
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let last = (parts.last ?? "").split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let port = String(last.first ?? "")
        let transport = last.count == 2 && !last[1].isEmpty ? last[1].lowercased() : "tcp"
        let hostPort = parts.count > 1 ? parts[parts.count - 2] : ""
        var address = parts.dropLast(2).joined(separator: ":")
        if address.hasPrefix("["), address.hasSuffix("]") { address = String(address.dropFirst().dropLast()) }

        func refuse(_ message: String) -> RuntimeError { RuntimeError(.badOption, message) }
        if !address.isEmpty, !InternetAddress.isValid(address) { throw refuse("invalid IP address: \(address)") }
        if port.isEmpty { throw refuse("no port specified: \(text)<empty>") }
        guard let containerPorts = range(port) else { throw refuse("invalid containerPort: \(port)") }
        var hostPorts: ClosedRange<UInt16>?
        if !hostPort.isEmpty {
            guard let ports = range(hostPort) else { throw refuse("invalid hostPort: \(hostPort)") }
            if containerPorts.count > 1, ports.count != containerPorts.count {
                throw refuse("invalid ranges specified for container and host Ports: \(port) and \(hostPort)")
            }
            hostPorts = ports
        }
        guard ["tcp", "udp", "sctp"].contains(transport) else { throw refuse("invalid proto: \(last[1])") }
        return PortMapping(
            address: address, hostPorts: hostPorts, containerPorts: containerPorts, transport: transport)
    }

    /// `80`, `80-90`; nil for anything else.
    private static func range(_ text: String) -> ClosedRange<UInt16>? {
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { UInt16($0) }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil, first <= last else { return nil }
        return first...last
    }

    private static func shortForm(_ text: String) throws(RuntimeError) -> String {
        var fields = ["protocol": "tcp"]
        for field in text.split(separator: ",", omittingEmptySubsequences: false) {
            let parts = field.parts(at: "=")
            guard parts.count == 2, !parts[0].isEmpty else {
                throw RuntimeError(
                    .badOption, "invalid publish opts format (should be name=value but got '\(field)')")
            }
            fields[parts[0]] = parts[1]
        }
        return "\(fields["published"] ?? ""):\(fields["target"] ?? "")/\(fields["protocol"] ?? "")"
    }

    /// Refuses what is no mapping, and what cannot be kept on the host's network unless that was asked for by name: there
    /// Docker discards mappings too.
    static func check(_ options: ContainerOptions) throws(RuntimeError) {
        let mappings = try options.publish.map { text throws(RuntimeError) in (text, try parse(text)) }
        guard options.network == nil || options.network == "default" else { return }
        for (text, mapping) in mappings where !mapping.isSameOnHost {
            throw RuntimeError(
                .badOption,
                "cannot publish \(text): containers use the host's network, and their programs choose address and port",
                remedy: mapping.address.isEmpty
                    ? "publish the port that the program listens on, as -p 80:80"
                    : "leave the address out, and have the program listen at it")
        }
    }
}
