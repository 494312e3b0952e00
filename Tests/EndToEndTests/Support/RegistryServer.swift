import Linux
import Testing

/// Debian's `docker-registry` on a port of its own, for one test.
struct RegistryServer {
    let port: Int
    private let directory: String

    /// The domain of its images.
    var domain: String { "localhost:\(port)" }

    /// Runs `body` with an empty registry, which ends with it.
    ///
    /// - Parameter user: who may use it, with a password; nil lets everybody.
    static func test(user: (name: String, password: String)? = nil, _ body: (RegistryServer) throws -> Void) throws {
        let directory = try Program.shell("mktemp -d /var/tmp/strata-registry-XXXXXX").filter { !$0.isNewline }
        let port = try Program.shell(
            "python3 -c 'import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1])'")
        let server = RegistryServer(port: try #require(Int(port.filter { !$0.isNewline })), directory: directory)
        defer { _ = try? Program.shell("rm -rf '\(directory)'") }
        let child = try server.start(user)
        defer {
            try? child.signal(9)
            _ = try? child.wait()
        }
        try body(server)
    }

    private func start(_ user: (name: String, password: String)?) throws -> ChildProcess {
        var authentication = ""
        if let user {
            try Program.shell("htpasswd -Bbn '\(user.name)' '\(user.password)' > '\(directory)/htpasswd'")
            authentication = "auth: {htpasswd: {realm: test, path: \(directory)/htpasswd}}"
        }
        try FileDescriptor.open(directory + "/config.yml", [.create, .writeOnly], mode: 0o600).writeAll(
            """
            version: 0.1
            log: {level: warn}
            storage: {filesystem: {rootdirectory: \(directory)/data}}
            http: {addr: "127.0.0.1:\(port)"}
            \(authentication)

            """)
        let log = try FileDescriptor.open(directory + "/log", [.create, .writeOnly, .append], mode: 0o600)
        let nothing = try FileDescriptor.open("/dev/null")
        let child = try ChildProcess.spawn(
            "docker-registry", arguments: ["docker-registry", "serve", directory + "/config.yml"],
            descriptors: [nothing.rawValue, log.rawValue, log.rawValue], newSession: true)
        try Program.shell(
            "for i in $(seq 3000); do curl -s -o /dev/null http://\(domain)/v2/ && exit; sleep 0.02; done; cat '\(directory)/log'; exit 1"
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
