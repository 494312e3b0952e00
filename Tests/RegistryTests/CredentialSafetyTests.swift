import Distribution
import ImageStore
import Linux
import OCI
import TestSupport
import Testing

@testable import Registry

/// Credentials go to the registry that they are for, and to nobody that it sends us on to.
@Suite struct CredentialSafetyTests {
    private static func settings(_ credentials: Credentials) -> RegistrySettings {
        var settings = RegistryStore.settings
        settings.explicitCredentials = credentials
        settings.retries = 0
        return settings
    }

    private static func layer() throws -> [UInt8] {
        let store = try RegistryStore()
        try shell("mkdir t; echo x > t/file; tar -C t -cf t.tar .", in: store.directory)
        return try FileDescriptor.open(store.directory + "/t.tar").readAll()
    }

    @Test func aStrangersChallengeIsNotMet() async throws {
        let (registry, stranger) = (try FakeRegistry(token: true), try FakeRegistry())
        try registry.image("one", layer: try Self.layer())
        try registry.answer([
            .init(
                method: "GET", path: "/v2/image/blobs/.*", status: 307,
                headers: ["Location": "http://\(stranger.domain)/steal"], times: 100)
        ])
        try stranger.answer([
            .init(
                method: "GET", path: "/steal", status: 401,
                headers: ["WWW-Authenticate": "Bearer realm=\"http://\(stranger.domain)/token\",service=\"fake\""],
                times: 100)
        ])
        let store = try RegistryStore()
        await #expect(throws: DistributionError.self) {
            try await store.pull(
                "\(registry.domain)/image:one", Self.settings(.password(user: "me", password: "secret")))
        }
        #expect(try stranger.requests().contains { $0.hasPrefix("GET /steal") })
        #expect(try stranger.credentials().isEmpty)
        #expect(try stranger.requests().allSatisfy { !$0.contains("/token") })
        #expect(try !registry.credentials().isEmpty)
    }

    @Test func aRefreshTokenDoesNotFollowARedirection() async throws {
        let (registry, stranger) = (try FakeRegistry(token: true), try FakeRegistry())
        try registry.image("one", layer: try Self.layer())
        try registry.answer([
            .init(
                method: "POST", path: "/token", status: 307,
                headers: ["Location": "http://\(stranger.domain)/token"], times: 100)
        ])
        let store = try RegistryStore()
        let error = await #expect(throws: DistributionError.self) {
            try await store.pull("\(registry.domain)/image:one", Self.settings(.identityToken("a refresh+token")))
        }
        #expect(error?.message.contains("307") == true, "\(error?.message ?? "")")
        #expect(try stranger.requests().isEmpty && stranger.credentials().isEmpty)
    }

    @Test func onlyThisMachineNeedNotProveWhoItIs() {
        let transport = Transport(RegistryStore.settings)
        for address in [
            "https://localhost:5000/v2/", "https://127.0.0.1/", "https://[::1]:5000/", "https://a.localhost",
        ] {
            #expect(Origin(address).map { transport.verifies($0) } == false, "\(address)")
        }
        for address in ["https://example.com/", "https://localhost.example.com", "https://128.0.0.1", "https://[::2]/"]
        {
            #expect(Origin(address).map { transport.verifies($0) } == true, "\(address)")
        }
        var lenient = RegistryStore.settings
        lenient.verifiesServer = false
        #expect(Origin("https://example.com").map { Transport(lenient).verifies($0) } == false)
    }

    @Test func originsAreComparedAndShownWithoutSecrets() {
        #expect(Origin("https://Example.com/a") == Origin("https://example.com:443/b?c"))
        #expect(Origin("https://example.com") != Origin("http://example.com"))
        #expect(Origin("https://example.com@other.org/")?.host == "other.org")
        #expect(Origin("https://example.com:8443/") != Origin("https://example.com/"))
        #expect(Origin("ftp://example.com") == nil && Origin("/v2/") == nil)
        #expect(Origin("https://me:secret@[::1]:5000/x?signature=1")?.description == "https://[::1]:5000")
        #expect(
            HTTPDownload("https://me:secret@example.com/a/b.tar?signature=1#x")?.shownAddress
                == "https://example.com/a/b.tar")
        let error = #expect(throws: RegistryError.self) { try Proxy("socks5://me:sec@ret@proxy:1080") }
        #expect(error?.message.contains("proxy:1080") == true && error?.message.contains("sec") == false)
        #expect(error?.message.contains("ret") == false)
    }

    @Test func aLinkedConfigurationStaysALink() throws {
        let store = try RegistryStore()
        try shell(
            "mkdir docker kept; echo '{}' > kept/real.json; ln -s ../kept/real.json docker/config.json",
            in: store.directory)
        let configuration = DockerConfiguration(directory: store.directory + "/docker")
        try configuration.store(.password(user: "a", password: "b"), for: "example.com")
        #expect(
            try shell("readlink docker/config.json; ls kept; stat -c %a kept/real.json", in: store.directory)
                == "../kept/real.json\nreal.json\n600")
        #expect(try configuration.credentials(for: "example.com") == .password(user: "a", password: "b"))
        #expect(try shell("grep -c YTpi kept/real.json", in: store.directory) == "1")
    }
}
