import Linux
import Testing

extension EndToEnd {
    /// The scripts of `examples` run, print what their pages say, and leave nothing.
    @Suite struct ExampleTests {
        private static let examples =
            "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/examples"

        @Test(arguments: [
            ("mount-an-image", "made from busybox"), ("build-with-a-dockerfile", "CACHED"),
            ("build-by-hand", "edited by hand"), ("share-a-base", "container-one"),
        ])
        func runs(_ name: String, _ text: String) throws {
            let outcome = try Program.run(
                ["\(Self.examples)/\(name)/run"], environment: ["STRATA": try Strata.binary()])
            #expect(outcome.status == 0, "\(outcome)")
            #expect((outcome.output + outcome.errors).contains(text), "\(outcome)")
        }

        @Test func eachHasAPage() throws {
            let listing = try Program.shell("cd '\(Self.examples)' && for e in */; do ls $e/README.md $e/run; done")
            #expect(listing.split(separator: "\n").count == 8)
        }
    }
}
