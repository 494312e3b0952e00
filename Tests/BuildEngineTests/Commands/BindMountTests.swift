import Linux
import Testing

@testable import BuildEngine

/// `RUN --mount=type=bind`, with real mounts and containers.
@Suite struct BindMountTests {
    @Test func filesOfTheContextAreSeenAndAreRoots() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("sources/a", "one\n", mode: 0o640)
            try fixture.write("sources/inner/b", "two\n")
            try fixture.write("single", "three\n")
            try shell("chown -R 5:6 \(fixture.context)/sources")
            let built = try fixture.build(
                """
                FROM busybox
                WORKDIR /work
                RUN --mount=source=sources,target=in --mount=type=bind,src=single,dst=/deep/er/file \
                    cat in/a in/inner/b /deep/er/file > /out; stat -c '%u:%g %a' in in/a > /owners; \
                    ! touch in/new && ! touch /deep/er/file
                """)
            #expect(try fixture.text("/out", in: built.image) == "one\ntwo\nthree\n")
            #expect(try fixture.text("/owners", in: built.image) == "0:0 755\n0:0 640\n")
            #expect(try fixture.lastLayer(built) == ["f 644 0:0 out", "f 644 0:0 owners"], "no mount point is left")
        }
    }

    @Test func theIgnoreFileHidesFiles() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write(".dockerignore", "secret\nodd*\n*/cache\n!keep/cache/this\n.dockerignore\n")
            // A name that is no UTF-8.
            try shell("printf x > \"\(fixture.context)/$(printf 'odd\\377')\"")
            for path in ["secret", "seen", "lib/cache/x", "lib/code", "keep/cache/this", "keep/cache/that"] {
                try fixture.write(path, path)
            }
            let built = try fixture.build(
                """
                FROM busybox
                RUN --mount=target=/in cd /in && ls * > /all && ls keep/cache > /kept && ls -a | seq 1 1 > /dev/null
                RUN --mount=target=/in,source=lib ls /in > /lib
                """)
            #expect(try fixture.text("/all", in: built.image) == "seen\n\nkeep:\ncache\n\nlib:\ncode\n")
            #expect(try fixture.text("/kept", in: built.image) == "this\n")
            #expect(try fixture.text("/lib", in: built.image) == "code\n")
            let error = try fixture.failure("FROM busybox\nRUN --mount=target=/in,source=secret true\n")
            #expect(error.code == .noSuchFile)
            #expect(error.place == "-:2")
        }
    }

    @Test func stagesAndImagesAreMounted() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let built = try fixture.build(
                """
                FROM busybox AS tools
                RUN mkdir /tools && echo tool > /tools/one && rm /data/file && ln -s /tools/one /link
                FROM scratch AS nothing
                FROM busybox
                RUN --mount=from=tools,target=/mnt cat /mnt/tools/one > /one; ls /mnt/data > /list
                RUN --mount=from=tools,source=/link,target=/a/file cat /a/file > /two
                RUN --mount=from=busybox,source=data,target=/base cat /base/file > /three
                RUN --mount=from=nothing,target=/empty ls /empty > /four
                """)
            #expect(try fixture.text("/one", in: built.image) == "tool\n")
            #expect(try fixture.text("/list", in: built.image) == "inner\n")
            #expect(try fixture.text("/two", in: built.image) == "tool\n")
            #expect(try fixture.text("/three", in: built.image) == "old\n")
            #expect(try fixture.text("/four", in: built.image) == "")
        }
    }

    @Test func whatIsWrittenIsDiscarded() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("sources/a", "one\n")
            let built = try fixture.build(
                """
                FROM busybox AS other
                RUN echo kept > /kept
                FROM busybox
                RUN --mount=source=sources,target=/in,rw \
                    --mount=from=other,target=/other,readwrite \
                    echo more >> /in/a; echo new > /in/new; rm /other/kept; cat /in/a /in/new > /out
                RUN --mount=source=sources,target=/in --mount=from=other,target=/other \
                    ls /in > /list; cat /in/a /other/kept > /again
                """)
            #expect(try fixture.text("/out", in: built.image) == "one\nmore\nnew\n")
            #expect(try fixture.text("/list", in: built.image) == "a\n")
            #expect(try fixture.text("/again", in: built.image) == "one\nkept\n")
            #expect(try shell("ls \(fixture.context)/sources; cat \(fixture.context)/sources/a") == "a\none\n")
        }
    }

    @Test func theContentCountsForTheCacheAndTimesDoNot() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("sources/a", "one\n")
            try fixture.write("beside", "one\n")
            let dockerfile = """
                FROM busybox AS tools
                COPY beside /beside
                FROM busybox
                RUN --mount=source=sources,target=/in cat /in/a > /out
                RUN --mount=from=tools,source=/beside,target=/in cat /in > /more
                """
            #expect(try fixture.build(dockerfile).result.executedSteps > 0)
            #expect(try fixture.build(dockerfile).result.executedSteps == 0)
            try shell("touch -d @5 \(fixture.context)/sources/a")
            #expect(try fixture.build(dockerfile).result.executedSteps == 0)
            try fixture.write("sources/a", "two\n")
            let third = try fixture.build(dockerfile)
            #expect(third.result.executedSteps == 2)
            #expect(try fixture.text("/out", in: third.image) == "two\n")
            try fixture.write("beside", "two\n")
            let fourth = try fixture.build(dockerfile)
            #expect(fourth.result.executedSteps == 2, "the copy and what mounts it")
            #expect(try fixture.text("/more", in: fourth.image) == "two\n")
        }
    }

    @Test func aNamedContextIsMounted() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let other = fixture.directory + "/other"
            try shell("mkdir \(other); echo named > \(other)/file; chown 5 \(other)/file")
            let built = try fixture.build(
                "FROM busybox\nRUN --mount=from=more,target=/m cat /m/file > /out; stat -c %u /m/file >> /out\n"
            ) { $0.namedContexts = ["more": .directory(other)] }
            #expect(try fixture.text("/out", in: built.image) == "named\n0\n")
        }
    }

    @Test func theRootIsNoTarget() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let error = try fixture.failure("FROM busybox\nRUN --mount=target=/ true\n")
            #expect(error.message == "invalid mount target \"/\"")
        }
    }
}
