import Linux
import Synchronization

/// Debian's `docker-registry` on a port of its own; it ends with the value.
package final class DebianRegistry: Sendable {
    /// Where it keeps everything.
    package let directory: String
    package let port: UInt16
    private let child = Mutex<ChildProcess?>(nil)

    /// The domain of its images.
    package var domain: String { "\(name):\(port)" }
    /// What leads requests for the name here.
    package var address: String { "\(domain):127.0.0.1" }
    /// The file with the certificate of one that speaks TLS.
    package var certificate: String { directory + "/cert.pem" }
    private let name: String
    private var log: String { directory + "/log" }

    /// Starts an empty registry.
    ///
    /// - Parameters:
    ///   - user: who may use it, with a password; nil lets everybody.
    ///   - name: of one that speaks TLS; it has a certificate for it that nobody has signed but itself.
    package init(user: (name: String, password: String)? = nil, name: String? = nil) throws {
        self.name = name ?? "localhost"
        directory = "/var/tmp/strata-registry-\(UInt64.random(in: 0...UInt64.max))"
        port = try freePort()
        try FileDescriptor.currentDirectory.makeDirectory(directory, mode: 0o700)
        var authentication = ""
        if let user {
            try shell("htpasswd -Bbn '\(user.name)' '\(user.password)' > htpasswd", in: directory)
            authentication = "auth:\n  htpasswd:\n    realm: test\n    path: \(directory)/htpasswd\n"
        }
        var encryption = ""
        if let name {
            try makeCertificate(for: name, in: directory)
            encryption = "  tls: {certificate: \(directory)/cert.pem, key: \(directory)/key.pem}"
        }
        let configuration = """
            version: 0.1
            log:
              level: warn
            storage:
              filesystem:
                rootdirectory: \(directory)/data
              delete:
                enabled: true
            http:
              addr: 127.0.0.1:\(port)
              secret: always the same, so that uploads outlive the process
            \(encryption)
            \(authentication)
            """
        try FileDescriptor.open(directory + "/config.yml", [.create, .writeOnly], mode: 0o600).writeAll(configuration)
        try start()
    }

    deinit {
        stop()
        try? FileDescriptor.currentDirectory.removeTree(directory)
    }

    /// Calls `body` with an empty registry, which ends with it.
    ///
    /// - Parameter isSecure: whether it speaks TLS, as `registry.test`.
    package static func test(
        user: (name: String, password: String)? = nil, isSecure: Bool = false, _ body: (DebianRegistry) throws -> Void
    ) throws {
        let registry = try DebianRegistry(user: user, name: isSecure ? "registry.test" : nil)
        try withExtendedLifetime(registry) { try body(registry) }
    }

    /// Starts it, again perhaps, and waits until it listens.
    package func start() throws {
        let output = try FileDescriptor.open(log, [.create, .writeOnly, .append], mode: 0o600)
        let nothing = try FileDescriptor.open("/dev/null")
        let started = try ChildProcess.spawn(
            "docker-registry", arguments: ["docker-registry", "serve", directory + "/config.yml"],
            descriptors: [nothing.rawValue, output.rawValue, output.rawValue], newSession: true)
        child.withLock { $0 = started }
        if waitUntil({ isListening(port) }) { return }
        throw ShellError(description: "docker-registry does not listen: \(try shell("cat '\(log)'"))")
    }

    /// Ends it at once, with whatever is under way.
    package func stop() {
        child.withLock { child in
            try? child?.signal(9)
            _ = try? child?.wait()
            child = nil
        }
    }

    /// The versions of HTTP in which requests of a method for paths with a word in them came, such as `HTTP/2.0`.
    package func versions(of method: String, _ word: String) throws -> Set<String> {
        MonotonicClock.sleep(milliseconds: 100)
        let text = String(decoding: try FileDescriptor.open(log).readAll(), as: UTF8.self)
        let requests = text.split(separator: "\n").compactMap { line in
            line.split(separator: "\"", omittingEmptySubsequences: false).dropFirst().first?.split(separator: " ")
        }
        return Set(
            requests.filter { $0.count == 3 && $0[0] == method && $0[1].contains(word) }.map { String($0[2]) })
    }

    /// The requests since the last call of this, as `METHOD /path status`.
    package func requests() throws -> [String] {
        // The log is written when the answer is out.
        MonotonicClock.sleep(milliseconds: 100)
        defer { try? FileDescriptor.open(log, [.writeOnly, .truncate]).close() }
        let text = String(decoding: try FileDescriptor.open(log).readAll(), as: UTF8.self)
        return text.split(separator: "\n").compactMap { line in
            let quoted = line.split(separator: "\"", omittingEmptySubsequences: false)
            guard quoted.count > 2, line.hasPrefix("127.0.0.1") || line.hasPrefix("::1") else { return nil }
            let request = quoted[1].split(separator: " ")
            let status = quoted[2].split(separator: " ").first ?? ""
            guard request.count == 3 else { return nil }
            return "\(request[0]) \(request[1]) \(status)"
        }
    }
}

extension [String] {
    /// The requests that fetched blobs.
    package var fetchedBlobs: [String] { filter { $0.hasPrefix("GET") && $0.contains("/blobs/sha256:") } }
    /// The requests that sent content of blobs.
    package var sentBlobs: [String] {
        filter { $0.hasPrefix("PATCH") || $0.hasPrefix("PUT /v2/") && $0.contains("/blobs/") }
    }
}
