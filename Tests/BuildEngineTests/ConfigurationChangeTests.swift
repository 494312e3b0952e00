import BuildEngine
import OCI
import Testing

/// `--change` follows the rule of Dockerfiles.
@Suite struct ConfigurationChangeTests {
    private func changed(
        _ changes: String..., from base: (inout ContainerConfiguration) -> Void = { _ in }
    ) throws -> ContainerConfiguration {
        var image = ImageConfiguration()
        base(&image.config)
        var change = ConfigurationChange(of: image)
        try change.apply(changes: changes)
        return change.image.config
    }

    @Test("an entrypoint drops the command of the base, and keeps one that was given before or after it")
    func entrypoint() throws {
        let base: (inout ContainerConfiguration) -> Void = { $0.cmd = ["base"] }
        #expect(try changed("ENTRYPOINT [\"new\"]", from: base).cmd == nil)
        #expect(try changed("CMD [\"own\"]", "ENTRYPOINT [\"new\"]", from: base).cmd == ["own"])
        #expect(try changed("ENTRYPOINT [\"new\"]", "CMD [\"own\"]", from: base).cmd == ["own"])
    }

    @Test(
        "a working directory is absolute and normalised",
        arguments: [("WORKDIR b/../c/", "/a/c"), ("WORKDIR /x//y/.", "/x/y"), ("WORKDIR ..", "/")])
    func workingDirectory(change: String, expected: String) throws {
        #expect(try changed(change) { $0.workingDir = "/a" }.workingDir == expected)
    }

    @Test("a health check is a change of the configuration, as for docker commit")
    func healthcheck() throws {
        let config = try changed("HEALTHCHECK --interval=3s CMD true")
        #expect(config.healthcheck?.test == ["CMD-SHELL", "true"])
        #expect(config.healthcheck?.interval == 3_000_000_000)
        #expect(try changed("HEALTHCHECK NONE").healthcheck?.test == ["NONE"])
    }

    @Test(
        "instructions that make files or belong to a build are refused by name",
        arguments: ["RUN true", "COPY a b", "ADD a b", "ARG A=1", "SHELL [\"/bin/bash\"]", "MAINTAINER me"])
    func refused(change: String) throws {
        let error = #expect(throws: BuildError.self) { try changed(change) }
        #expect(error?.code == .badOption)
        #expect(error?.message.contains("is not a change of the configuration") == true)
    }
}
