import Dockerfile
import ImageStore
import Linux
import OCI
import Runtime
import Synchronization
import Testing

@testable import BuildEngine

/// Stages that are built beside each other. What has to happen at the same time waits for the other in a cache that both
/// mount: one after the other they could not finish.
@Suite struct ParallelStageTests {
    /// A command that leaves a file for others and waits for one of theirs, twenty seconds at most.
    private static func meet(leaving own: String, waitingFor other: String) -> String {
        "RUN --mount=type=cache,id=meet,target=/meet touch /meet/\(own); n=0; "
            + "until test -e /meet/\(other); do sleep 0.05; n=$((n+1)); test $n -lt 400 || exit 99; done"
    }

    @Test func independentStagesRunAtTheSameTime() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let built = try fixture.build(
                """
                FROM busybox AS one
                \(Self.meet(leaving: "1", waitingFor: "2")); echo 1 > /one
                FROM busybox AS two
                \(Self.meet(leaving: "2", waitingFor: "1")); echo 2 > /two
                FROM busybox
                COPY --from=one /one /
                COPY --from=two /two /
                """)
            #expect(try fixture.text("/one", in: built.image) == "1\n")
            #expect(try fixture.text("/two", in: built.image) == "2\n")
        }
    }

    /// The first stage waits for what the last one does before it takes files of the first.
    @Test func aStageWaitsOnlyWhereItNeedsAnother() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let built = try fixture.build(
                """
                FROM busybox AS early
                \(Self.meet(leaving: "early", waitingFor: "late")); echo early > /file
                FROM busybox AS mounted
                \(Self.meet(leaving: "mounted", waitingFor: "late")); echo mounted > /file
                FROM early AS derived
                RUN echo derived >> /file
                FROM busybox
                \(Self.meet(leaving: "late", waitingFor: "mounted"))
                COPY --from=derived /file /
                RUN --mount=from=mounted,target=/other cat /other/file >> /file
                """)
            #expect(try fixture.text("/file", in: built.image) == "early\nderived\nmounted\n")
        }
    }

    @Test func aFailureEndsTheOthers() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let log = BuildFixture.Log()
            let error = try fixture.failure(
                """
                FROM busybox AS slow
                \(Self.meet(leaving: "slow", waitingFor: "bad")); sleep 1000
                FROM busybox AS bad
                \(Self.meet(leaving: "bad", waitingFor: "slow")); exit 5
                FROM slow AS never
                RUN echo never
                FROM busybox
                COPY --from=never / /
                COPY --from=bad / /
                """, log: log)
            #expect(error.code == .commandFailed && error.exitStatus == 5 && error.place == "-:4")
            #expect(log.text.contains("CANCELED"))
            #expect(!log.text.contains("echo never"))
            #expect(try fixture.store.images().count == 1)
        }
    }

    @Test func cancellingEndsAllStages() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let cancellation = try Cancellation()
            let log = BuildFixture.Log()
            PrivateThread.detach {
                let deadline = MonotonicClock.milliseconds + 20_000
                while log.output.count(where: { $0 == "+" }) < 2, MonotonicClock.milliseconds < deadline {
                    MonotonicClock.sleep(milliseconds: 5)
                }
                cancellation.cancel()
            }
            let error = #expect(throws: BuildError.self) {
                try fixture.build(
                    """
                    FROM busybox AS one
                    RUN echo +; sleep 1000
                    FROM busybox AS two
                    RUN echo +; sleep 2000
                    FROM one
                    COPY --from=two / /
                    """, log: log, cancellation: cancellation)
            }
            #expect(error?.code == .cancelled)
            #expect(log.text.split(separator: "\n").count { $0.hasSuffix("CANCELED") } == 2)
        }
    }

    @Test func linesOfStagesAreNotMixed() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            func lines(_ letter: String) -> String {
                "for i in $(seq 200); do printf \(letter); printf '%s\\n' \(letter)\(letter); done"
            }
            let built = try fixture.build(
                """
                FROM busybox AS one
                \(Self.meet(leaving: "1", waitingFor: "2")); \(lines("a"))
                FROM busybox AS two
                \(Self.meet(leaving: "2", waitingFor: "1")); \(lines("b"))
                FROM one
                COPY --from=two /etc/passwd /
                """)
            var steps: [Substring: Set<Substring>] = [:]
            var count = 0
            for line in built.log.text.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count == 3, ["aaa", "bbb"].contains(words[2]) else { continue }
                steps[words[0], default: []].insert(words[2])
                count += 1
            }
            #expect(count == 400)
            #expect(steps.count == 2 && steps.values.allSatisfy { $0.count == 1 })
        }
    }

    // MARK: The board

    private static func state() -> StageState {
        StageState(
            image: ImageConfiguration(platform: .current), scope: .init(), filesKey: .scratch, stateKey: .scratch)
    }

    @Test func theFirstErrorOfTheDockerfileCounts() throws {
        let board = StageBoard([0, 2, 1], width: 3, stop: try Cancellation())
        let begun = Mutex<Set<Int>>([])
        let error = #expect(throws: BuildError.self) {
            try board.carryOut { (index: Int) throws(BuildError) in
                begun.withLock { _ = $0.insert(index) }
                let deadline = MonotonicClock.milliseconds + 20_000
                while begun.withLock({ $0.count }) < 3, MonotonicClock.milliseconds < deadline {
                    MonotonicClock.sleep(milliseconds: 1)
                }
                throw BuildError(index == 0 ? .cancelled : .system, "stage \(index)")
            }
        }
        #expect(error?.message == "stage 1")
    }

    /// A long chain in which each stage needs the one before, with room for one to work and 64 to wait.
    @Test func manyStagesThatWaitForEachOther() throws {
        let board = StageBoard(Array(0..<300), width: 1, stop: try Cancellation())
        let working = Mutex((now: 0, most: 0, done: [Int]()))
        try board.carryOut { (index: Int) throws(BuildError) in
            if index > 0 { try board.wait(for: index - 1, in: index) }
            working.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
            MonotonicClock.sleep(milliseconds: 1)
            working.withLock {
                $0.now -= 1
                $0.done.append(index)
            }
            return Self.state()
        }
        #expect(working.withLock { $0.done } == Array(0..<300))
        #expect(working.withLock { $0.most } == 1)
        #expect(throws: BuildError.self) { try board.wait(for: 5, in: 4) }
    }
}
