import FoundationEssentials
import ImageStore
import Linux
import OCI
import Registry
import Synchronization
import TestSupport
import Testing

@testable import Distribution

/// What others claim is not taken for true, and what they answer does not lead astray.
@Suite struct TransferTrustTests {
    /// An archive with one file of that many random bytes.
    private static func archive(_ count: Int, in store: RegistryStore) throws -> [UInt8] {
        try shell(
            "rm -rf t; mkdir t; head -c \(count) /dev/urandom > t/file; tar -C t -cf t.tar .", in: store.directory)
        return try FileDescriptor.open(store.directory + "/t.tar").readAll()
    }

    @Test func aClaimedFormIsNotUsedForOtherImages() async throws {
        let (fake, registry) = (try FakeRegistry(), try DebianRegistry())
        let store = try RegistryStore()
        _ = try Self.archive(1000, in: store)
        // The store has the layer; of the blob that is claimed to be its form nobody has seen the content.
        let file = try FileDescriptor.open(store.directory + "/t.tar")
        let layer = try store.store.importLayer(from: file, options: ImportOptions(kind: .layer))
        _ = try store.store.createImage(
            configuration: ImageConfiguration(created: Timestamp(seconds: 1)), layers: [layer.id],
            tags: [try Reference(parsing: "ours:one")])
        let evil = Array("something else altogether".utf8)
        try fake.image("one", layer: evil, type: .layerGzip, diffID: layer.diffID)
        let claimed = Digest.sha256(of: evil)
        let name = "\(fake.domain)/image:one"
        try await store.pull(name)
        #expect(try store.store.blobs(of: layer.id).isEmpty)
        #expect(try store.store.origins(of: claimed) == ["\(fake.domain)/image"])
        // Handed through under its own digest it is still nothing for others.
        try await store.push(name, as: "\(registry.domain)/copy:one")
        #expect(try store.store.blobs(of: layer.id).isEmpty)
        try await store.push("ours:one", as: "\(registry.domain)/copy:ours")
        let forms = try store.store.blobs(of: layer.id)
        #expect(forms.count == 1 && forms.first?.encoder == GzipEncoder.name, "\(forms)")
        #expect(try await RegistryStore().pull("\(registry.domain)/copy:ours").image.layerIDs.count == 1)
    }

    @Test func whatWasFetchedIsAForm() async throws {
        let fake = try FakeRegistry()
        let store = try RegistryStore()
        let archive = try Self.archive(1000, in: store)
        try shell("gzip -k t.tar", in: store.directory)
        let form = try FileDescriptor.open(store.directory + "/t.tar.gz").readAll()
        try fake.image("one", layer: form, type: .layerGzip, diffID: .sha256(of: archive))
        let pulled = try await store.pull("\(fake.domain)/image:one")
        let layer = try #require(pulled.image.layerIDs.first)
        #expect(try store.store.blobs(of: layer).map(\.descriptor.digest) == [.sha256(of: form)])
    }

    @Test(arguments: [true, false])
    func aBlobIsVerifiedToItsEnd(isTrue: Bool) async throws {
        let fake = try FakeRegistry()
        let store = try RegistryStore()
        let archive = try Self.archive(100_000, in: store)
        // Zeros behind the end of the compressed stream are padding, which the archive has no need of.
        try shell("gzip -k t.tar; truncate -s +20M t.tar.gz", in: store.directory)
        let form = try FileDescriptor.open(store.directory + "/t.tar.gz").readAll()
        let digest = isTrue ? Digest.sha256(of: form) : .sha256(of: "something else")
        try fake.blob(form, as: digest)
        try fake.image("one", layer: form, type: .layerGzip, diffID: .sha256(of: archive)) {
            $0.layers[0].digest = digest
        }
        let name = "\(fake.domain)/image:one"
        if isTrue {
            #expect(try await store.pull(name).image.layerIDs.count == 1)
        } else {
            let error = await #expect(throws: DistributionError.self) { try await store.pull(name) }
            #expect(error?.code == .registry(.corrupt))
            try store.store.releaseLeases()
            try store.store.collectGarbage()
            #expect(try store.store.layers().isEmpty)
        }
    }

    @Test func aFormThatCannotBeMadeAnyMoreIsMadeAnew() async throws {
        let registry = try DebianRegistry()
        let store = try RegistryStore()
        let image = try store.image("image:one", ["seq 100000 > numbers"])
        let layer = try #require(image.layerIDs.first)
        let diffID = try #require(try store.store.layer(layer).diffID)
        // As another release of the library would have left it.
        let old = Descriptor(mediaType: .layerGzip, digest: .sha256(of: "as it was"), size: 12_345)
        var transfer = TransferRecord(repository: "example.com/gone", digests: [])
        transfer.add(LayerBlob(descriptor: old, encoder: GzipEncoder.name), of: layer, diffID)
        try store.store.record(transfer, of: image.id)
        let name = "\(registry.domain)/image:one"
        try await store.push("image:one", as: name)
        #expect(try await RegistryStore().pull(name).image.id == image.id)
    }

    /// Uploads a few bytes to a registry that answers, after the first attempt fails, that it has up to `last` of them.
    private static func upload(_ last: Int64) async throws -> FakeRegistry {
        let registry = try FakeRegistry()
        try registry.answer([
            .init(
                method: "POST", path: "/v2/image/blobs/uploads/", status: 202, headers: ["Location": "/upload"],
                times: 2),
            .init(method: "PATCH", path: "/upload", status: 503),
            .init(method: "GET", path: "/upload", status: 204, headers: ["Range": "0-\(last)"]),
            .init(method: "PATCH", path: "/upload", status: 202, headers: ["Location": "/upload"]),
            .init(method: "PUT", path: "/upload\\?digest=.*", status: 201),
        ])
        let content = Array("0123456789".utf8)
        let client = RegistryClient(domain: registry.domain, settings: RegistryStore.settings)
        let sent = try await RegistryStore.closing([client]) {
            try await client.upload(
                BlobSource(size: 10) { sink in try content.withUnsafeBytes { try sink($0) } }, to: "image")
        }
        #expect(sent.digest == .sha256(of: content) && sent.size == 10)
        return registry
    }

    @Test func aRangeThatCannotBeIsBegunAnew() async throws {
        for last in [Int64.max, 10] {
            let requests = try await Self.upload(last).requests()
            #expect(requests.count { $0.hasPrefix("POST") } == 2, "\(requests)")
        }
        let requests = try await Self.upload(3).requests()
        #expect(requests.count { $0.hasPrefix("POST") } == 1, "\(requests)")
        #expect(requests.contains("PATCH /upload 4-9"), "\(requests)")
    }

    @Test func aRegistryThatAsksForFewerRequestsIsWaitedFor() async throws {
        let registry = try FakeRegistry()
        let store = try RegistryStore()
        try registry.image("one", layer: try Self.archive(1000, in: store))
        try registry.answer([
            .init(method: "GET", path: "/v2/image/blobs/.*", status: 429, headers: ["Retry-After": "1"], times: 2)
        ])
        let start = MonotonicClock.milliseconds
        try await store.pull("\(registry.domain)/image:one")
        // The configuration and the layer, each once.
        #expect(MonotonicClock.milliseconds - start >= 1900)
    }

    @Test func archivesAreImportedFromTheWeb() async throws {
        let whole = try FakeRegistry()
        let store = try RegistryStore()
        let archive = try Self.archive(8_000_000, in: store)
        func address(_ registry: FakeRegistry, _ digest: Digest) throws -> HTTPDownload {
            try #require(HTTPDownload("http://me:secret@\(registry.domain)/v2/x/blobs/\(digest)?signature=1"))
        }
        let download = try address(whole, try whole.blob(archive))
        #expect(download.shownAddress == "http://\(whole.domain)/v2/x/blobs/\(Digest.sha256(of: archive))")
        let told = Mutex<Int64>(0)
        let layer = try await download.importLayer(
            into: store.store, options: ImportOptions(), settings: RegistryStore.settings
        ) { done, total in
            #expect(total == Int64(archive.count))
            told.withLock { $0 = done }
        }
        #expect(told.withLock { $0 } == Int64(archive.count))
        #expect(try whole.credentials().first?.hasSuffix("Basic bWU6c2VjcmV0") == true)
        #expect(try shell("sha256sum < t/file", in: store.directory) == (try Self.sum(of: layer, in: store)))

        // Cut off where an archive could end: its end is not taken for the end of the download.
        let other = try RegistryStore()
        let broken = try FakeRegistry(cut: 4_000_000)
        let failed = try address(broken, try broken.blob(archive))
        let error = await #expect(throws: DistributionError.self) {
            try await failed.importLayer(
                into: other.store, options: ImportOptions(), settings: RegistryStore.settings)
        }
        #expect(error?.code == .registry(.connection), "\(error?.description ?? "")")
        #expect(error?.message.contains("secret") == false && error?.message.contains("signature") == false)
        try other.store.releaseLeases()
        #expect(try other.store.layers().isEmpty)
        let missing = try address(whole, .sha256(of: "nothing"))
        let absent = await #expect(throws: DistributionError.self) {
            try await missing.importLayer(
                into: other.store, options: ImportOptions(), settings: RegistryStore.settings)
        }
        #expect(absent?.code == .registry(.notFound))
    }

    private static func sum(of layer: LayerRecord, in store: RegistryStore) throws -> String {
        try shell("sha256sum < file", in: store.store.layerPath(layer.id))
    }
}
