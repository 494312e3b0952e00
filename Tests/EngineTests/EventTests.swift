import Engine
import ImageStore
import Linux
import OCI
import Runtime
import Synchronization
import Testing

/// What an engine reports of what happens in its store.
@Suite(.serialized) struct EventTests {
    @Test("images, containers and volumes report what happens to them, in order and with Docker's names")
    func names() throws {
        try EngineFixture.with { fixture throws in
            let engine = fixture.engine
            try engine.tag("bb", as: "box:1")
            _ = try engine.removeImage("box:1", force: false)
            _ = try engine.createVolume("data")
            var options = ContainerOptions()
            options.imageName = "bb"
            options.name = "app"
            options.command = ["/bin/sh", "-c", "exit 3"]
            options.labels = ["tier": "front"]
            let container = try engine.create(CreateRequest(options, image: "bb")) { _ in }
            _ = try engine.containers.start(container.id, attachment: Attachment(input: nil) { _, _ in })
            try engine.containers.rename("app", to: "web")
            try engine.containers.remove("web")
            try engine.removeVolume("data", forced: false)
            let events = try engine.store.events()
            #expect(
                events.map { "\($0.kind.rawValue) \($0.action)" } == [
                    "image tag", "image import", "image tag", "image untag", "volume create", "container create",
                    "container attach", "container start", "container die", "container rename", "container destroy",
                    "volume destroy",
                ])
            let end = try #require(events.first { $0.action == "die" })
            #expect(end.actor == container.id)
            #expect(end.attributes["exitCode"] == "3" && end.attributes["tier"] == "front")
            #expect(end.attributes["name"] == "app" && end.attributes["image"] == "bb")
            #expect(events.first { $0.action == "rename" }?.attributes["oldName"] == "/app")
            #expect(events.map(\.number) == events.map(\.number).sorted())
            #expect(zip(events, events.dropFirst()).allSatisfy { $0.time <= $1.time })
        }
    }

    @Test("a build and its steps report the image's name and the build, and no container")
    func builds() throws {
        try EngineFixture.with { fixture throws in
            let before = try fixture.engine.store.events().count
            let image = try fixture.built(try fixture.build("app", "FROM bb\nRUN echo 1 > /a\n"))
            let events = try fixture.engine.store.events().dropFirst(before)
            #expect(events.map { "\($0.kind.rawValue) \($0.action)" } == ["image tag", "builder build"])
            #expect(events.last?.actor == image.id.description && events.last?.attributes["name"] == "app:latest")
        }
    }

    @Test("a dry run of a prune reports nothing, a prune reports each kind")
    func prunes() throws {
        try EngineFixture.with { fixture throws in
            var request = PruneRequest(try PruneFilter([], keys: []))
            request.containers = true
            request.volumes = .all
            request.selection = PruneSelection()
            request.selection?.images = .all
            request.isDryRun = true
            let before = try fixture.engine.store.events().count
            _ = try fixture.engine.prune(request)
            #expect(try fixture.engine.store.events().count == before)
            request.isDryRun = false
            _ = try fixture.engine.prune(request)
            let events = try fixture.engine.store.events().dropFirst(before)
            #expect(
                events.map { "\($0.kind.rawValue) \($0.action)" } == [
                    "container prune", "volume prune", "image untag", "image delete", "image prune",
                ])
            #expect(Int64(events.last?.attributes["reclaimed"] ?? "") ?? 0 > 0)
        }
    }

    @Test("a reader gets what another handle of the store does, from its start on, until it is cancelled")
    func reading() throws {
        try EngineFixture.with { fixture throws in
            let other = try Engine(fixture.engine.configuration)
            let cancellation = try Cancellation()
            let seen = Mutex<[String]>([])
            try other.events(EventRequest(), cancellation: cancellation) {
                // Whatever the time this thread gets, the reader misses none.
                let begun = PrivateThread.detach {
                    for number in 1...50 { try? fixture.engine.tag("bb", as: "box:\(number)") }
                }
                #expect(begun)
            } _: { event in
                seen.withLock { $0.append(event.attributes["name"] ?? "") }
                if event.attributes["name"] == "box:50" { cancellation.cancel() }
            }
            #expect(seen.withLock { $0 } == (1...50).map { "box:\($0)" })
        }
    }

    @Test("filters: any value of a key, all keys; a name without a tag means all tags")
    func filters() throws {
        try EngineFixture.with { fixture throws in
            for name in ["box:1", "box:2", "other"] { try fixture.engine.tag("bb", as: name) }
            _ = try fixture.engine.createVolume("data")
            func read(_ filters: String...) throws -> [String] {
                var request = EventRequest()
                request.since = Timestamp(seconds: 0)
                request.until = .now
                request.filter = try EventFilter(filters)
                var found: [String] = []
                try fixture.engine.events(request, cancellation: nil) { event in
                    found.append(event.attributes["name"] ?? event.actor)
                }
                return found
            }
            #expect(try read("image=box", "event=tag") == ["box:1", "box:2"])
            #expect(try read("image=box:2", "image=other", "type=image") == ["box:2", "other:latest"])
            #expect(try read("type=volume") == ["data"])
            #expect(try read("type=container") == [])
            #expect(throws: EngineError.self) { try read("color=red") }
            #expect(throws: EngineError.self) { try read("image") }
        }
    }

    @Test("a store remembers the last 4,096 events")
    func remembered() throws {
        try EngineFixture.with { fixture throws in
            let store = fixture.engine.store
            for start in stride(from: 0, to: 5000, by: 500) {
                try store.record((start..<start + 500).map { StoreEvent(.builder, "test", of: "\($0)") })
            }
            let events = try store.events()
            #expect(events.count == 4096)
            #expect(events.first?.actor == "904" && events.last?.actor == "4999")
        }
    }

    @Test("durations that are too long are refused instead of overflowing")
    func longDurations() {
        let text = String(repeating: "999999999999d", count: 2000)
        #expect(throws: EngineError.self) { try TimePoint.parse(text) }
    }
}
