import Testing

extension EndToEnd {
    /// The scripts of `examples/`, with the program under test: what they print, and that they leave nothing.
    @Suite(.serialized) struct ExamplesTests {
        /// Runs an example whose scratch directory is in the test's; its own files are gone when it ends.
        private func run(
            _ name: String, _ strata: Strata, path: String? = nil, location: SourceLocation = #_sourceLocation
        ) throws -> Outcome {
            let repository = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
            let scratch = try strata.directory("scratch")
            var environment = ["STRATA": try Strata.binary(), "TMPDIR": scratch]
            if let path { environment["PATH"] = path }
            let outcome = try Program.run(["\(repository)/examples/\(name)/run"], environment: environment)
            #expect(try Program.shell("ls -A '\(scratch)'") == "", "\(outcome)", sourceLocation: location)
            return outcome
        }

        @Test func mountAnImage() throws {
            try Strata.test { strata in
                let outcome = try run("mount-an-image", strata)
                #expect(outcome.status == 0, "\(outcome)")
                for line in ["bin", "The mount of an image is read-only.", "The directory is empty again."] {
                    #expect(outcome.lines.contains(line), "\(outcome)")
                }
            }
        }

        @Test func buildWithADockerfile() throws {
            try Strata.test { strata in
                let outcome = try run("build-with-a-dockerfile", strata)
                #expect(outcome.status == 0, "\(outcome)")
                #expect(outcome.lines.contains("Hello, world"), "\(outcome)")
                #expect(outcome.lines.contains("Hello, everyone"), "\(outcome)")
            }
        }

        @Test func buildByHand() throws {
            try Strata.test { strata in
                let outcome = try run("build-by-hand", strata)
                #expect(outcome.status == 0, "\(outcome)")
                #expect(outcome.lines.contains("A /srv/page"), "\(outcome)")
                #expect(outcome.lines.last == "written by a tool of the host", "\(outcome)")
            }
        }

        @Test func shareABase() throws {
            try Strata.test { strata in
                let outcome = try run("share-a-base", strata)
                #expect(outcome.status == 0, "\(outcome)")
                #expect(outcome.lines.count { $0 == "A /file" } == 2, "\(outcome)")
                // One layer, in one image and two containers.
                let heading = try #require(outcome.lines.firstIndex { $0.hasPrefix("LAYER ID") }, "\(outcome)")
                let layers = outcome.lines[(heading + 1)...].prefix { !$0.isEmpty }
                #expect(layers.count == 1, "\(outcome)")
                let fields = try #require(layers.first, "\(outcome)").split(separator: " ")
                #expect(fields.dropFirst(2).prefix(2) == ["1", "2"], "\(outcome)")
            }
        }

        @Test func aFailureLeavesNoMount() throws {
            try Strata.test { strata in
                let readlink = try strata.write("#!/bin/sh\nexit 7\n", to: "bin/readlink", mode: 0o755)
                let directory = readlink.dropLast("/readlink".count)
                let outcome = try run("mount-an-image", strata, path: "\(directory):/usr/sbin:/usr/bin:/sbin:/bin")
                #expect(outcome.status == 7, "\(outcome)")
                #expect(outcome.lines.contains { $0.hasPrefix("$ readlink ") }, "\(outcome)")
                #expect(try strata.mountPoints() == [])
            }
        }
    }
}
