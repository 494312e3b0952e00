import Distribution
import ImageStore
import Linux
import OCI
import Registry
import Synchronization
import TestSupport
import Testing

/// A store in a directory of its own, and transfers between it and registries.
final class RegistryStore: Sendable {
    let directory: String
    let store: ImageStore

    init() throws {
        directory = "/var/tmp/strata-test-\(UInt64.random(in: 0...UInt64.max))"
        try FileDescriptor.currentDirectory.makeDirectory(directory, mode: 0o700)
        store = try ImageStore(root: directory + "/store")
    }

    deinit { try? FileDescriptor.currentDirectory.removeTree(directory) }

    /// Settings for tests: no credentials of the user, little patience.
    static var settings: RegistrySettings {
        var settings = RegistrySettings(credentials: nil, proxies: ProxySettings())
        settings.retryDelay = 50
        return settings
    }

    /// Settings for what cannot succeed: one repetition and no more.
    static var hasty: RegistrySettings {
        var settings = settings
        settings.retries = 1
        return settings
    }

    /// An image of layers, each the files that a script makes in an empty directory.
    func image(_ tag: String, _ scripts: [String]) throws -> ImageRecord {
        var layers: [LayerID] = []
        for script in scripts {
            let tree = "\(directory)/tree-\(UInt64.random(in: 0...UInt64.max))"
            try FileDescriptor.currentDirectory.makeDirectory(tree, mode: 0o755)
            try shell(script, in: tree)
            try shell("tar --format=pax -C '\(tree)' -cf '\(tree).tar' .")
            let archive = try FileDescriptor.open(tree + ".tar")
            layers.append(try store.importLayer(from: archive, options: ImportOptions(kind: .layer)).id)
        }
        var configuration = ImageConfiguration(created: Timestamp(seconds: 1_700_000_000))
        configuration.config.env = ["A=b"]
        return try store.createImage(
            configuration: configuration, layers: layers, tags: [try Reference(parsing: tag)])
    }

    /// Pulls an image; `events` gets what happened.
    @discardableResult
    func pull(
        _ name: String, platform: Platform? = nil, _ settings: RegistrySettings = RegistryStore.settings,
        events: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> PulledImage {
        let reference = try Reference(parsing: name)
        let client = RegistryClient(domain: reference.domain, settings: settings)
        let puller = ImagePuller(
            store: store, client: client, options: PullOptions(platform: platform), report: events)
        return try await RegistryStore.closing([client]) { try await puller.pull(reference) }
    }

    /// Pushes the image of a name under another.
    @discardableResult
    func push(
        _ image: String, as name: String, _ settings: RegistrySettings = RegistryStore.settings,
        events: @escaping @Sendable (TransferEvent) -> Void = { _ in }
    ) async throws -> PushedImage {
        let reference = try Reference(parsing: name)
        let client = RegistryClient(domain: reference.domain, settings: settings)
        let others = Mutex<[RegistryClient]>([])
        let pusher = ImagePusher(
            store: store, client: client,
            others: { domain in
                let other = RegistryClient(domain: domain, settings: settings)
                others.withLock { $0.append(other) }
                return other
            }, report: events)
        let record = try store.image(matching: image)
        let result = await Self.outcome { try await pusher.push(record, as: reference) }
        for client in others.withLock({ $0 }) + [client] { await client.close() }
        return try result.get()
    }

    /// Runs `body` and closes the clients, whatever comes of it.
    static func closing<Value: Sendable>(
        _ clients: [RegistryClient], _ body: () async throws -> Value
    ) async throws -> Value {
        let result = await outcome(body)
        for client in clients { await client.close() }
        return try result.get()
    }

    private static func outcome<Value: Sendable>(
        _ body: () async throws -> Value
    ) async -> Result<Value, any Error> {
        do { return .success(try await body()) } catch { return .failure(error) }
    }

    /// A listing of an image's files with their content, for comparison.
    func listing(_ image: ImageRecord) throws -> String {
        try store.lowerPaths(image.layerIDs).map { path in
            try shell(
                """
                find . -mindepth 1 ! -type c -printf '%p %y %m %U:%G %l %n %T@\n' | sort
                find . -type f -print0 | sort -z | xargs -0r sha256sum
                """, in: path)
        }.joined(separator: "\n--\n")
    }
}

/// Collects events from any thread.
final class Events: Sendable {
    private let list = Mutex<[TransferEvent]>([])
    var all: [TransferEvent] { list.withLock { $0 } }
    var remarks: [String] {
        all.compactMap { if case .remark(let text) = $0 { text } else { nil } }
    }
    func add(_ event: TransferEvent) { list.withLock { $0.append(event) } }

    /// How often layers came to a state.
    func count(_ state: TransferEvent.LayerState) -> Int {
        all.count { if case .layer(_, state) = $0 { true } else { false } }
    }
}
