import FoundationEssentials

/// Which server an address leads to: scheme, host and port (RFC 6454, section 4). Secrets are for one of them, and
/// messages say no more of an address: the rest of it may be signed.
struct Origin: Hashable, Sendable, CustomStringConvertible {
    let scheme: String
    /// In lower case, without the brackets of IPv6.
    let host: String
    let port: Int

    /// Takes an `http` or `https` address; nil for anything else.
    init?(_ address: String) {
        guard let parts = URLComponents(string: address), let scheme = parts.scheme?.lowercased(),
            let host = parts.host?.lowercased(), !host.isEmpty, scheme == "http" || scheme == "https"
        else { return nil }
        self.scheme = scheme
        self.host = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        port = parts.port ?? (scheme == "https" ? 443 : 80)
    }

    var isSecure: Bool { scheme == "https" }

    /// Whether it is this machine, which need not prove that it is.
    var isLoopback: Bool { host == "::1" || RegistryAddress(domain: host).isLoopback }

    var description: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "\(scheme)://\(name)" + (port == (isSecure ? 443 : 80) ? "" : ":\(port)")
    }
}
