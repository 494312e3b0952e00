import ImageStore
import Linux
import OCI
import Testing

@testable import BuildEngine

/// Which steps a change carries out again, and which come from the cache.
@Suite struct CacheTests {
    /// A change, and the steps behind `FROM` that it carries out again: those whose line has one of the words.
    private struct Change {
        var what: String
        var again: [String]
        var context = "true"
        var dockerfile: (old: String, new: String)?
        var arguments: [String: String] = [:]
    }

    private static let dockerfile = """
        FROM busybox
        ARG UNUSED=1
        COPY one /one
        RUN cat /one > /copy
        COPY --chown=1:2 --chmod=640 dir /dir
        ARG USED=1
        RUN echo $USED > /used
        COPY *.txt /texts/
        """

    private static let changes: [Change] = [
        Change(what: "nothing", again: []),
        Change(what: "times", again: [], context: "find . -exec touch {} +"),
        Change(what: "owners", again: [], context: "chown -R 3:4 ."),
        Change(what: "another inode", again: [], context: "cp one new && mv new one"),
        Change(what: "an ignored file", again: [], context: "echo x > dir/a.log; echo x > b.log"),
        Change(what: "a file that no step takes", again: [], context: "echo x > other"),
        Change(what: "a mode under --chmod", again: [], context: "chmod 600 dir/a"),
        Change(
            what: "content", again: ["one /one", "cat", "dir", "USED", "txt"], context: "echo 2 > one"),
        Change(what: "a mode", again: ["one /one", "cat", "dir", "USED", "txt"], context: "chmod 600 one"),
        Change(what: "content of a directory", again: ["dir", "USED", "txt"], context: "echo 2 > dir/a"),
        Change(what: "a name", again: ["dir", "USED", "txt"], context: "mv dir/a dir/z"),
        Change(what: "a new file", again: ["dir", "USED", "txt"], context: "echo n > dir/n"),
        Change(what: "a match of a pattern", again: ["txt"], context: "echo 2 > 2.txt"),
        Change(what: "a build argument that a command sees", again: ["USED", "txt"], arguments: ["USED": "2"]),
        Change(what: "a build argument with the same value", again: [], arguments: ["USED": "1"]),
        Change(what: "a build argument that nobody declares", again: [], arguments: ["OTHER": "2"]),
        Change(what: "--chown", again: ["dir", "USED", "txt"], dockerfile: ("1:2", "1:3")),
        Change(what: "--chown by another name", again: [], dockerfile: ("1:2", "01:2")),
        Change(what: "--chmod", again: ["dir", "USED", "txt"], dockerfile: ("640", "600")),
        Change(what: "a command", again: ["cat", "dir", "USED", "txt"], dockerfile: ("cat /one", "cat  /one")),
        Change(what: "a destination", again: ["txt"], dockerfile: ("/texts/", "/words/")),
        Change(what: "a comment", again: [], dockerfile: ("ARG USED=1", "# a comment\nARG USED=1")),
        Change(what: "a label", again: [], dockerfile: ("ARG USED=1", "LABEL a=b\nARG USED=1")),
        Change(
            what: "the environment", again: ["cat", "dir", "USED", "txt"], dockerfile: ("COPY one", "ENV A=b\nCOPY one")
        ),
    ]

    @Test("A build notes the records of the cache that it uses")
    func usedRecordsAreNoted() throws {
        try BuildFixture.run { fixture in
            try fixture.write("f", "text")
            // What is known of a file is kept only once the clock has moved on from its last change.
            MonotonicClock.sleep(milliseconds: 60)
            let text = """
                FROM busybox
                COPY f /f
                RUN --mount=type=cache,target=/c touch /x
                COPY --from=busybox /bin /b
                """
            func build() throws -> BuildResult {
                try fixture.build(text) {
                    $0.assembly.squashes = true
                    $0.buildArguments[SourceDate.name] = "1000"
                }.result
            }
            _ = try build()
            let old = Timestamp(seconds: 1000)
            let records = try fixture.store.cacheRecords()
            #expect(Set(records.map(\.kind)) == [.step, .selection, .files, .layer])
            try fixture.store.touchCacheRecords(records.map(\.key), at: old)
            try fixture.build("FROM busybox\nRUN touch /other\n")
            #expect(try fixture.store.cacheRecords().contains { $0.lastUsed == old })
            #expect(try build().executedSteps == 0)
            #expect(try fixture.store.cacheRecords().filter { $0.lastUsed == old }.map(\.key) == [])
        }
    }

    @Test func onlyWhatAChangeConcernsIsDoneAgain() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("one", "1")
            try fixture.write("dir/a", "a")
            try fixture.write("1.txt", "text")
            try fixture.write(".dockerignore", "**/*.log\n")
            let (context, kept) = (fixture.context, fixture.directory + "/kept")
            try shell("cp -a \(context) \(kept)")
            #expect(Self.steps(of: try fixture.build(Self.dockerfile).log.text).count == 5)
            for change in Self.changes {
                try shell("rm -r \(context); cp -a \(kept) \(context); cd \(context); \(change.context)")
                var text = Self.dockerfile
                if let (old, new) = change.dockerfile { text = text.replacing(old, with: new) }
                let built = try fixture.build(text) { $0.buildArguments = change.arguments }
                let again = Self.steps(of: built.log.text)
                for step in ["one /one", "cat", "dir", "USED", "txt"] {
                    let isDone = again.contains { $0.contains(step) }
                    #expect(isDone == change.again.contains(step), "\(change.what): \(step), done: \(again)")
                }
            }
        }
    }

    /// The lines of the instructions that were carried out.
    private static func steps(of log: String) -> [Substring] {
        let lines = log.split(separator: "\n")
        let cached = Set(lines.filter { $0.hasSuffix(" CACHED") }.map { $0.prefix { $0 != " " } })
        return lines.filter { line in
            line.contains("/6] ") && !line.contains("] FROM") && !cached.contains(line.prefix { $0 != " " })
        }
    }
}
