import Dispatch
import Distribution
import Engine
import ImageStore
import Linux
import OCI
import Runtime
import Synchronization
import TestSupport
import Testing

/// One engine with many callers.
@Suite(.serialized) struct SharedEngineTests {
    @Test("builds, pulls, runs and imports beside prunes of everything in one process give what each gives alone")
    func together() throws {
        try DebianRegistry.test { registry in
            try EngineFixture.with { fixture in try together(fixture, registry) }
        }
    }

    private func together(_ fixture: EngineFixture, _ registry: DebianRegistry) throws {
        let engine = fixture.engine
        let pushed = try pushImages(fixture, registry)
        // What a container has stays.
        _ = try fixture.engine.create(CreateRequest(ContainerOptions(), image: "bb")) { _ in }
        var builds: [BuildRequest] = []
        for number in 0..<8 {
            var request = try fixture.build(
                "app-\(number)", "FROM bb\nRUN echo \(number) > /a\nRUN cat /a /a > /b\nCOPY Dockerfile /c\n")
            request.outputs = [try BuildOutput("type=local,dest=\(fixture.directory)/out-\(number)")]
            builds.append(request)
        }
        let requests = builds
        let failures = Mutex<[String]>([])
        let isOver = Atomic(false)
        let pruner = DispatchSemaphore(value: 0)
        let isPruning = PrivateThread.detach {
            while !isOver.load(ordering: .relaxed) {
                do { _ = try engine.prune(Self.everything()) } catch { failures.withLock { $0.append("\(error)") } }
            }
            pruner.signal()
        }
        try #require(isPruning)
        DispatchQueue.concurrentPerform(iterations: 20) { number in
            do {
                switch number {
                case 0..<8: try fixture.built(requests[number])
                case 8..<12:
                    let printed = try fixture.run("bb", "echo", "\(number)")
                    if printed != "\(number)\n" { failures.withLock { $0.append("run \(number): \(printed)") } }
                case 12..<16:
                    let pulled = try engine.pull(PullRequest(name: pushed[number - 12].name)) { _ in }
                    if pulled.map(\.image.id) != [pushed[number - 12].id] {
                        failures.withLock { $0.append("pull \(number): \(pulled)") }
                    }
                default:
                    let archive = try FileDescriptor.open(fixture.directory + "/bb.tar")
                    var request = ImportRequest(.file(archive), comment: "\(number)")
                    request.changes = ["LABEL n=\(number)"]
                    _ = try engine.importImage(request) { _ in }
                }
            } catch {
                failures.withLock { $0.append("\(number): \(error)") }
            }
        }
        isOver.store(true, ordering: .relaxed)
        pruner.wait()
        #expect(failures.withLock { $0 } == [])
        for number in 0..<8 {
            let out = "\(fixture.directory)/out-\(number)"
            let written = try FileDescriptor.open(out + "/b").readAll()
            #expect(String(decoding: written, as: UTF8.self) == "\(number)\n\(number)\n")
            #expect(try FileDescriptor.currentDirectory.status(of: out + "/bin/busybox").isRegular)
        }
        #expect(try engine.store.check(IntegrityOptions()) { _, _ in }.findings.isEmpty)
    }

    /// Four images that a registry has and the store has not.
    private func pushImages(_ fixture: EngineFixture, _ registry: DebianRegistry) throws -> [(name: String, id: Digest)]
    {
        let pushed = try (0..<4).map { number in
            let request = try fixture.build("\(registry.domain)/app:\(number)", "FROM bb\nRUN echo \(number) > /n\n")
            let image = try fixture.built(request)
            try fixture.engine.push(PushRequest(name: "\(registry.domain)/app:\(number)")) { _ in }
            return (name: "\(registry.domain)/app:\(number)", id: image.id)
        }
        for image in pushed { _ = try fixture.engine.removeImage(image.name, force: true) }
        return pushed
    }

    private static func everything() throws -> PruneRequest {
        var request = PruneRequest(try PruneFilter([], keys: []))
        var selection = PruneSelection()
        selection.images = .all
        selection.cache = .all
        request.selection = selection
        return request
    }
}
