import LayerTree
import Linux
import Testing

@testable import BuildEngine

/// What of a build context takes part, and what that means for the cache.
@Suite struct ContextTests {
    @Test func ignoredFilesAreNotThere() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            for path in ["keep", "drop.log", "dir/drop.log", "dir/keep", "node_modules/a/b", "node_modules/keep/me"] {
                try fixture.write(path, path)
            }
            try fixture.write(".dockerignore", "# comment\n**/*.log\nnode_modules\n!node_modules/keep\n.dockerignore\n")
            let dockerfile = "FROM busybox\nCOPY . /c/\n"
            let built = try fixture.build(dockerfile)
            #expect(
                try fixture.lastLayer(built) == [
                    "d 755 0:0 c", "d 755 0:0 c/dir", "f 644 0:0 c/dir/keep", "f 644 0:0 c/keep",
                    "d 755 0:0 c/node_modules", "d 755 0:0 c/node_modules/keep", "f 644 0:0 c/node_modules/keep/me",
                ])
            for path in ["drop.log", "node_modules/a/b", "node_modules/a"] {
                let error = try fixture.failure("FROM busybox\nCOPY \(path) /x/\n")
                #expect(error.code == .noSuchFile, "\(path)")
            }
            try fixture.write("drop.log", "changed")
            try fixture.write("node_modules/a/new", "new")
            #expect(try fixture.build(dockerfile).result.executedSteps == 0, "what is left out is no part of the key")
        }
    }

    @Test func theDockerfilesOwnIgnoreFileComesFirst() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("one", "1")
            try fixture.write("two", "2")
            try fixture.write("sub/Special", "FROM busybox\nCOPY . /c/\n")
            try fixture.write(".dockerignore", "two\n")
            try fixture.write("sub/Special.dockerignore", "one\nsub\n.dockerignore\n")
            let built = try fixture.build("") { $0.dockerfile = .file("\(fixture.context)/sub/Special") }
            #expect(try fixture.lastLayer(built) == ["d 755 0:0 c", "f 644 0:0 c/two"])
            let relative = try fixture.build("") { $0.dockerfile = .file("sub/Special") }
            #expect(relative.result.imageID == built.result.imageID)
        }
    }

    @Test func badIgnoreFilesAreOneLine() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("a", "a")
            try fixture.write(".dockerignore", "ok\n[\n")
            let error = try fixture.failure("FROM busybox\nCOPY a /\n")
            #expect(error.code == .dockerfile)
            #expect(error.description.contains(".dockerignore:2"))
        }
    }

    @Test func linksOfAContextDoNotLeadOutOfIt() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let secret = fixture.directory + "/secret"
            try onContext(fixture, "echo 'FROM secret-base' > '\(secret)'; ln -s '\(secret)' Dockerfile")
            for link in [secret, "../secret", "../../../../../../../../../\(secret)", "loop"] {
                try onContext(fixture, "rm -f Dockerfile loop; ln -s loop loop; ln -s '\(link)' Dockerfile")
                let error = try fixture.failure("") { $0.dockerfile = .standard }
                #expect(error.code == .noDockerfile, "\(link): \(error)")
                #expect(!"\(error) \(error.excerpt ?? "")".contains("secret-base"))
            }
            // A file that the user names may be anywhere, and links of the context may lead about in it.
            let named = try fixture.failure("") { $0.dockerfile = .file("\(fixture.context)/Dockerfile") }
            #expect(named.code == .noDockerfile)
            try onContext(fixture, "rm Dockerfile; ln -s '\(secret)' Dockerfile")
            let followed = try fixture.failure("") { $0.dockerfile = .file("\(fixture.context)/Dockerfile") }
            #expect(followed.code == .noSuchImage && followed.message.contains("secret-base"))
            // By a path in the context it is one of the context's.
            let inside = try fixture.failure("") { $0.dockerfile = .file("Dockerfile") }
            #expect(inside.code == .noDockerfile, "\(inside)")
            try fixture.write("sub/real", "FROM busybox\nCOPY . /c/\n")
            try onContext(fixture, "ln -sf /sub/real Dockerfile; rm loop; touch a b")
            let built = try fixture.build("") { $0.dockerfile = .standard }
            #expect(try fixture.lastLayer(built).contains("f 644 0:0 c/a"))
        }
    }

    @Test func ignoreFilesOfAContextAreInIt() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let outside = fixture.directory + "/outside"
            try onContext(
                fixture, "echo '[secret' > '\(outside)'; touch a b; printf 'FROM busybox\\nCOPY . /c/\\n' > Dockerfile")
            for name in [".dockerignore", "Dockerfile.dockerignore"] {
                try onContext(fixture, "ln -s '\(outside)' \(name)")
                let built = try fixture.build("") { $0.dockerfile = .standard }
                #expect(try fixture.lastLayer(built).contains { $0.hasSuffix(" c/b") })
                try onContext(fixture, "ln -sf list \(name); echo b > list")
                let ignoring = try fixture.build("") { $0.dockerfile = .standard }
                #expect(try !fixture.lastLayer(ignoring).contains { $0.hasSuffix(" c/b") })
                try onContext(fixture, "rm \(name) list; mkfifo \(name)")
                let error = try fixture.failure("") { $0.dockerfile = .standard }
                #expect(error.message.contains("no regular file"))
                try onContext(fixture, "rm \(name)")
            }
        }
    }

    private func onContext(_ fixture: BuildFixture, _ script: String) throws {
        try shell("cd '\(fixture.context)'; \(script)")
    }

    @Test func missingContextAndDockerfile() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            var error = try fixture.failure("") { $0.dockerfile = .standard }
            #expect(error.code == .noDockerfile)
            error = try fixture.failure("FROM busybox\nCOPY a /\n") { $0.context = fixture.directory + "/none" }
            #expect(error.code == .noContext)
            error = try fixture.failure("FROM busybox\nCOPY a /\n") { $0.context = nil }
            #expect(error.code == .noContext)
            let built = try fixture.build("FROM scratch\nCOPY <<EOF /f\ntext\nEOF\n") { $0.context = nil }
            #expect(try fixture.text("/f", in: built.image) == "text\n")
        }
    }

    @Test func theStoreIsNoPartOfAContext() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("file", "text")
            let built = try fixture.build("FROM scratch\nCOPY . /c/\n") { $0.context = fixture.directory }
            #expect(
                try fixture.lastLayer(built) == [
                    "d 755 0:0 c", "f 644 0:0 c/base.tar", "d 755 0:0 c/context", "f 644 0:0 c/context/file",
                ])
        }
    }

    @Test func contentDecides() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("d/a", "1")
            try fixture.write("d/b", "2")
            let dockerfile = "FROM busybox\nCOPY d /d\n"
            let first = try fixture.build(dockerfile)
            func isCached(_ change: String) throws -> Bool {
                try shell("cd \(fixture.context)/d && \(change)")
                return try fixture.build(dockerfile).result.executedSteps == 0
            }
            #expect(try isCached("touch a b ."))
            #expect(try isCached("cp a c && mv c a"), "another inode with the same content")
            #expect(try isCached("chown 5:5 a"), "owners of the context do not arrive")
            #expect(try !isCached("echo 3 > a"))
            #expect(try isCached("printf 1 > a"), "the first content again")
            #expect(try !isCached("chmod 600 a"))
            #expect(try isCached("chmod 644 a"))
            #expect(try !isCached("mv b c"))
            #expect(try isCached("mv c b"))
            #expect(try !isCached("ln -s a l"))
            #expect(try !isCached("ln -sf b l"))
            #expect(try !isCached("rm l && mkdir e"))
            #expect(try isCached("rmdir e"))
            #expect(try !isCached("rm b && ln a b"), "which names are links of one file")
            #expect(try !isCached("rm b; printf 2 > b; setfattr -n user.x -v y a"))
            #expect(try isCached("setfattr -x user.x a"))
            #expect(try fixture.build(dockerfile).result.imageID == first.result.imageID)
        }
    }

    @Test func filesThatDidNotChangeAreNotReadAgain() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("f", "content")
            MonotonicClock.sleep(milliseconds: 60)
            let memory = DigestMemory(
                store: fixture.store, used: UsedRecords(), stop: try StopCheck(following: nil))
            let context = try BuildContext(directory: fixture.context, dockerfile: nil)
            let files = try memory.files(of: context)
            let entry = try #require(try context.tree.root.entry(FileName("f")))
            #expect(files.known(entry.status) == nil)
            let digest = try files.digest(of: entry, in: context.tree.root, hasAttributes: false)
            try memory.put(files, of: context)
            let again = try memory.files(of: context)
            #expect(again.known(entry.status)?.digest == digest)
            #expect(again.encodedIfChanged() == nil)
            try fixture.write("f", "CONTENT")
            let changed = try #require(try context.tree.root.entry(FileName("f")))
            #expect(again.known(changed.status) == nil, "same size, another time")
        }
    }
}
