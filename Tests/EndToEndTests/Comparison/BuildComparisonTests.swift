import Testing

extension EndToEnd {
    /// Small Dockerfiles, each built by Strata and by Buildah: configurations and file trees have to be the same. Where
    /// Buildah lacks a feature, or differs from Docker, the case itself says what has to come out, and why.
    @Suite(.serialized, ComparisonStores()) struct BuildComparisonTests {
        @Test(arguments: BuildComparison.names) func builds(_ name: String) async throws {
            try await #require(BuildComparison.current).check(name)
        }

        @Test func thereAreEnough() {
            #expect(BuildComparison.names.count >= 60)
        }
    }
}
