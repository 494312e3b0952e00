import Linux
import Testing

@testable import BuildEngine

/// `COPY --parents`: the examples of the Dockerfile reference and what they leave open.
@Suite struct ParentsTests {
    private func files(_ fixture: BuildFixture) throws {
        for path in [
            "x/a.txt", "x/b.log", "x/y/c.txt", "x/y/z/d.txt", "other/a.txt", "top.txt", "empty/keep",
        ] {
            try fixture.write(path, path)
        }
        try shell("cd \(fixture.context); rm empty/keep; chmod 750 x; chown 5:6 x; ln -s x link")
    }

    /// The paths of the layer that a `COPY` makes.
    private func paths(_ fixture: BuildFixture, _ copy: String) throws -> [String] {
        let built = try fixture.build("FROM busybox\nCOPY --parents \(copy)\n")
        return try fixture.lastLayer(built).map { String($0.split(separator: " ", maxSplits: 3)[3]) }
    }

    @Test func directoriesOfTheSourcesAreKept() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try files(fixture)
            #expect(
                try paths(fixture, "./x/a.txt ./x/y/c.txt /d/") == ["d", "d/x", "d/x/a.txt", "d/x/y", "d/x/y/c.txt"])
            #expect(try paths(fixture, "x/y /d") == ["d", "d/x", "d/x/y", "d/x/y/c.txt", "d/x/y/z", "d/x/y/z/d.txt"])
            #expect(try paths(fixture, "empty /d/") == ["d", "d/empty"])
            // One file to a name without a slash: the destination is a directory all the same.
            #expect(try paths(fixture, "top.txt /d") == ["d", "d/top.txt"])
            let built = try fixture.build("FROM busybox\nCOPY --parents --chown=7 --chmod=640 x/a.txt /d/\n")
            #expect(
                try fixture.lastLayer(built).dropFirst() == ["d 640 7:7 d/x", "f 640 7:7 d/x/a.txt"])
            let plain = try fixture.build("FROM busybox\nCOPY --parents x/a.txt /d/\n")
            #expect(
                try fixture.lastLayer(plain) == ["d 755 0:0 d", "d 750 0:0 d/x", "f 644 0:0 d/x/a.txt"])
            #expect(try fixture.build("FROM busybox\nCOPY --parents x/a.txt /d/\n").result.executedSteps == 0)
            try fixture.write("x/b.log", "changed")
            #expect(try fixture.build("FROM busybox\nCOPY --parents x/a.txt /d/\n").result.executedSteps == 0)
        }
    }

    @Test func thePivotIsWhereDirectoriesBegin() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try files(fixture)
            #expect(try paths(fixture, "x/./y/*.txt /d/") == ["d", "d/y", "d/y/c.txt"])
            #expect(try paths(fixture, "./x/./y/z/d.txt /d/") == ["d", "d/y", "d/y/z", "d/y/z/d.txt"])
            #expect(try paths(fixture, "[ox]*/./a.txt /d/") == ["d", "d/a.txt"])
            #expect(try paths(fixture, "x/y/./ /d/") == ["d", "d/c.txt", "d/z", "d/z/d.txt"])
        }
    }

    @Test func patternsCrossDirectories() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try files(fixture)
            #expect(
                try paths(fixture, "**/*.txt /d/") == [
                    "d", "d/other", "d/other/a.txt", "d/top.txt", "d/x", "d/x/a.txt", "d/x/y", "d/x/y/c.txt", "d/x/y/z",
                    "d/x/y/z/d.txt",
                ])
            #expect(try paths(fixture, "*/a.txt /d/") == ["d", "d/other", "d/other/a.txt", "d/x", "d/x/a.txt"])
            #expect(
                try paths(fixture, "--exclude=x/y --exclude=**/*.log x /d/") == ["d", "d/x", "d/x/a.txt"])
            #expect(try paths(fixture, "--exclude=y x/./** /d/") == ["d", "d/a.txt", "d/b.log"])
            try fixture.write(".dockerignore", "x/y\n")
            #expect(try paths(fixture, "x /d/") == ["d", "d/x", "d/x/a.txt", "d/x/b.log"])
        }
    }

    @Test func whatIsThereKeepsItsAttributes() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("data/new", "new")
            let built = try fixture.build("FROM busybox\nCOPY --parents data/new /\n")
            #expect(try fixture.lastLayer(built) == ["d 2770 7:8 data", "f 644 0:0 data/new"])
            let stage = try fixture.build(
                "FROM busybox AS a\nRUN echo made > /data/made\nFROM busybox\nCOPY --from=a --parents /data/./made /data/file /to/\n"
            )
            #expect(
                try fixture.lastLayer(stage) == [
                    "d 755 0:0 to", "d 2770 7:8 to/data", "f 644 0:0 to/data/file", "f 644 0:8 to/made",
                ])
        }
    }

    @Test func whatIsNotThereIsAnErrorUnlessItIsAPattern() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try files(fixture)
            #expect(try fixture.failure("FROM busybox\nCOPY --parents x/nosuch /d/\n").code == .noSuchFile)
            #expect(try fixture.failure("FROM busybox\nCOPY --parents ../x /d/\n").code == .forbiddenPath)
            try fixture.build("FROM busybox\nCOPY --parents x/*.nosuch x/a.txt /d/\n")
        }
    }
}
