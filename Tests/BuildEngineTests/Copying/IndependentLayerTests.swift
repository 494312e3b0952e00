import ImageStore
import Linux
import OCI
import Testing

@testable import BuildEngine

/// `COPY --link` and `ADD --link`: layers that do not depend on what lies below them.
@Suite struct IndependentLayerTests {
    @Test func theLayerIsUsedAgainOnAnotherBase() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("file", "one")
            func dockerfile(_ word: String) -> String {
                """
                FROM busybox
                RUN echo \(word) > /word
                COPY --link file /opt/file
                ADD --link file /opt/added
                RUN cat /word /opt/file
                """
            }
            let first = try fixture.build(dockerfile("first"))
            let second = try fixture.build(dockerfile("second"))
            #expect(second.result.cachedSteps == 3, "FROM and the two layers")
            #expect(second.result.executedSteps == 2)
            #expect(second.log.output == "second\none")
            #expect(second.image.layerIDs[2...3] == first.image.layerIDs[2...3])
            #expect(try fixture.build(dockerfile("second")).result.executedSteps == 0)
            #expect(
                second.image.configuration.history.contains { $0.createdBy == "COPY --link file /opt/file # strata" })
            try fixture.write("file", "two")
            let changed = try fixture.build(dockerfile("second"))
            #expect(changed.result.executedSteps == 3)
            #expect(changed.log.output == "second\ntwo")
            try fixture.write("file", "one")
            // A layer that depends on those below is made anew.
            let plain = dockerfile("third").replacing(" --link", with: "")
            #expect(try fixture.build(plain).result.executedSteps == 4)
            #expect(try fixture.build(dockerfile("third")) { $0.usesCache = false }.result.cachedSteps <= 1)
            let filtered = try fixture.build(dockerfile("third")) { $0.uncachedStages = ["0"] }
            #expect(filtered.result.executedSteps == 4)
        }
    }

    @Test func whatComesAfterSeesTheNewBase() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("file", "x")
            let one = try fixture.build("FROM busybox\nRUN echo 1 > /n\nCOPY --link file /f\nRUN cat /n > /copy\n")
            let two = try fixture.build("FROM busybox\nRUN echo 2 > /n\nCOPY --link file /f\nRUN cat /n > /copy\n")
            #expect(try fixture.text("/copy", in: one.image) == "1\n")
            #expect(try fixture.text("/copy", in: two.image) == "2\n")
            let other = try fixture.build("FROM scratch\nCOPY --link file /f\n")
            #expect(other.image.layerIDs[0] == one.image.layerIDs[2])
        }
    }

    /// Dockerfile reference, "COPY --link": the destination's links are not followed, and nothing of the base is seen.
    @Test func nothingOfTheBaseIsSeen() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("file", "text")
            let built = try fixture.build(
                """
                FROM busybox
                COPY --link file /link-to-directory/
                COPY --link --chown=app:audio --chmod=600 file /data/owned
                """)
            #expect(try fixture.status("/link-to-directory", in: built.image)?.isDirectory == true)
            #expect(try fixture.text("/link-to-directory/file", in: built.image) == "text")
            #expect(try fixture.text("/data/file", in: built.image) == "old\n")
            let owned = try fixture.status("/data/owned", in: built.image)
            #expect(owned?.uid == 1000 && owned?.gid == 29 && owned?.permissions == 0o600)
            #expect(
                try fixture.lastLayer(try fixture.build("FROM busybox\nCOPY --link file /data\n"))
                    == ["- 644 0:0 data"].map { $0.replacing("-", with: "f") }, "a file, whatever the base has there")
            #expect(
                try fixture.lastLayer(try fixture.build("FROM busybox\nCOPY file /link-to-directory/\n"))
                    .contains { $0.hasSuffix(" data/file") }, "without --link the link is followed")
        }
    }
}
