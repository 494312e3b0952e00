import ImageStore
import Linux
import OCI
import Runtime
import Synchronization
import Testing

@testable import BuildEngine

/// What there is to be seen of a command that has failed.
@Suite struct FailedStateTests {
    @Test func theErrorHasTheLastLines() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let error = try fixture.failure(
                "FROM busybox AS only\nRUN seq 30; printf 'a\\rb\\033[1m' >&2; exit 4\n")
            #expect(error.step == "[2/2] RUN seq 30; printf 'a\\rb\\033[1m' >&2; exit 4")
            #expect(error.lastOutput.count == 10)
            let words = error.lastOutput.map { $0.split(separator: " ").map(String.init) }
            #expect(words.allSatisfy { $0.count == 2 && Double($0[0]) != nil })
            #expect(words.compactMap(\.last) == (22...30).map(String.init) + [#"b\u001b[1m"#])
            #expect(!error.description.contains("\n"))
            #expect(try fixture.failure("FROM busybox\nRUN false\n").lastOutput.isEmpty)
        }
    }

    @Test func theStateBecomesAnImageOnRequest() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let dockerfile = """
                FROM busybox
                ENV A=1
                RUN echo good > /good
                RUN <<END
                #!/bin/sh
                echo bad > /bad
                exit 6
                END
                """
            let error = try fixture.failure(dockerfile) { $0.keepsFailed = true }
            #expect(error.exitStatus == 6)
            let left = try fixture.store.images().filter(\.isDangling)
            #expect(left.count == 1)
            let image = try #require(left.first)
            #expect(error.remedy?.contains(image.id.short) == true)
            #expect(try fixture.text("/good", in: image) == "good\n")
            #expect(try fixture.text("/bad", in: image) == "bad\n")
            #expect(image.configuration.config.env.contains("A=1"))
            #expect(image.configuration.history.last?.createdBy?.hasSuffix("# strata, failed") == true)
            #expect(try fixture.layer(image, 2).map { $0.split(separator: " ")[3] } == ["bad"])
            // It is no result that a later build could take.
            #expect(try fixture.failure(dockerfile).exitStatus == 6)
        }
    }

    /// What a test types into a shell, and what comes back.
    private final class Conversation: Sendable {
        private let output = Mutex<[UInt8]>([])
        private let statuses = Mutex<[Int32]>([])
        var text: String { String(decoding: output.withLock { $0 }, as: UTF8.self) }
        var status: [Int32] { statuses.withLock { $0 } }

        func hold(_ script: String, _ open: (Runtime.Attachment) throws -> Int32) {
            do {
                let pipe = try FileDescriptor.pipe()
                try pipe.write.writeAll(script)
                let input = pipe.keepRead()
                let attachment = Runtime.Attachment(input: BorrowedDescriptor(input.rawValue)) { [self] _, bytes in
                    output.withLock { $0 += Array(bytes) }
                }
                let status = try open(attachment)
                statuses.withLock { $0.append(status) }
            } catch {
                Issue.record("the shell cannot be opened: \(error)")
            }
        }
    }

    @Test func aShellOpensWhereACommandFailed() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("seen", "file of the context\n")
            let conversation = Conversation()
            let log = BuildFixture.Log()
            let error = try fixture.failure(
                """
                FROM busybox
                ARG ARGUMENT=argument
                ENV VARIABLE=variable
                WORKDIR /data
                USER app
                RUN --mount=target=/context --mount=type=tmpfs,target=/memory echo half > /tmp/trace; exit 3
                """, log: log
            ) { options in
                options.keepsFailed = true
                options.debugShell = { open in
                    #expect(log.text.contains("ERROR"), "the error is told before")
                    conversation.hold(
                        "cat /tmp/trace; echo $ARGUMENT $VARIABLE; pwd; id -u; cat /context/seen; touch /tmp/left; exit 9",
                        open)
                }
            }
            #expect(error.exitStatus == 3, "the build ends with the step's status")
            #expect(conversation.text == "half\nargument variable\n/data\n1000\nfile of the context\n")
            #expect(conversation.status == [9])
            let image = try #require(try fixture.store.images().first(where: \.isDangling))
            #expect(try fixture.text("/tmp/left", in: image) == "")
        }
    }

    @Test func theOtherStagesHaveEndedWhenTheShellOpens() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let conversation = Conversation()
            let log = BuildFixture.Log()
            let meet = "RUN --mount=type=cache,id=meet,target=/meet"
            let error = try fixture.failure(
                """
                FROM busybox AS one
                \(meet) touch /meet/one; sleep 1000
                FROM busybox AS two
                \(meet) until test -e /meet/one; do sleep 0.05; done; exit 3
                FROM two
                COPY --from=one / /
                """, log: log
            ) {
                $0.debugShell = { open in
                    #expect(log.text.contains("CANCELED"))
                    conversation.hold("echo here\n", open)
                }
            }
            #expect(error.exitStatus == 3 && error.place == "-:4")
            #expect(conversation.text == "here\n" && conversation.status == [0])
        }
    }
}
