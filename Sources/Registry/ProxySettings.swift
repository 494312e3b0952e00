import FoundationEssentials
public import Linux

/// Which requests go through which proxy: `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`, as curl and Go read
/// them.
public struct ProxySettings: Hashable, Sendable {
    /// The proxy for `http` addresses, as a URL or `host:port`.
    public var http: String?
    /// The proxy for `https` addresses.
    public var https: String?
    /// Hosts that are asked directly: names with their subdomains, addresses, IPv4 networks, `*`; each perhaps with a port.
    public var exceptions: [String]

    /// Makes settings from their parts.
    public init(http: String? = nil, https: String? = nil, exceptions: [String] = []) {
        self.http = http
        self.https = https
        self.exceptions = exceptions
    }

    /// What an environment says.
    public init(environment: ProcessEnvironment) {
        func value(_ names: String...) -> String? { names.lazy.compactMap { environment.nonEmpty($0) }.first }
        let all = value("all_proxy", "ALL_PROXY")
        self.init(
            // In upper case it could come from a request's header where we run as a CGI program: curl does not read it.
            http: value("http_proxy") ?? all, https: value("https_proxy", "HTTPS_PROXY") ?? all,
            exceptions: (value("no_proxy", "NO_PROXY") ?? "").split(separator: ",").map {
                $0.filter { !$0.isWhitespace }.lowercased()
            })
    }

    /// The proxy for an address; nil to ask the host itself. `badSetting` when it makes no sense.
    func proxy(scheme: String, host: String, port: Int) throws(RegistryError) -> Proxy? {
        guard let text = scheme == "https" ? https : http else { return nil }
        let name = host.lowercased()
        if RegistryAddress(domain: name).isLoopback || name == "::1" { return nil }
        if exceptions.contains(where: { ProxySettings.covers($0, name, port) }) { return nil }
        return try Proxy(text)
    }

    private static func covers(_ exception: String, _ host: String, _ port: Int) -> Bool {
        if exception == "*" { return true }
        var pattern = Substring(exception)
        if let colon = pattern.lastIndex(of: ":"), let wanted = Int(pattern[pattern.index(after: colon)...]),
            !pattern[..<colon].contains(":") || pattern.hasPrefix("[")
        {
            if wanted != port { return false }
            pattern = pattern[..<colon]
        }
        if pattern.hasPrefix("["), pattern.hasSuffix("]") { pattern = pattern.dropFirst().dropLast() }
        if let network = Network(pattern), let address = Network.number(host[...]) { return network.contains(address) }
        while pattern.hasPrefix(".") || pattern.hasPrefix("*.") { pattern = pattern.dropFirst() }
        return !pattern.isEmpty && (host == pattern || host.hasSuffix("." + pattern))
    }

    /// An IPv4 network, `10.0.0.0/8`.
    private struct Network {
        private let address: UInt32
        private let mask: UInt32

        init?(_ text: Substring) {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, let address = Network.number(parts[0]), let length = UInt32(parts[1]), length <= 32
            else { return nil }
            self.address = address
            mask = length == 0 ? 0 : ~UInt32(0) << (32 - length)
        }

        func contains(_ other: UInt32) -> Bool { other & mask == address & mask }

        static func number(_ text: Substring) -> UInt32? {
            let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
            guard parts.count == 4 else { return nil }
            return parts.reduce(UInt32?(0)) { sum, part in
                guard let sum, let part else { return nil }
                return sum << 8 | UInt32(part)
            }
        }
    }
}

/// A proxy server.
struct Proxy: Hashable, Sendable {
    var host: String
    var port: Int
    /// `user:password`.
    var user: String?

    /// What it is told to let us through, in two parts.
    var credentials: (user: String, password: String)? {
        user.map { user in
            let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }
    }

    /// The whole address, without user and password.
    var address: String { "http://\(host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host):\(port)" }

    /// Takes `[http://][user:password@]host[:port][/]`; `badSetting` for anything else.
    init(_ text: String) throws(RegistryError) {
        let full = text.contains("://") ? text : "http://" + text
        guard let parts = URLComponents(string: full), let host = parts.host, !host.isEmpty, parts.scheme == "http"
        else {
            // Before the last "@" there may be a password.
            let shown = text.split(separator: "@").last ?? ""
            throw RegistryError(
                .badSetting, "the proxy \"\(shown)\" cannot be used", remedy: "give it as http://host:port")
        }
        self.host = host
        port = parts.port ?? 80
        user = parts.user.map { "\($0):\(parts.password ?? "")" }
    }
}
