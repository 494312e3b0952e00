import Distribution
import FoundationEssentials
import ImageStore
import Linux
import OCI
import Registry
import TestSupport
import Testing

@Suite struct MisbehaviourTests {
    /// An archive with one file of that many random bytes.
    private static func archive(_ count: Int) throws -> [UInt8] {
        let store = try RegistryStore()
        try shell("mkdir t; head -c \(count) /dev/urandom > t/file; tar -C t -cf t.tar .", in: store.directory)
        return try FileDescriptor.open(store.directory + "/t.tar").readAll()
    }

    /// What pulling fails with; nothing may be left of it.
    private static func failure(
        _ registry: FakeRegistry, _ tag: String = "one", _ settings: RegistrySettings = RegistryStore.settings,
        _ location: SourceLocation = #_sourceLocation
    ) async throws -> DistributionError {
        let store = try RegistryStore()
        let error = try #require(
            await #expect(throws: DistributionError.self, sourceLocation: location) {
                try await store.pull("\(registry.domain)/image:\(tag)", settings)
            }, sourceLocation: location)
        #expect(!error.message.contains("\n") && error.message.count < 700, sourceLocation: location)
        #expect(try store.store.images().isEmpty, sourceLocation: location)
        try store.store.releaseLeases()
        #expect(try store.store.layers().isEmpty, sourceLocation: location)
        #expect(
            try shell("ls store/tmp store/layers store/blobs/sha256", in: store.directory)
                == "store/blobs/sha256:\n\nstore/layers:\n\nstore/tmp:", sourceLocation: location)
        return error
    }

    @Test func tokensAreFetchedAndSent() async throws {
        let registry = try FakeRegistry(token: true)
        try registry.image("one", layer: try Self.archive(1000))
        #expect(try await Self.failure(registry).code == .registry(.unauthorized))
        var settings = RegistryStore.settings
        settings.explicitCredentials = .password(user: "me", password: "secret")
        let name = "\(registry.domain)/image:one"
        try await RegistryStore().pull(name, settings)
        let token = try #require(try registry.requests().last { $0.contains("/token") })
        #expect(token.contains("service=fake") && token.contains("scope=repository:image:pull"), "\(token)")
        settings.explicitCredentials = .identityToken("a refresh+token")
        try await RegistryStore().pull(name, settings)
        let form = try #require(try registry.requests().last { $0.hasPrefix("POST") })
        #expect(
            form.contains("\"grant_type\": [\"refresh_token\"]") && form.contains("repository:image:pull"), "\(form)")
        settings.explicitCredentials = .password(user: "me", password: "wrong")
        let error = await #expect(throws: DistributionError.self) { try await RegistryStore().pull(name, settings) }
        #expect(error?.message.contains("incorrect username or password") == true)
    }

    @Test(arguments: [true, false])
    func aBrokenConnectionIsMadeAnew(ranges: Bool) async throws {
        let registry = try FakeRegistry(cut: 3_000_000, ranges: ranges)
        try registry.image("one", layer: try Self.archive(8_000_000))
        let events = Events()
        let store = try RegistryStore()
        try await store.pull("\(registry.domain)/image:one") { events.add($0) }
        #expect(events.all.contains { if case .layer(_, .retrying) = $0 { true } else { false } })
        #expect(try registry.requests().contains { $0.contains("bytes=") })
        #expect(try store.store.layers().count == 1)
    }

    @Test func failuresThatPassAreWaitedFor() async throws {
        let registry = try FakeRegistry(failures: 3)
        try registry.image("one", layer: try Self.archive(1000))
        try await RegistryStore().pull("\(registry.domain)/image:one")
        let lasting = try FakeRegistry(failures: 1000)
        let error = try await Self.failure(lasting, "one", RegistryStore.hasty)
        #expect(error.code == .registry(.serverFault) && error.message.contains("come back later (UNAVAILABLE)"))
    }

    @Test func damagedContentIsNotTaken() async throws {
        let registry = try FakeRegistry()
        let layer = try Self.archive(300_000)
        let digest = Digest.sha256(of: layer)
        var damaged = layer
        damaged[layer.count / 2] ^= 1
        // The layer is damaged on the way: neither its digest nor, were that right, its diffID fits.
        try registry.image("one", layer: layer)
        try registry.blob(damaged, as: digest)
        #expect(try await Self.failure(registry).code == .registry(.corrupt))
        try registry.blob(layer)
        try registry.image("diff", layer: layer, diffID: .sha256(of: "something else"))
        #expect(try await Self.failure(registry, "diff").code == .store(.corrupt))
        for size in [Int64(layer.count - 1), Int64(layer.count + 1), 0, -1, Int64.max] {
            try registry.image("size", layer: layer) { $0.layers[0].size = size }
            let code = try await Self.failure(registry, "size").code
            #expect(code == (size < 0 ? .badImage : .registry(.corrupt)), "\(size)")
        }
        try registry.image("config", layer: layer) { $0.config.size = 3 }
        #expect(try await Self.failure(registry, "config").code == .registry(.corrupt))
        try registry.image("huge", layer: layer) { $0.config.size = 1 << 40 }
        #expect(try await Self.failure(registry, "huge").code == .registry(.badDocument))
    }

    @Test func documentsThatMakeNoSense() async throws {
        let registry = try FakeRegistry()
        let layer = try Self.archive(1000)
        func expect(
            _ tag: String, _ content: String, type: MediaType = .imageManifest, _ codes: DistributionError.Code...,
            location: SourceLocation = #_sourceLocation
        ) async throws {
            try registry.manifest(content, type: type, as: tag)
            let error = try await Self.failure(registry, tag, RegistryStore.settings, location)
            #expect(codes.contains(error.code), "\(error)", sourceLocation: location)
        }
        #expect(try await Self.failure(registry, "missing").message.contains("\u{1b}") == false)
        try await expect("empty", "", .registry(.badDocument))
        try await expect("text", "not json", .registry(.badDocument))
        try await expect("array", "[]", .registry(.badDocument))
        try await expect("old", #"{"schemaVersion":1,"name":"x"}"#, .registry(.badDocument))
        try await expect("both", #"{"schemaVersion":2,"manifests":[],"layers":[]}"#, .registry(.badDocument))
        try await expect("deep", String(repeating: "[", count: 100_000), .registry(.badDocument))
        try await expect("long", "[" + String(repeating: " ", count: 5 << 20) + "]", .registry(.badResponse))
        try await expect(
            "type", #"{"schemaVersion":2,"config":{},"layers":[]}"#, type: MediaType(rawValue: "text/html"),
            .registry(.badDocument))
        let hash = String(repeating: "0", count: 64)
        try await expect(
            "self",
            #"{"schemaVersion":2,"manifests":[{"mediaType":"\#(MediaType.imageIndex)","digest":"sha256:\#(hash)","size":5}]}"#,
            type: .imageIndex, .registry(.notFound))
        try await expect("platforms", #"{"schemaVersion":2,"manifests":[]}"#, type: .imageIndex, .wrongPlatform)
        try registry.image("many", layer: layer) { $0.layers = Array(repeating: $0.layers[0], count: 10_000) }
        #expect(try await Self.failure(registry, "many").code == .badImage)
        try registry.image("two", layer: layer) { $0.layers.append($0.layers[0]) }
        #expect(try await Self.failure(registry, "two").code == .badImage)
        try registry.image("unknown", layer: layer, type: MediaType(rawValue: "application/x-rar"))
        #expect(try await Self.failure(registry, "unknown").code == .badImage)
        try registry.image("artifact", layer: layer) { $0.config.mediaType = .empty }
        #expect(try await Self.failure(registry, "artifact").code == .badImage)
        try registry.image("noarchive", layer: Array("no archive at all".utf8))
        #expect(try await Self.failure(registry, "noarchive").code == .store(.badArchive))
    }

    @Test func indexesWithoutEnd() async throws {
        let registry = try FakeRegistry()
        // A chain, each index naming the next: no digest can make a circle, but length alone is harm enough.
        var next = Descriptor(mediaType: .imageIndex, digest: .sha256(of: "the end"), size: 1)
        for number in 0..<8 {
            next.platform = .current
            let content = String(decoding: try JSON.encode(Index(manifests: [next])), as: UTF8.self)
            next = Descriptor(
                mediaType: .imageIndex, digest: .sha256(of: content), size: Int64(content.utf8.count))
            try registry.manifest(content, type: .imageIndex, as: next.digest.description)
            if number == 7 { try registry.manifest(content, type: .imageIndex, as: "chain") }
        }
        #expect(try await Self.failure(registry, "chain").code == .badImage)
    }
}
