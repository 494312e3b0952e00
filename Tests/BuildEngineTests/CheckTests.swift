import Dockerfile
import ImageStore
import OCI
import Testing

@testable import BuildEngine

/// The build checks on builds: what they take from the store and from the context.
@Suite struct CheckTests {
    @Test func ignoredFilesOfTheContextAreRemarkedOn() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try fixture.write("kept", "kept")
            try fixture.write("left", "left")
            try fixture.write(".dockerignore", "left\n")
            let log = BuildFixture.Log()
            let error = try fixture.failure("FROM busybox\nCOPY kept left /\n", log: log)
            #expect(error.code == .noSuchFile)
            #expect(error.excerpt?.contains("   2 | >>> COPY kept left /\n") == true)
            let found = log.all.compactMap { event in if case .diagnostic(let warning) = event { warning } else { nil }
            }
            #expect(found.map(\.rule) == [.copyIgnoredFile])
            #expect(try fixture.build("FROM busybox\nCOPY kept /\n").result.warnings.isEmpty)
        }
    }

    @Test func imagesForOtherPlatformsAreRemarkedOn() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            #expect(try fixture.build("FROM busybox\nENV a=b\n").result.warnings.isEmpty)
            let layers = try fixture.store.image(matching: "busybox").layerIDs
            let other = Platform(architecture: "s390x", os: "linux")
            _ = try fixture.store.createImage(
                configuration: ImageConfiguration(platform: other), layers: layers,
                tags: [try Reference(parsing: "foreign")])
            let warnings = try fixture.build("FROM foreign\nENV a=b\n").result.warnings
            #expect(warnings.map(\.rule) == [.invalidBaseImagePlatform])
            #expect(
                warnings.first?.message
                    == "Base image foreign was pulled with platform \"linux/s390x\", expected \"\(Platform.current)\" for"
                    + " current build")
        }
    }

    @Test func onlyWhatIsBuiltIsLookedInto() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let text = "FROM busybox AS one\nCMD one\nFROM busybox AS two\nCMD two\n"
            #expect(try fixture.build(text).result.warnings.map(\.lines) == [4...4])
            #expect(try fixture.build(text) { $0.target = "one" }.result.warnings.map(\.lines) == [2...2])
            var options = BuildOptions(context: nil)
            options.dockerfile = .text(Array(text.utf8))
            let check = try Builder(store: fixture.store).check(options)
            #expect(check.result.warnings.map(\.lines) == [2...2, 4...4])
        }
    }

    /// A later stage of a name takes the place of the earlier one, for what comes after it.
    @Test func twoStagesMayHaveOneName() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let built = try fixture.build(
                """
                FROM busybox AS b
                RUN echo first > /file
                FROM b AS b
                RUN echo second >> /file
                FROM scratch
                COPY --from=b /file /
                """)
            #expect(built.result.warnings.map(\.rule) == [.duplicateStageName])
            #expect(try fixture.text("/file", in: built.image) == "first\nsecond\n")
        }
    }

    @Test func predefinedArgumentsOfTheTarget() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let text = "FROM busybox AS made\nARG TARGETSTAGE\nLABEL stage=$TARGETSTAGE\n"
            #expect(try fixture.build(text).image.configuration.config.labels["stage"] == "made")
        }
    }
}
