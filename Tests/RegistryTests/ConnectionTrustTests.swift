import Distribution
import Glibc
import ImageStore
import Linux
import OCI
import TestSupport
import Testing

@testable import Registry

/// Who is spoken to, and what they get to know.
@Suite struct ConnectionTrustTests {
    private static let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    /// Fetches an address, and whatever it leads to.
    private static func fetch(
        _ address: String, _ settings: RegistrySettings = RegistryStore.settings, trusted: [String] = [],
        headers: HTTPHeaders = [:]
    ) async throws -> String {
        let transport = Transport(settings, trusted: trusted)
        let result: Result<String, any Error>
        do {
            var request = HTTPRequest(url: address)
            request.headers = headers
            let body = try await transport.send(request).response.body
            result = .success(String(decoding: try await body.bytes(limit: 1 << 20), as: UTF8.self))
        } catch {
            result = .failure(error)
        }
        await transport.shutDown()
        return try result.get()
    }

    private static func failure(
        _ address: String, _ settings: RegistrySettings = RegistryStore.settings, trusted: [String] = [],
        headers: HTTPHeaders = [:], location: SourceLocation = #_sourceLocation
    ) async throws -> TransportError {
        try #require(
            await #expect(throws: TransportError.self, sourceLocation: location) {
                try await fetch(address, settings, trusted: trusted, headers: headers)
            }, sourceLocation: location)
    }

    /// Runs `body` with variables of the environment set.
    private static func withEnvironment<Value>(
        _ variables: [String: String], _ body: () async throws -> Value
    ) async throws -> Value {
        let old = variables.keys.map { name in (name, getenv(name).map { String(cString: $0) }) }
        defer { for (name, value) in old { if let value { setenv(name, value, 1) } else { unsetenv(name) } } }
        for (name, value) in variables { setenv(name, value, 1) }
        return try await body()
    }

    // MARK: TLS

    @Test func aServerMustProveWhoItIs() async throws {
        let server = try RawServer(.answer, Self.answer, name: "registry.test")
        var settings = RegistryStore.settings
        settings.addresses = [server.address, "other.test:\(server.port):127.0.0.1"]
        let address = "https://\(server.domain)/"
        let stranger = try await Self.failure(address, settings)
        #expect(stranger.kind == .secure && stranger.text.contains("cannot be trusted"), "\(stranger)")
        #expect(try await Self.fetch(address, settings, trusted: [server.certificate]) == "ok")
        let impostor = try await Self.failure(
            "https://other.test:\(server.port)/", settings, trusted: [server.certificate])
        #expect(impostor.kind == .secure && impostor.text.contains("not for this name"), "\(impostor)")
        // Nobody who is not trusted gets to know what is asked.
        #expect(try server.lines().count { $0.hasPrefix("request") } == 1)
        settings.verifiesServer = false
        #expect(try await Self.fetch(address, settings) == "ok")
        #expect(try await Self.fetch("https://other.test:\(server.port)/", settings) == "ok")
    }

    @Test func theMachinesCertificatesAreThoseThatTheEnvironmentNames() async throws {
        let server = try RawServer(.answer, Self.answer, name: "registry.test")
        let other = try RawServer(.answer, Self.answer, name: "further.test")
        var settings = RegistryStore.settings
        settings.addresses = [server.address, other.address]
        let environment = ProcessEnvironment(["SSL_CERT_FILE": server.certificate])
        settings.certificateFile = RegistrySettings(environment: environment).certificateFile
        #expect(try await Self.fetch("https://\(server.domain)/", settings) == "ok")
        #expect(try await Self.fetch("https://\(server.domain)/", settings, trusted: [other.certificate]) == "ok")
        #expect(try await Self.fetch("https://\(other.domain)/", settings, trusted: [other.certificate]) == "ok")
        #expect(try await Self.failure("https://\(other.domain)/", settings).kind == .secure)
    }

    @Test func certificatesOfADomain() async throws {
        let registry = try DebianRegistry(name: "registry.test")
        let store = try RegistryStore()
        var settings = RegistryStore.hasty
        settings.addresses = [registry.address]
        settings.certificateDirectories = [store.directory + "/certs.d"]
        func tags() async throws -> [String] {
            let client = RegistryClient(domain: registry.domain, settings: settings)
            return try await RegistryStore.closing([client]) { try await client.tags(of: "image") }
        }
        let refused = await #expect(throws: RegistryError.self) { try await tags() }
        #expect(refused?.code == .insecure && refused?.remedy?.contains("--tls-verify=false") == true)
        let home = "certs.d/\(registry.domain)"
        try shell("mkdir -p '\(home)'; cp '\(registry.certificate)' '\(home)/ca.crt'", in: store.directory)
        let absent = await #expect(throws: RegistryError.self) { try await tags() }
        #expect(absent?.code == .notFound, "\(String(describing: absent))")
        try shell("echo nonsense > '\(home)/z.crt'", in: store.directory)
        let broken = await #expect(throws: RegistryError.self) { try await tags() }
        #expect(broken?.code == .badSetting && broken?.message.contains("z.crt") == true)
    }

    @Test func questionsGoOverOneConnectionAndBlobsOverTheirOwn() async throws {
        let registry = try DebianRegistry(name: "registry.test")
        var settings = RegistryStore.settings
        settings.addresses = [registry.address]
        settings.verifiesServer = false
        let (here, there) = (try RegistryStore(), try RegistryStore())
        let image = try here.image("image:one", ["seq 100000 > numbers", "seq 100 > more"])
        let name = "\(registry.domain)/image:one"
        try await here.push("image:one", as: name, settings)
        #expect(try registry.versions(of: "PATCH", "/uploads/") == ["HTTP/1.1"])
        #expect(try registry.versions(of: "PUT", "/manifests/") == ["HTTP/2.0"])
        #expect(try await there.pull(name, settings).image.id == image.id)
        #expect(try registry.versions(of: "GET", "/manifests/") == ["HTTP/2.0"])
        #expect(try registry.versions(of: "GET", "/blobs/sha256") == ["HTTP/1.1"])
    }

    @Test func nobodyIsLedOutOfTLS() async throws {
        let plain = try RawServer(.answer, Self.answer)
        let server = try RawServer(
            .answer, "HTTP/1.1 302 Found\r\nLocation: http://\(plain.domain)/\r\nContent-Length: 0\r\n\r\n",
            name: "registry.test")
        var settings = RegistryStore.settings
        settings.addresses = [server.address]
        let error = try await Self.failure("https://\(server.domain)/", settings, trusted: [server.certificate])
        #expect(error.kind == .secure && error.text.contains("without TLS"), "\(error)")
        #expect(try !plain.lines().contains("connection"))
    }

    // MARK: Redirections

    @Test(arguments: ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1:70/", "dict://x", "http:///x"])
    func redirectionsLeadToTheWebOnly(target: String) async throws {
        let server = try RawServer(
            .answer, "HTTP/1.1 302 Found\r\nLocation: \(target)\r\nContent-Length: 0\r\n\r\n")
        let error = try await Self.failure("http://\(server.domain)/")
        #expect(error.kind == .request && error.text.contains("no address"), "\(error)")
        await #expect(throws: TransportError.self) { try await Self.fetch(target) }
    }

    @Test func redirectionsInACircle() async throws {
        let server = try RawServer(.answer, "HTTP/1.1 307 Again\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")
        #expect(try await Self.failure("http://\(server.domain)/").text.contains("too often"))
        #expect(try server.lines().count { $0.hasPrefix("request") } == 9)
    }

    // MARK: Secrets

    @Test func credentialsComeFromNowhereElse() async throws {
        let (registry, store) = (try FakeRegistry(), try RegistryStore())
        try shell(
            "echo 'machine localhost login me password secret\ndefault login me password secret' > .netrc; chmod 600 .netrc",
            in: store.directory)
        try registry.answer([
            .init(
                method: "GET", path: "/from", status: 302,
                headers: ["Location": "http://me:secret@\(registry.domain)/to"]),
            .init(method: "GET", path: "/.*", status: 200, times: 9),
        ])
        try await Self.withEnvironment([
            "HOME": store.directory, "NETRC": store.directory + "/.netrc", "http_proxy": "http://127.0.0.1:1",
            "all_proxy": "http://127.0.0.1:1",
        ]) {
            _ = try await Self.fetch("http://\(registry.domain)/plain")
            _ = try await Self.fetch("http://me:secret@\(registry.domain)/user")
            _ = try await Self.fetch("http://\(registry.domain)/from")
        }
        #expect(try registry.requests().count == 4)
        #expect(try registry.credentials().isEmpty)
    }

    @Test(arguments: ["a\r\nX-Forged: b", "a\nb", "a\u{0}b", "a\u{7f}b"])
    func nothingIsSmuggledIntoARequest(value: String) async throws {
        let server = try RawServer(.answer, Self.answer)
        for headers: HTTPHeaders in [["Authorization": value], [value: "x"]] {
            #expect(try await Self.failure("http://\(server.domain)/", headers: headers).kind == .request)
        }
        #expect(try await Self.failure("http://\(server.domain)/x y").kind == .request)
        #expect(try await Self.failure("http://\(server.domain)/\(value)").kind == .request)
        #expect(try !server.lines().contains("connection"))
        #expect(try await Self.fetch("http://\(server.domain)/", headers: ["X-A": "b\tc ä", "X-Empty": ""]) == "ok")
        #expect(try server.lines().contains("header X-Empty:"))
    }

    // MARK: Proxies

    @Test func requestsGoThroughTheProxy() async throws {
        let (proxy, plain) = (try RawServer(.proxy), try RawServer(.close, Self.answer))
        let secure = try RawServer(.answer, Self.answer, name: "registry.test")
        var settings = RegistryStore.settings
        settings.proxies = ProxySettings(
            http: "http://me:sec%40ret@127.0.0.1:\(proxy.port)", https: "127.0.0.1:\(proxy.port)")
        // Nobody but the proxy can know this host.
        let host = "nowhere.invalid:\(plain.port)"
        #expect(try await Self.fetch("http://\(host)/a", settings, headers: ["Authorization": "Bearer x"]) == "ok")
        #expect(
            try await Self.fetch(
                "https://\(secure.domain)/b", settings, trusted: [secure.certificate],
                headers: ["Authorization": "Bearer y"])
                == "ok")
        let lines = try proxy.lines()
        #expect(lines.contains("request GET http://\(host)/a HTTP/1.1"), "\(lines)")
        #expect(lines.contains("request CONNECT \(secure.domain) HTTP/1.1"), "\(lines)")
        // "me:sec@ret"
        #expect(lines.contains("header Proxy-Authorization: Basic bWU6c2VjQHJldA=="), "\(lines)")
        #expect(!lines.contains { $0.contains("Bearer y") })
        #expect(try secure.lines().contains("header Authorization: Bearer y"))
        #expect(try !(secure.lines() + plain.lines()).contains { $0.lowercased().contains("proxy-authorization") })
    }

    @Test func aProxyThatRefuses() async throws {
        let proxy = try RawServer(.close, "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
        var settings = RegistryStore.settings
        settings.proxies = ProxySettings(https: "127.0.0.1:\(proxy.port)")
        let error = try await Self.failure("https://nowhere.invalid/", settings)
        #expect(error.kind == .request && error.text.contains("proxy wants credentials"), "\(error)")
    }
}
