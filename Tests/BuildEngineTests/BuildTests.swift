import ImageStore
import Linux
import OCI
import Testing

@testable import BuildEngine

/// Whole builds, with real mounts and containers.
@Suite struct BuildTests {
    static let first = """
        FROM busybox
        RUN echo layered > /greeting
        COPY hello.sh /hello.sh
        CMD ["/hello.sh"]
        """

    @Test("A build says whether the image is of its own making")
    func whoMadeTheImage() throws {
        try BuildFixture.run { fixture in
            let first = try fixture.build("FROM busybox\nRUN touch /a\n")
            #expect(first.result.isNew)
            let second = try fixture.build("FROM busybox\nRUN touch /a\n", tag: "named")
            #expect(second.result.imageID == first.result.imageID && !second.result.isNew)
            try fixture.store.removeImage(unnamed: first.result.imageID)
            #expect(try fixture.store.image(matching: "named").id == first.result.imageID)
        }
    }

    @Test func commandsAndFilesBecomeLayers() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("hello.sh", "#!/bin/sh\ncat /greeting\n", mode: 0o755)
            let built = try fixture.build(Self.first, tag: "first")
            #expect(built.image.layerIDs.count == 3)
            #expect(try fixture.layer(built.image, 1) == ["f 644 0:0 greeting"])
            #expect(try fixture.layer(built.image, 2) == ["f 755 0:0 hello.sh"])
            #expect(try fixture.text("/greeting", in: built.image) == "layered\n")
            let configuration = built.image.configuration
            #expect(configuration.config.cmd == ["/hello.sh"])
            #expect(configuration.config.env == ["PATH=/bin"])
            #expect(
                configuration.history.map(\.createdBy) == [
                    "import", "RUN /bin/sh -c echo layered > /greeting # strata", "COPY hello.sh /hello.sh # strata",
                    "CMD [\"/hello.sh\"]",
                ])
            #expect(configuration.history.map { $0.emptyLayer ?? false } == [false, false, false, true])
            #expect(configuration.rootFS.diffIDs.count == 3)
            #expect(built.result.executedSteps == 3)
        }
    }

    @Test func secondBuildIsCachedAndTheSameImage() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("hello.sh", "#!/bin/sh\ncat /greeting\n", mode: 0o755)
            let one = try fixture.build(Self.first)
            let two = try fixture.build(Self.first)
            #expect(one.result.imageID == two.result.imageID)
            #expect(two.result.executedSteps == 0)
            #expect(two.result.cachedSteps == 3)
            try shell("touch \(fixture.context)/hello.sh")
            #expect(try fixture.build(Self.first).result.executedSteps == 0, "times are no content")
            try shell("chmod 700 \(fixture.context)/hello.sh")
            #expect(try fixture.build(Self.first).result.executedSteps == 1, "modes are")
            try fixture.write("hello.sh", "#!/bin/sh\ncat /greeting\necho\n", mode: 0o755)
            #expect(try fixture.build(Self.first).result.executedSteps == 1)
        }
    }
}
