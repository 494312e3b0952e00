import FoundationEssentials
import ImageStore
import Linux
import OCI
import Synchronization
import Testing

@testable import BuildEngine

/// Caches that go from one store to another: `--cache-to` and `--cache-from`.
@Suite struct CacheExportTests {
    private static let dockerfile = """
        FROM busybox AS tool
        RUN echo tool > /tool
        FROM busybox
        WORKDIR /made
        RUN echo 1 > /one
        ENV A=1
        COPY --from=tool /tool /tool
        COPY --link file /file
        RUN cat /one /tool /file > /all
        CMD ["sh"]
        """

    private func prepare(_ fixture: BuildFixture) throws {
        try fixture.write("file", "text\n")
        try shell("touch -d @1500000000 \(fixture.context)/file")
    }

    /// Builds and leaves the cache in a directory.
    private func export(
        _ fixture: BuildFixture, to directory: String, all: Bool, _ dockerfile: String = dockerfile
    ) throws -> BuildFixture.Built {
        let built = try fixture.build(dockerfile)
        let steps = built.result.steps
        let builder = Builder(store: fixture.store)
        let (document, layers) = try builder.cacheDocument(of: all ? steps.all : steps.target)
        try LocalCache(directory: directory).write(document, layers, of: fixture.store)
        return built
    }

    @Test func stepsOfAnotherStoreAreUsed() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try prepare(fixture)
            let cache = fixture.directory + "/cache"
            let built = try export(fixture, to: cache, all: true)
            let other = try fixture.elsewhere()
            let again = try other.build(Self.dockerfile) { $0.cacheSources = [LocalCache(directory: cache)] }
            #expect(again.result.executedSteps == 0, "\(again.log.text)")
            #expect(again.image.id == built.image.id)
            #expect(again.log.text.contains("[internal] read the cache \(cache)"))
            #expect(try other.text("/all", in: again.image) == "1\ntool\ntext\n")
            // From now on the store knows by itself.
            let alone = try other.build(Self.dockerfile)
            #expect(alone.result.executedSteps == 0 && alone.image.id == built.image.id)
            #expect(
                try other.build(Self.dockerfile) { $0.cacheSources = [LocalCache(directory: cache)] }
                    .log.text.contains("read the cache") == false, "who needs nothing does not ask")
        }
    }

    @Test func onlyWhatIsNeededIsFetched() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try prepare(fixture)
            let cache = fixture.directory + "/cache"
            _ = try export(fixture, to: cache, all: true)
            let other = try fixture.elsewhere()
            let changed = Self.dockerfile.replacing("echo 1 >", with: "echo 2 >")
            let built = try other.build(changed) { $0.cacheSources = [LocalCache(directory: cache)] }
            #expect(try other.text("/all", in: built.image) == "2\ntool\ntext\n")
            let fetched = built.log.text.matches(of: #/#\d+ \[internal\] fetch the layer/#).count
            #expect(fetched == 3, "the tool, the directory, and the layer that needs no other: \(built.log.text)")
            let min = fixture.directory + "/min"
            _ = try export(fixture, to: min, all: false)
            let third = try fixture.elsewhere("third")
            let partly = try third.build(Self.dockerfile) { $0.cacheSources = [LocalCache(directory: min)] }
            #expect(try third.text("/all", in: partly.image) == "1\ntool\ntext\n")
            #expect(partly.result.executedSteps < 4, "the stage that is no part of the image is built, the rest is not")
            #expect(partly.result.executedSteps > 0)
        }
    }

    @Test func damagedCachesAreWarningsAndNothingElse() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try prepare(fixture)
            let cache = fixture.directory + "/cache"
            let expected = try export(fixture, to: cache, all: true)
            let blobs = "\(cache)/blobs/sha256"
            let damages: [(name: String, script: String)] = [
                ("nothing there", "rm -r \(cache)"),
                ("no index", "echo nonsense > \(cache)/index.json"),
                ("no such tag", "sed -i s/latest/other/ \(cache)/index.json"),
                (
                    "layers of zeros",
                    "for f in \(blobs)/*; do tar -tf $f >/dev/null 2>&1 && head -c 2048 /dev/zero > $f; done; true"
                ),
                (
                    "other layers",
                    """
                    mkdir \(fixture.directory)/evil; echo evil > \(fixture.directory)/evil/one
                    for f in \(blobs)/*; do
                        tar -tf $f >/dev/null 2>&1 && tar -cf $f -C \(fixture.directory)/evil one; done; true
                    """
                ),
                ("no layers", "for f in \(blobs)/*; do tar -tf $f >/dev/null 2>&1 && rm $f; done; true"),
                ("documents of others", "for f in \(blobs)/*; do grep -q records $f && echo '{}' > $f; done; true"),
                ("links out", "for f in \(blobs)/*; do ln -sf /etc/passwd $f; done"),
            ]
            for (index, damage) in damages.enumerated() {
                let copy = fixture.directory + "/copy"
                try shell("rm -rf \(copy) \(fixture.directory)/evil; cp -r \(cache) \(copy)")
                try shell(damage.script.replacing(cache, with: copy))
                let other = try fixture.elsewhere("store-\(index)")
                let built = try other.build(Self.dockerfile) { $0.cacheSources = [LocalCache(directory: copy)] }
                #expect(try other.text("/all", in: built.image) == "1\ntool\ntext\n", "\(damage.name)")
                #expect(built.result.executedSteps > 0, "\(damage.name)")
                let warnings = built.log.all.count { if case .warning = $0 { true } else { false } }
                #expect(warnings > 0, "\(damage.name)")
                let plain = try other.build(Self.dockerfile)
                #expect(plain.image.id == built.image.id && plain.result.executedSteps == 0, "\(damage.name)")
            }
            #expect(expected.result.executedSteps > 0)
        }
    }

    @Test func hostileDocumentsAreRefusedOrPassedOver() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try prepare(fixture)
            _ = try fixture.build(Self.dockerfile)
            let (good, _) = try Builder(store: fixture.store).cacheDocument(
                of: try fixture.build(Self.dockerfile).result.steps.all)
            var outside = good
            var unnamed = good
            var strange = good
            for index in good.records.indices {
                outside.records[index].layers = [.init(layer: .max), .init(layer: -1)]
                strange.records[index].strata = nil
            }
            for index in good.layers.indices { unnamed.layers[index].annotations = nil }
            for (index, document) in [outside, unnamed, strange].enumerated() {
                let other = try fixture.elsewhere("store-\(index)")
                let source = GivenCache(document: try CacheDocument(reading: try document.encoded()))
                let built = try other.build(Self.dockerfile) { $0.cacheSources = [source] }
                #expect(try other.text("/all", in: built.image) == "1\ntool\ntext\n")
                #expect(source.fetched.load() == 0)
            }
            // A layer that is not what it is said to be is not used, even if the source says that it is.
            let other = try fixture.elsewhere("liar")
            let wrong = try #require(try other.store.layers().first)
            let liar = GivenCache(document: good, answer: wrong)
            let built = try other.build(Self.dockerfile) { $0.cacheSources = [liar] }
            #expect(try other.text("/all", in: built.image) == "1\ntool\ntext\n")
            #expect(liar.fetched.load() > 0)
        }
    }

    @Test func anImageCanCarryItsCache() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try prepare(fixture)
            let dockerfile = "FROM busybox\nRUN echo 1 > /one\nCOPY file /file\nENV A=1\nRUN cat /one > /two\n"
            for (name, date) in [("plain", nil), ("dated", "1600000000")] {
                let source = try fixture.elsewhere("from-\(name)")
                let built = try source.build(dockerfile) {
                    $0.embedsCache = true
                    $0.buildArguments["SOURCE_DATE_EPOCH"] = date
                }
                guard case .string(let text)? = built.image.configuration.other[CacheDocument.inlineMember] else {
                    Issue.record("there is no cache in the image")
                    return
                }
                let document = try CacheDocument(reading: try #require(Data(base64Encoded: text)))
                #expect(document.layers.map(\.blob) == built.image.configuration.rootFS.diffIDs)
                let again = try source.build(dockerfile) {
                    $0.embedsCache = true
                    $0.buildArguments["SOURCE_DATE_EPOCH"] = date
                }
                #expect(again.image.id == built.image.id)
                // The layers are there, as after a pull of the image; the steps are not.
                let other = try fixture.elsewhere("to-\(name)")
                let shared = GivenCache(document: document, from: source.store)
                let used = try other.build(dockerfile) { $0.cacheSources = [shared] }
                #expect(used.result.executedSteps == 0, "\(name): \(used.log.text)")
                #expect(used.image.layerIDs.count == built.image.layerIDs.count)
                #expect(used.image.configuration.rootFS == built.image.configuration.rootFS)
            }
            let argument = try fixture.build(dockerfile) { $0.buildArguments["BUILDKIT_INLINE_CACHE"] = "1" }
            #expect(argument.image.configuration.other[CacheDocument.inlineMember] != nil)
            #expect(!argument.log.text.contains("no ARG declares"))
        }
    }
}

/// A cache that says what a test has it say.
private final class GivenCache: CacheSource {
    final class Count: Sendable {
        private let value = Mutex(0)
        func add() { value.withLock { $0 += 1 } }
        func load() -> Int { value.withLock { $0 } }
    }

    let name = "given"
    let fetched = Count()
    private let document: CacheDocument
    private let answer: LayerRecord?
    private let origin: ImageStore?

    init(document: CacheDocument, answer: LayerRecord? = nil, from origin: ImageStore? = nil) {
        (self.document, self.answer, self.origin) = (document, answer, origin)
    }

    func load() throws -> CacheDocument { document }

    func fetch(_ layer: CacheDocument.Layer, diffID: Digest, into store: ImageStore) throws -> LayerRecord {
        fetched.add()
        if let answer { return answer }
        guard let origin, let known = try origin.layer(diffID: diffID) else { throw Errno.ENOENT }
        let path = "\(origin.root)/given-\(diffID.hex)"
        defer { try? FileDescriptor.currentDirectory.unlink(path) }
        let file = try FileDescriptor.open(path, [.writeOnly, .create], mode: 0o600)
        let number = BorrowedDescriptor(file.rawValue)
        try origin.writeArchive(of: known.id) { (piece) throws(StoreError) in
            do throws(Errno) { try number.writeAll(piece) } catch { throw StoreError(.io, "\(error)") }
        }
        let options = ImportOptions(kind: .layer, isExact: true, expectedDiffID: diffID)
        return try store.importLayer(from: try FileDescriptor.open(path), options: options)
    }
}
