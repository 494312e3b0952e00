import ImageStore
import Linux
import Testing

@testable import BuildEngine

/// `ADD` of local files and archives.
@Suite struct ArchiveTests {
    @Test(arguments: ["tar", "tar.gz", "tar.xz", "tar.bz2", "tar.zst", "anything"])
    func archivesAreUnpacked(_ suffix: String) throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try shell(
                """
                mkdir -p \(fixture.directory)/t/bin \(fixture.directory)/t/new
                cd \(fixture.directory)/t
                echo tool > bin/tool; chmod 4750 bin/tool; echo f > new/f; chown 3:4 new/f; ln new/f new/g; ln -s f new/l
                chmod 700 new
                tar -caf \(fixture.context)/a.\(suffix == "anything" ? "tar" : suffix) bin/tool new
                [ \(suffix) != anything ] || mv \(fixture.context)/a.tar \(fixture.context)/a.anything
                """)
            let built = try fixture.build("FROM busybox\nADD a.\(suffix) /\n")
            #expect(
                try fixture.lastLayer(built) == [
                    "d 755 0:0 bin", "f 4750 0:0 bin/tool", "d 700 0:0 new", "f 644 3:4 new/f", "f 644 3:4 new/g",
                    "l 777 0:0 new/l -> f",
                ])
            #expect(try fixture.status("/new/f", in: built.image)?.linkCount == 2)
            let copied = try fixture.build("FROM busybox\nCOPY a.\(suffix) /new/\n")
            #expect(try fixture.lastLayer(copied) == ["d 755 0:0 new", "f 644 0:0 new/a.\(suffix)"])
            let below = try fixture.build("FROM busybox\nWORKDIR /w\nADD a.\(suffix) sub\n")
            #expect(try fixture.text("/w/sub/bin/tool", in: below.image) == "tool\n")
            #expect(try fixture.build("FROM busybox\nADD a.\(suffix) /\n").result.executedSteps == 0)
        }
    }

    @Test func directoriesOnTheWayKeepTheirAttributes() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try shell(
                """
                mkdir -p \(fixture.directory)/t/tmp \(fixture.directory)/t/data; cd \(fixture.directory)/t
                echo x > tmp/x; echo y > data/y; echo z > link-to-file
                tar -cf \(fixture.context)/a.tar tmp/x data/y link-to-file
                """)
            let built = try fixture.build("FROM busybox\nADD a.tar /\n")
            #expect(
                try fixture.lastLayer(built) == [
                    "d 2770 7:8 data", "f 644 0:0 data/y", "f 644 0:0 link-to-file", "d 1777 0:0 tmp",
                    "f 644 0:0 tmp/x",
                ])
        }
    }

    @Test func otherFilesAreCopied() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("plain", "text")
            try fixture.write("dir/f", "text")
            try shell("cd \(fixture.context); gzip -k plain; : > empty")
            let built = try fixture.build("FROM busybox\nADD plain plain.gz empty /a/\nADD --chown=app dir /d\n")
            #expect(
                try fixture.layer(built.image, 1) == [
                    "d 755 0:0 a", "f 644 0:0 a/empty", "f 644 0:0 a/plain", "f 644 0:0 a/plain.gz",
                ])
            #expect(try fixture.layer(built.image, 2) == ["d 755 1000:1001 d", "f 644 1000:1001 d/f"])
        }
    }

    @Test func damagedArchivesAreRefused() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try shell(
                """
                cd \(fixture.context); head -c 300000 /dev/urandom > r; tar -czf whole.tar.gz r; rm r
                head -c 100000 whole.tar.gz > cut.tar.gz; rm whole.tar.gz
                """)
            let error = try fixture.failure("FROM busybox\nADD cut.tar.gz /\n")
            #expect(error.code == .badArchive)
            #expect(error.place == "-:2")
            #expect(!error.description.contains("\n"))
            #expect(try fixture.store.layers().count == 1)
        }
    }

    @Test func nothingLeavesTheImage() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try shell(
                """
                cd \(fixture.directory); mkdir out; mkdir -p e/x; ln -s \(fixture.directory)/out e/link
                tar -cf \(fixture.context)/a.tar -C e link
                rm e/link; mkdir e/link; echo bad > e/link/file
                tar -rf \(fixture.context)/a.tar -C e link/file
                """)
            _ = try? fixture.build("FROM busybox\nADD a.tar /\n")
            #expect(try shell("ls \(fixture.directory)/out") == "")
            // A link in the image that leads out of it stays inside when something is copied through it.
            try fixture.write("file", "text")
            let built = try fixture.build(
                "FROM busybox\nRUN ln -s \(fixture.directory)/out /escape; ln -s ../../../.. /up\nCOPY file /escape/\nCOPY file /up/top\n"
            )
            #expect(try shell("ls \(fixture.directory)/out") == "")
            #expect(try fixture.text("\(fixture.directory)/out/file", in: built.image) == "text")
            #expect(try fixture.text("/top", in: built.image) == "text")
        }
    }
}
