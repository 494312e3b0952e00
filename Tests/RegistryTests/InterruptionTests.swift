import Distribution
import ImageStore
import Linux
import OCI
import Registry
import Synchronization
import TestSupport
import Testing

@Suite struct InterruptionTests {
    /// Runs something once, at the first event that fits.
    private final class Once: Sendable {
        private let isDone = Mutex(false)
        func run(_ body: () throws -> Void) {
            let first = isDone.withLock { isDone in
                defer { isDone = true }
                return !isDone
            }
            if first { try? body() }
        }
        var hasRun: Bool { isDone.withLock { $0 } }
    }

    private static let large = "head -c 32000000 /dev/urandom > large"

    @Test func aPullOutlivesTheRegistrysRestart() async throws {
        let registry = try DebianRegistry()
        let (here, there) = (try RegistryStore(), try RegistryStore())
        let image = try here.image("image:one", [Self.large])
        let name = "\(registry.domain)/image:one"
        try await here.push("image:one", as: name)
        _ = try registry.requests()
        let once = Once()
        let events = Events()
        let pulled = try await there.pull(name) { event in
            events.add(event)
            if case .layer(_, .downloading(let done, _)) = event, done > 8_000_000 {
                once.run {
                    registry.stop()
                    try registry.start()
                }
            }
        }
        #expect(once.hasRun && events.all.contains { if case .layer(_, .retrying) = $0 { true } else { false } })
        #expect(pulled.image.id == image.id)
        #expect(try there.listing(pulled.image) == (try here.listing(image)))
        // It went on where it was: a partial answer, and not the whole blob again.
        let fetched = try registry.requests().fetchedBlobs
        #expect(fetched.contains { $0.hasSuffix(" 206") }, "\(fetched)")
    }

    @Test func aPushOutlivesTheRegistrysRestart() async throws {
        let registry = try DebianRegistry()
        let (here, there) = (try RegistryStore(), try RegistryStore())
        let image = try here.image("image:one", [Self.large])
        let name = "\(registry.domain)/image:one"
        let once = Once()
        let pushed = try await here.push("image:one", as: name) { event in
            if case .layer(_, .pushing(let done, _)) = event, done > 8_000_000 {
                once.run {
                    registry.stop()
                    try registry.start()
                }
            }
        }
        #expect(once.hasRun)
        let pulled = try await there.pull(name)
        #expect(pulled.image.id == image.id && pulled.digest == pushed.digest)
    }

    @Test func whatAPullHasFinishedStays() async throws {
        let registry = try DebianRegistry()
        let (here, there) = (try RegistryStore(), try RegistryStore())
        let image = try here.image("image:one", ["echo small > small", "echo other > other", Self.large])
        let name = "\(registry.domain)/image:one"
        try await here.push("image:one", as: name)
        var hasty = RegistryStore.settings
        hasty.retries = 0
        let once = Once()
        let events = Events()
        await #expect(throws: DistributionError.self) {
            try await there.pull(name, hasty) { event in
                events.add(event)
                guard case .layer(_, .downloading(let done, _)) = event, done > 8_000_000 else { return }
                // The small ones come first, but only the log says when they are finished.
                waitUntil { events.count(.pulled) >= 2 }
                once.run { registry.stop() }
            }
        }
        #expect(events.count(.pulled) == 2)
        #expect(try there.store.images().isEmpty)
        try there.store.releaseLeases()
        try there.store.collectGarbage()
        try registry.start()
        _ = try registry.requests()
        // Another handle, as of another process.
        let again = Events()
        let client = RegistryClient(domain: registry.domain, settings: RegistryStore.settings)
        let store = try ImageStore(root: there.store.root)
        let pulled = try await RegistryStore.closing([client]) {
            try await ImagePuller(store: store, client: client, report: { again.add($0) })
                .pull(try Reference(parsing: name))
        }
        #expect(pulled.image.id == image.id)
        #expect(again.count(.exists) == 2)
        // One layer and the configuration.
        #expect(try registry.requests().fetchedBlobs.count == 2)

        // What is kept for a pull that never comes is given up on request.
        try store.releaseLeases()
        try store.removeImage(name)
        try store.keepForPull(
            store.importLayer(
                from: try FileDescriptor.open(Busy.emptyArchive(in: there.directory)),
                options: ImportOptions(kind: .layer)
            ).id)
        try store.releaseLeases()
        try store.collectGarbage()
        #expect(try store.layers().count == 1)
        #expect(try store.dropUnfinishedPulls().count == 1)
        #expect(try store.layers().isEmpty)
    }

    private enum Busy {
        static func emptyArchive(in directory: String) throws -> String {
            try shell("mkdir empty; echo x > empty/x; tar -C empty -cf empty.tar .", in: directory)
            return directory + "/empty.tar"
        }
    }
}
