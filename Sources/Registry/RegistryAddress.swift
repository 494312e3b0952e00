/// Where the registry of a domain is and under which names its credentials are kept.
struct RegistryAddress: Hashable, Sendable {
    /// The domain of image names, such as `docker.io` or `localhost:5000`.
    let domain: String

    /// The host, and the port where there is one, that serves the API.
    var host: String { domain == "docker.io" ? "registry-1.docker.io" : domain }

    /// Whether the host is this machine, which needs no TLS.
    var isLoopback: Bool {
        var name = Substring(host)
        if name.hasPrefix("[") {
            return name.hasPrefix("[::1]")
        }
        if let colon = name.lastIndex(of: ":") { name = name[..<colon] }
        if name == "localhost" || name.hasSuffix(".localhost") { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// The name under which credentials are stored; Docker's for its own registry.
    var credentialKey: String { domain == "docker.io" ? "https://index.docker.io/v1/" : domain }

    /// The names under which other tools may have stored credentials, the usual one first.
    var credentialKeys: [String] {
        let names = domain == "docker.io" ? ["index.docker.io", "docker.io", "registry-1.docker.io"] : [domain]
        let addresses = names.flatMap { name in
            [name]
                + ["https://", "http://"].flatMap { scheme in
                    ["", "/", "/v1/", "/v2/", "/v1", "/v2"].map { scheme + name + $0 }
                }
        }
        return [credentialKey] + addresses.filter { $0 != credentialKey }
    }
}
