import ImageStore
import Linux
import OCI
import Testing

@testable import BuildEngine

/// What `--explain-cache` says of each kind of difference.
@Suite struct CacheExplanationTests {
    /// What is said of the last step of a Dockerfile that is built twice, with something changed in between.
    private static func explanation(
        _ fixture: BuildFixture, _ first: String, _ second: String? = nil,
        _ changeFirst: (inout BuildOptions) -> Void = { _ in }, then change: (inout BuildOptions) throws -> Void
    ) throws -> [String] {
        try fixture.build(first) { changeFirst(&$0) }
        return try explanation(fixture, second ?? first, change)
    }

    /// What is said of the last step of a build, without "cache: ".
    private static func explanation(
        _ fixture: BuildFixture, _ dockerfile: String, _ change: (inout BuildOptions) throws -> Void
    ) throws -> [String] {
        var failure: (any Error)?
        let built = try fixture.build(dockerfile) { options in
            options.explainsCache = true
            do { try change(&options) } catch { failure = error }
        }
        if let failure { throw failure }
        var notes: [Int: [String]] = [:]
        for case .note(let step, let text) in built.log.all where text.hasPrefix("cache: ") {
            notes[step, default: []].append(String(text.dropFirst("cache: ".count)))
        }
        return notes.max { $0.key < $1.key }?.value ?? []
    }

    @Test func aHitAndAFirstTime() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let text = "FROM busybox\nRUN echo 1 > /one\nRUN echo 2 > /two\n"
            #expect(
                try Self.explanation(fixture, text) { _ in } == [
                    "not asked, because a step before was carried out: [2/3] RUN echo 1 > /one"
                ])
            let hit = try Self.explanation(fixture, text) { _ in }
            #expect(hit.count == 1 && hit.first?.hasPrefix("found, made 2") == true)
            #expect(
                try Self.explanation(fixture, text) { $0.usesCache = false } == ["not asked, because of --no-cache"])
            let filtered = try Self.explanation(fixture, text) { $0.uncachedStages = ["0"] }
            #expect(filtered == ["not asked, because of --no-cache-filter"])
            let new = try Self.explanation(fixture, "FROM scratch\nWORKDIR /w\n") { _ in }
            #expect(new == ["missed: no earlier step has this instruction or stands at this place"])
            let silent = try fixture.build(text)
            #expect(!silent.log.text.contains("cache:"))
        }
    }

    @Test func instructionsArgumentsAndVariables() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let other = try Self.explanation(
                fixture, "FROM busybox\nRUN echo 1 > /one\n", "FROM busybox\nRUN echo 2 > /one\n"
            ) { _ in }
            #expect(other.first?.hasPrefix("missed, compared with another instruction at this place of 2") == true)
            #expect(other.contains("the instruction was RUN echo 1 > /one"))
            let withArgument = "FROM busybox\nARG USED\nARG SAME=1\nENV OLD=1\nRUN echo $USED > /file\n"
            let argument = try Self.explanation(fixture, withArgument) {
                $0.buildArguments = ["USED": "first secret"]
            } then: {
                $0.buildArguments = ["USED": "second"]
            }
            #expect(argument.first?.hasPrefix("missed, compared with the same step of 2") == true)
            #expect(argument.dropFirst() == ["the build argument USED differs"])
            let variables = try Self.explanation(
                fixture, "FROM busybox\nENV A=1 B=2\nRUN echo variables\n",
                "FROM busybox\nENV A=3 C=4\nRUN echo variables\n"
            ) { _ in }
            #expect(
                variables.dropFirst() == [
                    "the variable A differs", "the variable C is new", "the variable B is not there any more",
                ])
            let user = try Self.explanation(
                fixture, "FROM busybox\nRUN id > /id\n", "FROM busybox\nUSER 7\nRUN id > /tmp/id\n"
            ) { _ in }
            #expect(user.contains("the instruction was RUN id > /id") && user.contains("the user is \"7\", was \"\""))
            let script = try Self.explanation(
                fixture, "FROM busybox\nRUN <<END\necho 1\nEND\n", "FROM busybox\nRUN <<END\necho 2\nEND\n"
            ) { _ in }
            #expect(script.dropFirst() == ["the command differs"])
        }
    }

    @Test func filesOfTheContext() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            for name in ["same", "sub/content", "sub/gone", "sub/mode", "zone/x"] { try fixture.write(name, "1") }
            let lines = try Self.explanation(
                fixture, "FROM busybox\nCOPY . /to/\n",
                then: { _ in
                    try fixture.write("sub/content", "2")
                    try fixture.write("sub/added", "1")
                    try fixture.write("sub/mode", "1", mode: 0o755)
                    try FileDescriptor.currentDirectory.unlink("\(fixture.context)/sub/gone")
                })
            #expect(lines.first?.hasPrefix("missed, compared with the same step of 2") == true)
            #expect(
                lines.dropFirst() == [
                    "the file sub/added is new", "the file sub/content has other content",
                    "the file sub/gone is not there any more", "the file sub/mode has another mode, owner or attribute",
                ])
            let many = try Self.explanation(fixture, "FROM busybox\nCOPY . /to/\n") { _ in
                for number in 10..<40 { try fixture.write("sub/many\(number)", "1") }
            }
            #expect(many.count == 12 && many.last == "and 20 more")
            let place = try Self.explanation(
                fixture, "FROM busybox\nARG TO=a\nCOPY same /$TO\n"
            ) { _ in
            } then: {
                $0.buildArguments = ["TO": "b"]
            }
            #expect(place.dropFirst() == ["the destination is \"/b\", was \"/a\""])
            let owner = try Self.explanation(
                fixture, "FROM busybox\nARG USER=1\nCOPY --chown=$USER same /owned\n"
            ) { _ in
            } then: {
                $0.buildArguments = ["USER": "2"]
            }
            #expect(owner.contains("the owner is \"2:2\", was \"1:1\""))
            let heredoc = try Self.explanation(
                fixture, "FROM busybox\nCOPY <<END /h\n1\nEND\n", "FROM busybox\nCOPY <<END /h\n2\nEND\n"
            ) { _ in }
            #expect(heredoc.dropFirst() == ["the file <<END has other content"])
        }
    }

    @Test func basesMountsAndSecrets() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.build("FROM busybox\nRUN echo base 1 > /base\n", tag: "base")
            let old = try fixture.store.image(matching: "base").id
            let base = try Self.explanation(
                fixture, "FROM base\nRUN echo on the base\n",
                then: { _ in
                    try fixture.build("FROM busybox\nRUN echo base 2 > /base\n", tag: "base")
                })
            let new = try fixture.store.image(matching: "base").id
            #expect(base.first?.hasPrefix("missed, compared with the same instruction of 2") == true)
            #expect(base.dropFirst() == ["the base image is base \(new), was base \(old)"])

            try fixture.write("mounted", "1")
            let mount = try Self.explanation(
                fixture, "FROM busybox\nRUN --mount=target=/m cat /m/mounted\n",
                then: { _ in
                    try fixture.write("mounted", "2")
                })
            #expect(mount.dropFirst() == ["the source of the mount at /m differs"])

            try fixture.build("FROM busybox\nRUN --mount=type=secret,id=one true\n")
            let secret = try Self.explanation(fixture, "FROM busybox\nRUN --mount=type=secret,id=two true\n") { _ in }
            #expect(secret.contains("the secret two is new") && secret.contains("the secret one is not there any more"))

            let stages = "FROM busybox AS one\nARG A=1\nRUN echo $A > /a\nFROM scratch\nCOPY --from=one /a /\n"
            let copied = try Self.explanation(fixture, stages) { _ in
            } then: {
                $0.buildArguments = ["A": "2"]
            }
            #expect(copied.dropFirst() == ["the content of what is copied from one differs"])
        }
    }

    /// A result that was removed is told as that, and nothing is told of what went with it.
    @Test func removedResults() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let text = "FROM busybox\nRUN echo 1 > /one\n"
            let image = try fixture.build(text).image
            _ = try fixture.store.removeImage(image.id.short)
            var selection = PruneSelection()
            selection.cache = .all
            _ = try fixture.store.prune(selection)
            let lines = try Self.explanation(fixture, text) { _ in }
            #expect(lines == ["missed: no earlier step has this instruction or stands at this place"])
        }
    }

    // MARK: Manifests

    @Test func manifestsKeepPathsThatShareBeginnings() {
        var manifest = FileManifest()
        var expected: [[UInt8]: FileManifest.Entry] = [:]
        for (number, path) in ["a", "ab", "ab/c", "ab/cd", "b", "b/\u{e9}", "ab/c/\u{1f600}"].enumerated() {
            let entry = FileManifest.Entry(properties: UInt32(number), content: .max - UInt64(number))
            manifest.directory = []
            manifest.add(path.utf8, entry)
            expected[Array(path.utf8)] = entry
        }
        #expect(manifest.entries() == expected)
        #expect(FileManifest(bytes: manifest.bytes).differences(from: manifest) == [])
        // What is damaged is read as far as it goes.
        for length in 0..<manifest.bytes.count {
            #expect(FileManifest(bytes: Array(manifest.bytes.prefix(length))).entries().count <= expected.count)
        }
        _ = FileManifest(bytes: [UInt8](repeating: 0xff, count: 99)).entries()
    }
}
