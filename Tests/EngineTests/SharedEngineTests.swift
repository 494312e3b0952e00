import Dispatch
import Engine
import ImageStore
import Linux
import OCI
import Runtime
import Synchronization
import Testing

/// One engine with many callers.
@Suite(.serialized) struct SharedEngineTests {
    @Test("builds, runs and imports beside prunes of everything in one process each give what they give alone")
    func together() throws {
        try EngineFixture.with { fixture throws in
            let engine = fixture.engine
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
            DispatchQueue.concurrentPerform(iterations: 16) { number in
                do {
                    switch number {
                    case 0..<8: try fixture.built(requests[number])
                    case 8..<12:
                        let printed = try fixture.run("bb", "echo", "\(number)")
                        if printed != "\(number)\n" { failures.withLock { $0.append("run \(number): \(printed)") } }
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
