import Linux
import Testing

/// Debian's `docker-registry` on a port of its own, for one test.
struct RegistryServer {
    let port: Int
    private let directory: String
    private let isSecure: Bool

    /// The domain of its images.
    var domain: String { "localhost:\(port)" }

    /// Runs `body` with an empty registry, which ends with it.
    ///
    /// - Parameters:
    ///   - user: who may use it, with a password; nil lets everybody.
    ///   - isSecure: whether it speaks TLS, as `registry.test` with a certificate that only `certificate` vouches for.
    static func test(
        user: (name: String, password: String)? = nil, isSecure: Bool = false, _ body: (RegistryServer) throws -> Void
    ) throws {
        let directory = try Program.shell("mktemp -d /var/tmp/strata-registry-XXXXXX").filter { !$0.isNewline }
        let port = try Program.shell(
            "python3 -c 'import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1])'")
        let server = RegistryServer(
            port: try #require(Int(port.filter { !$0.isNewline })), directory: directory, isSecure: isSecure)
        defer { _ = try? Program.shell("rm -rf '\(directory)'") }
        let child = try server.start(user)
        defer {
            try? child.signal(9)
            _ = try? child.wait()
        }
        try body(server)
    }

    /// The file with the certificate of a registry that speaks TLS.
    var certificate: String { directory + "/certificate.pem" }

    private func start(_ user: (name: String, password: String)?) throws -> ChildProcess {
        var authentication = ""
        if let user {
            try Program.shell("htpasswd -Bbn '\(user.name)' '\(user.password)' > '\(directory)/htpasswd'")
            authentication = "auth: {htpasswd: {realm: test, path: \(directory)/htpasswd}}"
        }
        var security = ""
        if isSecure {
            try Program.shell(
                """
                cd '\(directory)'; openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=registry.test \\
                    -addext subjectAltName=DNS:registry.test -keyout key.pem -out certificate.pem 2>/dev/null
                """)
            security = ", tls: {certificate: \(certificate), key: \(directory)/key.pem}"
        }
        try FileDescriptor.open(directory + "/config.yml", [.create, .writeOnly], mode: 0o600).writeAll(
            """
            version: 0.1
            log: {level: warn}
            storage: {filesystem: {rootdirectory: \(directory)/data}}
            http: {addr: "127.0.0.1:\(port)"\(security)}
            \(authentication)

            """)
        let log = try FileDescriptor.open(directory + "/log", [.create, .writeOnly, .append], mode: 0o600)
        let nothing = try FileDescriptor.open("/dev/null")
        let child = try ChildProcess.spawn(
            "docker-registry", arguments: ["docker-registry", "serve", directory + "/config.yml"],
            descriptors: [nothing.rawValue, log.rawValue, log.rawValue], newSession: true)
        try Program.shell(
            "for i in $(seq 3000); do curl -sk -o /dev/null \(isSecure ? "https" : "http")://\(domain)/v2/ && exit; sleep 0.02; done; cat '\(directory)/log'; exit 1"
        )
        return child
    }

    /// The requests since the last call of this, as `METHOD /path`.
    func requests() throws -> [String] {
        try Program.shell(
            """
            sleep 0.1; grep -o '"[A-Z]* /v2/[^ "]* HTTP' '\(directory)/log' | tr -d '"' | sed 's/ HTTP$//' || true
            : > '\(directory)/log'
            """
        ).split(separator: "\n").map(String.init)
    }
}
