import Dockerfile
import ImageStore
import OCI
import Testing

@testable import BuildEngine

/// Builds of several stages.
@Suite struct StageTests {
    static let dockerfile = """
        ARG BASE=busybox
        FROM $BASE AS build
        WORKDIR /app
        COPY src ./src
        RUN mkdir target && cat src/* > target/app.jar && chown 1000:1000 target/app.jar && chmod 640 target/app.jar
        FROM busybox AS unused
        RUN false
        FROM busybox
        WORKDIR /app
        COPY --from=build /app/target/*.jar ./app.jar
        CMD ["cat", "app.jar"]
        """

    @Test func onlyNeededStagesAreBuilt() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("src/one", "1")
            try fixture.write("src/two", "2")
            let built = try fixture.build(Self.dockerfile)
            #expect(try fixture.text("/app/app.jar", in: built.image) == "12")
            #expect(try fixture.text("/app/src/one", in: built.image) == nil)
            #expect(
                try fixture.lastLayer(built) == ["d 755 0:0 app", "f 640 1000:1000 app/app.jar"],
                "owners of other stages are kept")
            #expect(built.log.text.contains("[build 2/4] WORKDIR /app"))
            #expect(built.log.text.contains("[stage-2 3/3] COPY --from=build"))

            let again = try fixture.build(Self.dockerfile)
            #expect(again.result.imageID == built.result.imageID)
            #expect(again.result.executedSteps == 0)

            // What the last stage takes is the same, so it stays the same.
            try fixture.write("src/one", "12")
            try fixture.write("src/two", "")
            let same = try fixture.build(Self.dockerfile)
            #expect(same.result.imageID == built.result.imageID)
            #expect(same.result.executedSteps == 2)
        }
    }

    @Test func targetsNamesAndNumbers() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("src/one", "1")
            let built = try fixture.build(Self.dockerfile) { $0.target = "build" }
            #expect(built.image.configuration.config.workingDir == "/app")
            #expect(try fixture.text("/app/target/app.jar", in: built.image) == "1")
            #expect(try fixture.build(Self.dockerfile) { $0.target = "0" }.result.imageID == built.result.imageID)
            #expect(try fixture.failure(Self.dockerfile) { $0.target = "other" }.code == .dockerfile)
            #expect(try fixture.failure(Self.dockerfile) { $0.target = "unused" }.code == .commandFailed)
            #expect(
                try fixture.failure(Self.dockerfile) { $0.buildArguments["BASE"] = "missing:1" }.code == .noSuchImage)
        }
    }

    @Test func stagesOnStagesAndFilesOfImages() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.build("FROM busybox\nRUN echo lib > /lib\n", tag: "library:1")
            let built = try fixture.build(
                """
                FROM busybox AS common
                ARG WORD=hello
                ENV GREETING=$WORD
                CMD ["common"]
                FROM common AS child
                RUN echo $GREETING $WORD > /word
                ENTRYPOINT ["/bin/cat"]
                FROM scratch
                COPY --from=child /word /
                COPY --from=library:1 /lib /
                COPY --from=0 /data/file /file
                """)
            #expect(try fixture.text("/word", in: built.image) == "hello hello\n")
            #expect(try fixture.text("/lib", in: built.image) == "lib\n")
            #expect(try fixture.text("/file", in: built.image) == "old\n")
            #expect(built.image.layerIDs.count == 3)
            #expect(built.image.configuration.config.entrypoint == nil)
            let child = try fixture.build(
                "FROM busybox AS a\nCMD [\"x\"]\nFROM a\nENTRYPOINT [\"y\"]\n")
            #expect(child.image.configuration.config.cmd == nil, "the base's arguments go with its entrypoint")
            let own = try fixture.build("FROM busybox\nCMD [\"x\"]\nENTRYPOINT [\"y\"]\n")
            #expect(own.image.configuration.config.cmd == ["x"])
        }
    }

    @Test func filesFromStagesSeeTheirMergedLayers() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let built = try fixture.build(
                """
                FROM busybox AS work
                RUN mkdir /d /d/gone && echo 1 > /d/a && echo 2 > /d/b && echo 3 > /d/gone/x && ln /d/a /d/link
                RUN rm -r /d/gone && echo two > /d/b && mv /d/a /d/c
                RUN rm -r /data && mkdir /data && echo new > /data/new
                FROM scratch
                COPY --from=work /d /d
                COPY --from=work /data /data
                """)
            #expect(
                try fixture.layer(built.image, 0) == [
                    "d 755 0:0 d", "f 644 0:0 d/b", "f 644 0:0 d/c", "f 644 0:0 d/link",
                ])
            #expect(try fixture.layer(built.image, 1) == ["d 755 0:0 data", "f 644 0:0 data/new"])
            #expect(try fixture.text("/d/b", in: built.image) == "two\n")
            #expect(try fixture.text("/d/link", in: built.image) == "1\n")
        }
    }

    @Test func triggersOfTheBaseAreCarriedOut() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("app", "x")
            let base = try fixture.build(
                "FROM busybox\nONBUILD COPY app /app\nONBUILD RUN cat /app > /copy\n", tag: "trigger")
            #expect(base.image.configuration.config.onBuild == ["COPY app /app", "RUN cat /app > /copy"])
            let built = try fixture.build("FROM trigger\nRUN cat /copy > /again\n")
            #expect(try fixture.text("/again", in: built.image) == "x")
            #expect(built.image.configuration.config.onBuild.isEmpty)
            #expect(built.log.text.contains("[2/4] COPY app /app"))
        }
    }

    @Test func planTakesWhatTheTargetNeeds() throws {
        let document = try DockerfileDocument(
            parsing: """
                FROM scratch AS a
                FROM scratch AS b
                COPY --from=a / /
                FROM scratch AS c
                FROM b AS d
                COPY --from=a / /
                """)
        func order(_ target: String?) throws -> [Int] {
            try Plan(document, arguments: BuildArguments(), target: target).order
        }
        #expect(try order(nil) == [0, 1, 3])
        #expect(try order("c") == [2])
        #expect(try order("B") == [0, 1])
        #expect(throws: BuildError.self) { try order("e") }
    }
}
