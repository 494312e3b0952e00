public import Linux
public import Logging

/// How registries are talked to.
public struct RegistrySettings: Sendable {
    /// Whether a server must prove who it is; without, plain HTTP is tried too. Of this machine it is never asked.
    public var verifiesServer = true
    /// Where credentials are; nil to go without.
    public var credentials: DockerConfiguration?
    /// What to ask with, in place of anything stored.
    public var explicitCredentials: Credentials?
    /// The proxies to use.
    public var proxies: ProxySettings
    /// How often a failed request is made again before that is given up, while no progress is made.
    public var retries = 6
    /// How long to wait before the first repetition, in milliseconds; each further one waits twice as long.
    public var retryDelay: Int64 = 300
    /// How long a connection may be silent, in milliseconds.
    public var idleTimeout: Int64 = 60_000
    /// How long connecting may take, in milliseconds.
    public var connectTimeout: Int64 = 15_000
    /// Directories with `<domain>/*.crt`: certificates to trust besides the system's.
    public var certificateDirectories = ["/etc/docker/certs.d", "/etc/containers/certs.d"]
    /// Addresses to take for hosts in place of what their names stand for, each `host:port:address`.
    public var addresses: [String] = []
    /// What requests say of us.
    public var userAgent = "strata"
    /// Takes requests and the statuses of their answers, never credentials; by default nothing does.
    public var logger = Logger(label: "strata") { _ in SwiftLogNoOpLogHandler() }

    /// The file of certificates to trust in place of the machine's, which OpenSSL calls `SSL_CERT_FILE`.
    public var certificateFile: String?

    /// Settings without anything that a user keeps.
    public init(credentials: DockerConfiguration? = nil, proxies: ProxySettings = ProxySettings()) {
        self.credentials = credentials
        self.proxies = proxies
    }

    /// Settings with the credentials, the proxies and the certificates of an environment, as Docker finds them.
    public init(environment: ProcessEnvironment) {
        credentials = DockerConfiguration(environment: environment)
        proxies = ProxySettings(environment: environment)
        certificateFile = environment.nonEmpty("SSL_CERT_FILE")
    }
}
