import ImageStore
import Linux
import OCI
import Testing

@testable import BuildEngine

/// What instructions make of the image's configuration and history.
@Suite struct ConfigurationTests {
    @Test("Each layer has an entry of the history, those of a base that tells nothing too")
    func historyOfASilentBase() throws {
        try BuildFixture.run { fixture in
            let first = try fixture.build("FROM busybox\nRUN touch /a\nRUN echo more > /b\n")
            var silent = first.image.configuration
            silent.history = []
            let base = try fixture.store.createImage(
                configuration: silent, layers: first.image.layerIDs, tags: [try Reference(parsing: "silent")])
            let built = try fixture.build("FROM silent\nRUN touch /c\nLABEL a=b\n").image.configuration
            #expect(built.history.map { $0.emptyLayer == true } == [false, false, false, false, true])
            #expect(built.history[3].createdBy?.contains("touch /c") == true)
            #expect(built.rootFS.diffIDs.count == base.layerIDs.count + 1)
            let squashed = try fixture.build("FROM silent\nRUN touch /c\n") { $0.assembly.squashes = true }
            let lines = squashed.image.configuration.history.map { $0.emptyLayer == true }
            #expect(lines == [false, false, false, true, false])
        }
    }

    @Test func everyInstructionHasItsPlace() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let built = try fixture.build(
                """
                FROM busybox
                MAINTAINER Somebody <s@example.org>
                ARG VERSION=1.2
                ENV A=1 B="two words" C=$VERSION
                ENV D $A-$B
                LABEL "perpose"="practice" multi="a b"
                EXPOSE 80 53/udp 8000-8001
                USER app
                VOLUME /data /more
                WORKDIR /made
                WORKDIR relative
                SHELL ["/bin/sh", "-ec"]
                RUN pwd; id -u; echo $VERSION $D
                CMD echo hello $A
                ENTRYPOINT ["/bin/sh"]
                STOPSIGNAL SIGINT
                HEALTHCHECK --interval=5s --retries=3 CMD true
                ONBUILD RUN true
                """
            ) { $0.labels = ["extra": "label"] }
            let image = built.image.configuration
            let config = image.config
            #expect(image.author == "Somebody <s@example.org>")
            #expect(config.env == ["PATH=/bin", "A=1", "B=two words", "C=1.2", "D=1-two words"])
            #expect(config.labels == ["perpose": "practice", "multi": "a b", "extra": "label"])
            #expect(config.exposedPorts == ["80/tcp", "53/udp", "8000/tcp", "8001/tcp"])
            #expect(config.user == "app")
            #expect(config.volumes == ["/data", "/more"])
            #expect(config.workingDir == "/made/relative")
            #expect(config.shell == ["/bin/sh", "-ec"])
            #expect(config.cmd == ["/bin/sh", "-ec", "echo hello $A"])
            #expect(config.entrypoint == ["/bin/sh"])
            #expect(config.stopSignal == "SIGINT")
            #expect(config.healthcheck?.test == ["CMD-SHELL", "true"])
            #expect(config.healthcheck?.interval == 5_000_000_000)
            #expect(config.onBuild == ["RUN true"])
            #expect(built.log.output == "/made/relative\n1000\n1.2 1-two words\n")
            #expect(try fixture.status("/made/relative", in: built.image)?.uid == 1000, "made for the user")
            let lines = image.history.compactMap(\.createdBy)
            #expect(lines.contains("RUN |1 VERSION=1.2 /bin/sh -ec pwd; id -u; echo $VERSION $D # strata"))
            #expect(lines.contains("WORKDIR /made"))
            #expect(lines.contains("ENV A=1 B=two words C=1.2"))
            #expect(image.history.count(where: { $0.emptyLayer != true }) == image.rootFS.diffIDs.count)
            #expect(image.created == image.history.last?.created)
            #expect(image.architecture == Platform.current.architecture)
        }
    }

    @Test func workingDirectoriesThatExistMakeNoLayer() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let dockerfile = "FROM busybox\nWORKDIR /data\nWORKDIR /\nWORKDIR /link-to-directory/inner\n"
            let built = try fixture.build(dockerfile)
            #expect(built.image.layerIDs.count == 1)
            #expect(try fixture.build(dockerfile).result.executedSteps == 0)
            #expect(try fixture.failure("FROM busybox\nWORKDIR /data/file\n").code == .badDestination)
            let dangling = try fixture.build("FROM busybox\nWORKDIR /dangling\n")
            #expect(
                try fixture.lastLayer(dangling) == [
                    "d 755 0:0 nowhere", "d 755 0:0 nowhere/at", "d 755 0:0 nowhere/at/all",
                ])
        }
    }

    @Test func onlyArgumentsInScopeCount() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let dockerfile = """
                FROM busybox
                RUN echo "before:$WORD" >> /log
                ARG WORD=default
                RUN echo "after:$WORD" >> /log
                """
            let plain = try fixture.build(dockerfile)
            #expect(try fixture.text("/log", in: plain.image) == "before:\nafter:default\n")
            let changed = try fixture.build(dockerfile) { $0.buildArguments["WORD"] = "given" }
            #expect(try fixture.text("/log", in: changed.image) == "before:\nafter:given\n")
            #expect(changed.result.executedSteps == 1, "what stands before the ARG does not see it")
            let unused = try fixture.build(dockerfile) { $0.buildArguments["OTHER"] = "x" }
            #expect(unused.result.imageID == plain.result.imageID)
            #expect(unused.log.text.contains("OTHER"))
            let proxy = try fixture.build(dockerfile) { $0.buildArguments["http_proxy"] = "http://proxy" }
            #expect(proxy.result.imageID == plain.result.imageID, "proxies are no part of the key")
            #expect(!changed.image.configuration.config.env.contains { $0.hasPrefix("WORD") })
        }
    }

    @Test func proxiesReachCommands() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let built = try fixture.build("FROM busybox\nRUN echo $http_proxy\n") {
                $0.buildArguments["http_proxy"] = "http://proxy"
            }
            #expect(built.log.output == "http://proxy\n")
            #expect(built.image.configuration.history.allSatisfy { $0.createdBy?.contains("http://proxy") != true })
        }
    }

    @Test func labelsDoNotDisturbCommands() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let one = try fixture.build("FROM busybox\nLABEL a=1\nRUN echo x > /x\n")
            let two = try fixture.build("FROM busybox\nLABEL a=2\nRUN echo x > /x\n")
            #expect(two.result.executedSteps == 0)
            #expect(two.result.imageID != one.result.imageID)
            let three = try fixture.build("FROM busybox\nENV a=2\nRUN echo x > /x\n")
            #expect(three.result.executedSteps == 1, "the environment is part of what a command sees")
        }
    }

    @Test func shellsAndHeredocs() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("keep", "x")
            let built = try fixture.build(
                """
                FROM busybox
                RUN ["/bin/echo", "exec $HOME form"]
                RUN <<EOF
                echo first
                echo second
                EOF
                RUN <<EOF
                #!/bin/cat
                its own interpreter
                EOF
                COPY <<one <<"two" /h/
                expanded $PATH
                one
                literal $PATH
                two
                """)
            #expect(built.log.output == "exec $HOME form\nfirst\nsecond\n#!/bin/cat\nits own interpreter\n")
            #expect(try fixture.text("/h/one", in: built.image) == "expanded /bin\n")
            #expect(try fixture.text("/h/two", in: built.image) == "literal $PATH\n")
            #expect(try fixture.layer(built.image, 3).isEmpty, "the script is no part of the layer")
        }
    }

    @Test func nothingOfTheEngineIsInALayer() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let built = try fixture.build(
                "FROM busybox\nRUN cat /etc/resolv.conf /etc/hosts /proc/self/status > /dev/null\n")
            #expect(built.image.layerIDs.count == 2)
            #expect(try fixture.layer(built.image, 1).isEmpty)
            #expect(built.image.configuration.history.last?.emptyLayer == nil, "an empty layer is a layer")
        }
    }

    /// As with BuildKit, which removes what it has made to mount something on, if it is empty: `mkdir -p /etc` finds the
    /// directory of `/etc/resolv.conf`.
    @Test func aLentDirectoryIsInTheLayerOnlyWithSomethingInIt() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try shell("cp /bin/busybox \(fixture.context)/busybox")
            let built = try fixture.build(
                """
                FROM scratch
                COPY busybox /
                RUN ["/busybox", "mkdir", "-p", "/etc"]
                RUN ["/busybox", "touch", "/etc/f"]
                """)
            #expect(try fixture.layer(built.image, 1) == [])
            #expect(try fixture.layer(built.image, 2) == ["d 755 0:0 etc", "f 644 0:0 etc/f"])
        }
    }

    @Test func noCacheBuildsAnew() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let dockerfile = "FROM busybox\nRUN head -c 8 /dev/urandom > /random\nRUN cat /random > /copy\n"
            let one = try fixture.build(dockerfile, tag: "r")
            let two = try fixture.build(dockerfile, tag: "r") { $0.usesCache = false }
            #expect(two.result.executedSteps == 3)
            #expect(two.result.imageID != one.result.imageID)
            let three = try fixture.build(dockerfile, tag: "r")
            #expect(three.result.imageID == two.result.imageID, "the newer results count")
            #expect(try fixture.text("/random", in: three.image) == (try fixture.text("/copy", in: three.image)))
            #expect(try fixture.store.image(matching: "r").id == two.result.imageID)
            #expect(try fixture.store.image(id: one.result.imageID).isDangling)
        }
    }

    @Test func aChangedBaseChangesEverything() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.build("FROM busybox\nRUN echo 1 > /v\n", tag: "base")
            let dockerfile = "FROM base\nRUN cat /v > /w\n"
            let one = try fixture.build(dockerfile)
            try fixture.build("FROM busybox\nRUN echo 2 > /v\n", tag: "base")
            let two = try fixture.build(dockerfile)
            #expect(two.result.executedSteps == 2)
            #expect(try fixture.text("/w", in: one.image) == "1\n")
            #expect(try fixture.text("/w", in: two.image) == "2\n")
        }
    }
}
