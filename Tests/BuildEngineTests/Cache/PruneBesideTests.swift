import ImageStore
import Linux
import OCI
import Synchronization
import Testing

@testable import BuildEngine

/// Builds and loads beside somebody who prunes all that he may.
@Suite struct PruneBesideTests {
    /// Prunes as `system prune --all` does.
    static func pruneAll(_ store: ImageStore) throws {
        var selection = PruneSelection()
        selection.images = .all
        selection.cache = .all
        try store.prune(selection)
    }

    /// The base comes again whenever it was pruned before the build had it.
    private static func options(_ fixture: BuildFixture, _ text: String) -> BuildOptions {
        var options = BuildOptions(context: fixture.context)
        options.dockerfile = .text(Array(text.utf8))
        options.leasesImage = true
        let archive = fixture.directory + "/base.tar"
        options.fetch = { store, name, _, _ in
            let layer = try store.importLayer(from: try FileDescriptor.open(archive))
            var configuration = ImageConfiguration(created: Timestamp(seconds: 1_700_000_000))
            configuration.config.env = ["PATH=/bin"]
            return try store.createImage(
                configuration: configuration, layers: [layer.id], tags: [try Reference(parsing: name)])
        }
        return options
    }

    @Test("Four builds and two loads are whole while everything else is pruned")
    func inOneProcess() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let archive = fixture.directory + "/saved.tar"
            let file = Shared(try FileDescriptor.open(archive, [.writeOnly, .create], mode: 0o600))
            try fixture.store.save(try fixture.store.imagesToSave(["busybox"]), format: .docker) {
                (piece) throws(StoreError) in
                try? file.descriptor.writeAll(piece)
            }
            let isOver = Mutex(false)
            func start(_ body: @escaping @Sendable () throws -> Void) -> PrivateThread.Companion {
                PrivateThread.start {
                    do { try body() } catch { Issue.record("\(error)") }
                }
            }
            let pruner = start { while !isOver.withLock({ $0 }) { try Self.pruneAll(fixture.store) } }
            var workers = (0..<4).map { number in start { try Self.build(fixture, number) } }
            workers += (0..<2).map { _ in start { try Self.load(fixture, archive) } }
            for worker in workers { worker.join() }
            isOver.withLock { $0 = true }
            pruner.join()
            #expect(try fixture.store.check().findings == [])
            try Self.pruneAll(fixture.store)
            #expect(try fixture.store.layers().isEmpty, "no lease is left")
        }
    }

    private static func build(_ fixture: BuildFixture, _ number: Int) throws {
        for round in 0..<6 {
            let store = fixture.store.session()
            let text = """
                FROM busybox AS one
                RUN echo \(number) > /own && echo same > /same
                FROM busybox
                COPY --from=one /own /same /
                RUN test "$(cat /own)" = \(number) && echo \(round) >> /own
                """
            let result = try Builder(store: store).build(options(fixture, text))
            let image = try store.image(id: result.imageID)
            #expect(try fixture.text("own", in: image) == "\(number)\n\(round)\n")
            #expect(try fixture.text("data/file", in: image) == "old\n")
            try store.releaseLeases()
        }
    }

    private static func load(_ fixture: BuildFixture, _ archive: String) throws {
        for _ in 0..<6 {
            let store = fixture.store.session()
            let loaded = try store.load(from: try FileDescriptor.open(archive))
            #expect(loaded.count == 1)
            // It may be gone already, or is there whole.
            guard let image = try? store.leaseImage(id: loaded[0].image.id) else { continue }
            #expect(try fixture.text("data/file", in: image) == "old\n")
        }
    }

    private final class Shared: Sendable {
        let descriptor: FileDescriptor
        init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }
    }
}
