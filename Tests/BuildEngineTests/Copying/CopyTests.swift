import ImageStore
import Linux
import Testing

@testable import BuildEngine

/// One line of the table of what `COPY` does.
struct CopyCase: CustomTestStringConvertible, Sendable {
    /// The instruction.
    var line: String
    /// The listing of the layer: type, mode, owner, path.
    var layer: [String]
    var testDescription: String { line }

    init(_ line: String, _ layer: String...) {
        self.line = line
        self.layer = layer
    }
}

/// `COPY` by the rules of the Dockerfile reference, each case as its own layer.
@Suite struct CopyTests {
    /// The context: files with modes of their own, directories, links that stay inside and one that does not.
    static func fill(_ fixture: BuildFixture) throws {
        try fixture.write("a.txt", "a")
        try fixture.write("b.txt", "b", mode: 0o640)
        try fixture.write("run.sh", "#!/bin/sh\n", mode: 0o4755)
        try fixture.write("dir/one", "1", mode: 0o600)
        try fixture.write("dir/sub/two", "2")
        try fixture.write("other/three", "3")
        try shell(
            """
            cd \(fixture.context)
            chmod 711 dir/sub; chown 55:66 dir/one a.txt
            ln -s a.txt link; ln -s /etc/passwd outside; ln -s dir dirlink; ln -s ../a.txt dir/up; mkdir empty
            printf x > 'odd [1].txt'; ln dir/sub/two dir/sub/same
            """)
    }

    static let plain: [CopyCase] = [
        CopyCase("COPY a.txt /new", "f 644 0:0 new"),
        CopyCase("COPY a.txt /new/", "d 755 0:0 new", "f 644 0:0 new/a.txt"),
        CopyCase("COPY a.txt /x/y/z", "d 755 0:0 x", "d 755 0:0 x/y", "f 644 0:0 x/y/z"),
        CopyCase("COPY a.txt /tmp", "d 1777 0:0 tmp", "f 644 0:0 tmp/a.txt"),
        CopyCase("COPY a.txt .", "f 644 0:0 a.txt"),
        CopyCase("COPY ./a.txt ./", "f 644 0:0 a.txt"),
        CopyCase("COPY /a.txt /", "f 644 0:0 a.txt"),
        CopyCase("COPY sub/../a.txt /", "f 644 0:0 a.txt"),
        CopyCase("COPY b.txt run.sh /bin/", "d 755 0:0 bin", "f 640 0:0 bin/b.txt", "f 4755 0:0 bin/run.sh"),
        CopyCase("COPY *.txt /t/", "d 755 0:0 t", "f 644 0:0 t/a.txt", "f 640 0:0 t/b.txt", "f 644 0:0 t/odd [1].txt"),
        CopyCase("COPY ?.txt /t/", "d 755 0:0 t", "f 644 0:0 t/a.txt", "f 640 0:0 t/b.txt"),
        CopyCase("COPY [^a].txt /t", "f 640 0:0 t"),
        CopyCase("COPY [\"odd [[]1].txt\", \"/t\"]", "f 644 0:0 t"),
        CopyCase("COPY a.txt nothing* /t/", "d 755 0:0 t", "f 644 0:0 t/a.txt"),
        CopyCase("COPY nothing* [z] /t/"),
        CopyCase("COPY */three /", "f 644 0:0 three"),
        CopyCase(
            "COPY [de]* /t", "d 755 0:0 t", "f 600 0:0 t/one", "d 711 0:0 t/sub", "f 644 0:0 t/sub/same",
            "f 644 0:0 t/sub/two", "l 777 0:0 t/up -> ../a.txt"),
        CopyCase("COPY dir/*/two /", "f 644 0:0 two"),
        CopyCase("COPY empty /e", "d 755 0:0 e"),
        CopyCase("COPY other dir/sub /d/", "d 755 0:0 d", "f 644 0:0 d/same", "f 644 0:0 d/three", "f 644 0:0 d/two"),
        CopyCase(
            "COPY dir /d", "d 755 0:0 d", "f 600 0:0 d/one", "d 711 0:0 d/sub", "f 644 0:0 d/sub/same",
            "f 644 0:0 d/sub/two", "l 777 0:0 d/up -> ../a.txt"),
        CopyCase("COPY link /l", "f 644 0:0 l"),
        CopyCase("COPY link /tmp/", "d 1777 0:0 tmp", "f 644 0:0 tmp/link"),
        CopyCase("COPY dirlink/one /", "f 600 0:0 one"),
        CopyCase("COPY dirlink/sub /s", "d 755 0:0 s", "f 644 0:0 s/same", "f 644 0:0 s/two"),
    ]

    static let ownersAndModes: [CopyCase] = [
        CopyCase("COPY --chown=app a.txt /f", "f 644 1000:1001 f"),
        CopyCase("COPY --chown=app:audio a.txt /f", "f 644 1000:29 f"),
        CopyCase("COPY --chown=12 a.txt /f", "f 644 12:12 f"),
        CopyCase("COPY --chown=12:13 a.txt /n/m/", "d 755 12:13 n", "d 755 12:13 n/m", "f 644 12:13 n/m/a.txt"),
        CopyCase("COPY --chown=0:app run.sh /f", "f 4755 0:1001 f"),
        CopyCase("COPY --chown=:audio a.txt /f", "f 644 0:29 f"),
        CopyCase("COPY --chown=app: a.txt /f", "f 644 1000:0 f"),
        CopyCase("COPY --chmod=u=rwx,go= a.txt /n/f", "d 755 0:0 n", "f 700 0:0 n/f"),
        CopyCase("COPY --chmod=750 other /n/m", "d 750 0:0 n", "d 750 0:0 n/m", "f 750 0:0 n/m/three"),
        CopyCase("COPY --chmod=600 a.txt run.sh /n/", "d 600 0:0 n", "f 600 0:0 n/a.txt", "f 600 0:0 n/run.sh"),
        CopyCase("COPY --chmod=u+x,go-r a.txt /f", "f 700 0:0 f"),
        CopyCase("COPY --chmod=a=rX dir/sub /s", "d 755 0:0 s", "f 444 0:0 s/same", "f 444 0:0 s/two"),
        CopyCase(
            "COPY --exclude=*.txt --exclude=dir . /c", "d 755 0:0 c", "l 777 0:0 c/dirlink -> dir", "d 755 0:0 c/empty",
            "l 777 0:0 c/link -> a.txt", "d 755 0:0 c/other", "f 644 0:0 c/other/three",
            "l 777 0:0 c/outside -> /etc/passwd", "f 4755 0:0 c/run.sh"),
    ]

    /// What is in the image already: see `BuildFixture`.
    static let overExisting: [CopyCase] = [
        CopyCase("COPY a.txt /data", "d 2770 7:8 data", "f 644 0:0 data/a.txt"),
        CopyCase("COPY a.txt /data/file", "d 2770 7:8 data", "f 644 0:0 data/file"),
        CopyCase(
            "COPY a.txt /data/inner/deep/f", "d 2770 7:8 data", "d 755 0:0 data/inner", "d 755 0:0 data/inner/deep",
            "f 644 0:0 data/inner/deep/f"),
        CopyCase("COPY a.txt /link-to-directory", "d 2770 7:8 data", "f 644 0:0 data/a.txt"),
        CopyCase("COPY a.txt /link-to-directory/", "d 2770 7:8 data", "f 644 0:0 data/a.txt"),
        CopyCase("COPY a.txt /link-to-file", "d 2770 7:8 data", "f 644 0:0 data/file"),
        CopyCase("COPY a.txt /dangling", "d 755 0:0 nowhere", "d 755 0:0 nowhere/at", "f 644 0:0 nowhere/at/all"),
        CopyCase("COPY other /data", "d 2770 7:8 data", "f 644 0:0 data/three"),
        CopyCase("COPY a.txt /data/../../../../n", "f 644 0:0 n"),
    ]

    @Test("From scratch root is a name", arguments: ["root:root", "0:root", "root"])
    func rootFromScratch(_ owner: String) throws {
        try BuildFixture.run { fixture in
            try fixture.write("f", "")
            let built = try fixture.build("FROM scratch\nCOPY --chown=\(owner) f /n\n")
            #expect(try fixture.lastLayer(built) == ["f 644 0:0 n"])
        }
    }

    @Test(arguments: [plain, ownersAndModes, overExisting])
    func copies(_ cases: [CopyCase]) throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try Self.fill(fixture)
            for item in cases {
                let built = try fixture.build("FROM busybox\n\(item.line)\n")
                #expect(built.image.layerIDs.count == 2, "\(item.line)")
                // The base's own directories on the way were made under the test's umask, by tar.
                #expect(try fixture.lastLayer(built) == item.layer, "\(item.line)")
            }
        }
    }

    @Test func keepsTimesLinksAndContents() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try Self.fill(fixture)
            try shell("touch -d @1234567 \(fixture.context)/a.txt \(fixture.context)/dir/sub")
            let built = try fixture.build("FROM busybox\nCOPY a.txt dirlink/ /d/\nCOPY b.txt /data/\n")
            #expect(try fixture.text("/d/one", in: built.image) == "1")
            #expect(try fixture.status("/d/a.txt", in: built.image)?.modificationTime.seconds == 1_234_567)
            #expect(try fixture.status("/d/sub", in: built.image)?.modificationTime.seconds == 1_234_567)
            let two = try #require(try fixture.status("/d/sub/two", in: built.image))
            let same = try #require(try fixture.status("/d/sub/same", in: built.image))
            #expect(two.inode == same.inode && two.linkCount == 2)
            let apart = try fixture.build("FROM busybox\nCOPY dir/sub/two dir/sub/same /d/\n")
            #expect(try fixture.status("/d/two", in: apart.image)?.linkCount == 1, "two sources are two files")
            // The directory changed, the one above it did not.
            let roots = try built.image.layerIDs.map {
                try FileDescriptor.currentDirectory.status(of: fixture.store.layerPath($0))
            }
            #expect(roots[1].modificationTime != roots[0].modificationTime)
            #expect(roots[2].modificationTime == roots[1].modificationTime)
            #expect(try fixture.status("/data", in: built.image)?.modificationTime.seconds != 1_000_000)
        }
    }

    @Test func attributesAndHolesAreKept() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try shell(
                """
                cd \(fixture.context)
                truncate -s 20M holes; printf end >> holes
                cp /bin/busybox caps; setcap cap_net_bind_service+ep caps; setfattr -n user.note -v text caps
                mkfifo fifo; mkdir d; setfattr -n user.note -v dir d; touch d/f
                """)
            let built = try fixture.build("FROM busybox\nCOPY . /c/\n")
            let layer = fixture.store.layerPath(built.image.layerIDs[1])
            #expect(try shell("getcap \(layer)/c/caps").contains("cap_net_bind_service=ep"))
            #expect(
                try shell("getfattr --only-values -n user.note \(layer)/c/caps \(layer)/c/d 2>/dev/null") == "textdir")
            #expect(try shell("stat -c %s \(layer)/c/holes") == "20971523\n")
            let blocks = try #require(Int(try shell("stat -c %b \(layer)/c/holes").filter(\.isNumber)))
            #expect(blocks < 100)
            #expect(try shell("tail -c 3 \(layer)/c/holes; stat -c %F \(layer)/c/fifo") == "endfifo\n")
        }
    }

    @Test func bigFilesArriveWhole() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try shell("dd if=/dev/urandom of=\(fixture.context)/big bs=1M count=70 2>/dev/null")
            let built = try fixture.build("FROM busybox\nCOPY big /big\n")
            try shell("cmp \(fixture.context)/big \(fixture.store.layerPath(built.image.layerIDs[1]))/big")
        }
    }

    @Test func refusesWhatCannotBe() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try Self.fill(fixture)
            let cases: [(String, BuildError.Code)] = [
                ("COPY missing /x", .noSuchFile), ("COPY a.txt missing /x/", .noSuchFile),
                ("COPY outside /x", .noSuchFile), ("COPY ../secret /x", .forbiddenPath),
                ("COPY dir/../../x /x", .forbiddenPath), ("COPY a.txt b.txt /x", .badDestination),
                ("COPY *.txt /x", .badDestination), ("COPY dir /data/file", .badDestination),
                ("COPY a.txt /data/file/x", .badDestination), ("COPY --chown=nobodyknows a.txt /x", .noSuchUser),
                ("COPY --chmod=9999 a.txt /x", .dockerfile), ("COPY --from=unknown/image a.txt /x", .noSuchImage),
                ("ADD https://example.org/x /x", .unsupported), ("COPY --parents nosuch /x/", .noSuchFile),
                ("COPY [\"a[.txt\", \"/x\"]", .dockerfile),
            ]
            for (line, code) in cases {
                let error = try fixture.failure("FROM busybox\nRUN true\n\(line)\n")
                #expect(error.code == code, "\(line): \(error)")
                #expect(!error.description.contains("\n"), "\(line): \(error)")
                #expect(error.place?.hasPrefix("-:3") == true, "\(line): \(error)")
            }
            #expect(try fixture.store.images().count == 1, "a build that fails in COPY leaves no image")
        }
    }

    @Test func directoryContentsMustNotReplaceFiles() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("tree/data/file/inside", "x")
            #expect(try fixture.failure("FROM busybox\nCOPY tree /\n").code == .badDestination)
            try fixture.write("tree2/data", "x")
            #expect(try fixture.failure("FROM busybox\nCOPY tree2 /\n").code == .badDestination)
        }
    }
}
