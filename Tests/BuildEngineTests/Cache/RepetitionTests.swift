import ImageStore
import Linux
import OCI
import Synchronization
import Testing

@testable import BuildEngine

/// Layers that occur more than once, and builds at the same time.
@Suite struct RepetitionTests {
    @Test func equalLayersAreStoredOnce() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let dockerfile = "FROM busybox\nRUN true\nRUN echo 1 > /one\nRUN true\nRUN true\n"
            let built = try fixture.build(dockerfile)
            #expect(built.image.layerIDs.count == 5)
            #expect(Set(built.image.layerIDs).count == 3)
            #expect(built.image.configuration.rootFS.diffIDs.count == 5)
            #expect(try fixture.store.layers().count == 3, "copies of a layer go with the build")
            #expect(try fixture.build(dockerfile).result.imageID == built.result.imageID)
            let more = try fixture.build(dockerfile + "RUN cat /one && rm /one\nRUN ls / > /list\n")
            #expect(more.log.output == "1\n")
            #expect(try fixture.text("/one", in: more.image) == nil)
            #expect(more.result.cachedSteps == 5)
        }
    }

    @Test func manyLayers() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            var dockerfile = "FROM busybox\n"
            for number in 1...60 { dockerfile += "COPY <<EOF /d\(number % 7)/f\(number)\n\(number)\nEOF\n" }
            dockerfile += "RUN cat /d[0-9]/f* > /all\nRUN rm -r /d1\n"
            dockerfile += "COPY --from=busybox /data/file /d1/new\nRUN ls /d1\n"
            let built = try fixture.build(dockerfile)
            #expect(built.image.layerIDs.count == 65)
            #expect(built.log.output == "new\n")
            #expect(try fixture.text("/all", in: built.image)?.split(separator: "\n").count == 60)
            #expect(try fixture.build(dockerfile).result.executedSteps == 0)
        }
    }

    @Test func buildsAtTheSameTimeDoNotDisturbEachOther() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("file", "text")
            let dockerfile = "FROM busybox\nRUN echo 1 > /one\nCOPY file /file\nRUN cat /one /file > /both\n"
            let outcomes = Mutex<[Result<Digest, any Error>]>([])
            let count = 3
            for number in 0..<count {
                let root = fixture.store.root
                let context = fixture.context
                PrivateThread.detach {
                    let outcome = Result<Digest, any Error> {
                        var options = BuildOptions(context: context)
                        options.dockerfile = .text(Array(dockerfile.utf8))
                        options.tags = [try Reference(parsing: "same:\(number)")]
                        return try Builder(store: try ImageStore(root: root)).build(options).imageID
                    }
                    outcomes.withLock { $0.append(outcome) }
                }
            }
            let deadline = MonotonicClock.milliseconds + 60_000
            while outcomes.withLock({ $0.count }) < count, MonotonicClock.milliseconds < deadline {
                MonotonicClock.sleep(milliseconds: 10)
            }
            let all = outcomes.withLock { $0 }
            #expect(all.count == count)
            for outcome in all {
                let image = try fixture.store.image(id: try outcome.get())
                #expect(try fixture.text("/both", in: image) == "1\ntext")
            }
            try fixture.store.collectGarbage()
            // Each wrote its results over those of the others; a mixture is not used, but made anew as a whole.
            let after = try fixture.build(dockerfile)
            #expect(try fixture.text("/both", in: after.image) == "1\ntext")
            #expect(try fixture.build(dockerfile).result.executedSteps == 0)
        }
    }
}
