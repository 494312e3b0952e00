import Engine
import ImageStore
import Runtime
import Testing

@Suite(.serialized) struct EnginePruneTests {
    @Test("a dry run says what the prune then does")
    func dryRun() throws {
        try EngineFixture.with { fixture throws in
            try fixture.built(try fixture.build("app", "FROM bb\nRUN echo one > /one\n"))
            _ = try fixture.engine.createVolume(nil)
            _ = try fixture.engine.createVolume("kept")
            var request = PruneRequest(try PruneFilter([], keys: []))
            request.containers = true
            request.volumes = .anonymous
            var selection = PruneSelection()
            selection.images = .all
            selection.cache = .all
            request.selection = selection
            request.isDryRun = true
            let planned = try fixture.engine.prune(request)
            #expect(try fixture.engine.store.images().count == 2)
            request.isDryRun = false
            let done = try fixture.engine.prune(request)
            #expect(try fixture.engine.store.images().isEmpty)
            #expect(planned.bytes == done.bytes)
            #expect(planned.volumes == done.volumes && done.volumes.count == 1)
            #expect(planned.images.map(\.description) == done.images.map(\.description))
            #expect(planned.cache.map(\.record.key) == done.cache.map(\.record.key))
            #expect(try fixture.engine.volumes.names() == ["kept"])
        }
    }

    @Test("records of the build cache have the names of their instructions, or of their cache mounts")
    func names() throws {
        try EngineFixture.with { fixture throws in
            let steps = "FROM bb\nENV A=b\nRUN echo one > /one\nRUN --mount=type=cache,target=/c true\n"
            try fixture.built(try fixture.build("app", steps))
            var request = PruneRequest(try PruneFilter([], keys: []))
            var selection = PruneSelection()
            selection.cache = .all
            request.selection = selection
            let done = try fixture.engine.prune(request)
            #expect(
                Set(done.cache.compactMap { done.cacheNames[$0.record.key] })
                    == ["FROM bb", "RUN echo one > /one", "RUN --mount=type=cache,target=/c true", "/c"])
            // What the ENV step left is a record as well, which has nothing to show.
            #expect(done.cache.count == 5)
        }
    }
}
