import Testing

extension EndToEnd {
    /// A small dose of `tools/crash-test`: commands killed at random times and named points, power cuts, full disks.
    @Suite(.serialized) struct Crash {
        @Test func nothingIsLost() throws {
            let tools = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
            let outcome = try Program.run(
                ["/\(tools)/tools/crash-test", "--runs", "20", "--seed", "1", "--strata", try Strata.binary()],
                seconds: 120)
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.output.contains(" 0 lost, 0 half-visible, 0 other faults"))
            // The build under test honours the named points.
            #expect(outcome.output.contains(" named points\n"), "\(outcome)")
        }
    }
}
