import ImageStore
import Linux
import OCI
import Synchronization
import Testing

@testable import BuildEngine

/// Builds, and stages of one build, that come to the same step at once.
@Suite struct SharedWorkTests {
    private static func waitUntil(_ condition: () throws -> Bool) rethrows {
        let deadline = MonotonicClock.milliseconds + 20_000
        while try !condition(), MonotonicClock.milliseconds < deadline { MonotonicClock.sleep(milliseconds: 5) }
    }

    /// How often the step was carried out: each time it leaves a line in a cache.
    private static func runs(_ fixture: BuildFixture) throws -> String {
        try shell("cat \(fixture.store.root)/caches/*/data/runs")
    }

    @Test func theSecondBuildTakesWhatTheFirstIsDoing() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let dockerfile = """
                FROM busybox
                RUN --mount=type=cache,target=/c echo first >> /c/runs; echo started; \
                until test -e /c/go; do sleep 0.05; done; echo made > /made
                RUN --mount=type=cache,target=/c echo second >> /c/runs; cat /made > /again
                """
            let logs = [BuildFixture.Log(), BuildFixture.Log()]
            let outcomes = Mutex<[Int: Result<Digest, any Error>]>([:])
            func start(_ index: Int, _ fixture: BuildFixture) -> PrivateThread.Companion {
                PrivateThread.start {
                    let outcome = Result { try fixture.build(dockerfile, log: logs[index]).image.id }
                    outcomes.withLock { $0[index] = outcome }
                }
            }
            // As another process has it: a handle of its own.
            let other = BuildFixture(
                directory: fixture.directory, store: try ImageStore(root: fixture.store.root), base: fixture.base)
            let first = start(0, fixture)
            Self.waitUntil { !logs[0].output.isEmpty }
            let second = start(1, other)
            Self.waitUntil { logs[1].text.contains("waiting for the same step") }
            try shell("for d in \(fixture.store.root)/caches/*/data; do touch $d/go; done")
            first.join()
            second.join()
            let results = outcomes.withLock { $0 }
            #expect(try results[0]?.get() == results[1]?.get())
            #expect(try Self.runs(fixture) == "first\nsecond\n")
            #expect(logs[1].text.contains("waiting for the same step of another build"))
            #expect(logs[1].text.contains("CACHED"))
        }
    }

    @Test func stagesThatAreAlikeAreBuiltOnce() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let stage = "RUN --mount=type=cache,target=/c echo run >> /c/runs; echo made > /made"
            let built = try fixture.build(
                """
                FROM busybox AS one
                \(stage)
                FROM busybox AS two
                \(stage)
                FROM busybox
                COPY --from=one /made /1
                COPY --from=two /made /2
                """)
            #expect(try Self.runs(fixture) == "run\n")
            #expect(try fixture.text("/2", in: built.image) == "made\n")
        }
    }

    @Test func aFailureIsNoResult() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let failing = "FROM busybox\nRUN --mount=type=cache,target=/c echo run >> /c/runs; exit 1\n"
            _ = try fixture.failure(failing)
            _ = try fixture.failure(failing)
            #expect(try Self.runs(fixture) == "run\nrun\n")
        }
    }

    @Test func aLockGoesWithItsValue() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let key = Digest.sha256(of: "key")
            do {
                let lock = try fixture.store.stepLock(key: key)
                #expect(try fixture.store.stepLock(key: key) == nil)
                withExtendedLifetime(lock) {}
            }
            #expect(try fixture.store.stepLock(key: key) != nil)
        }
    }
}
