import TestSupport
import Testing

extension EndToEnd {
    /// `build --cache-from` and `--cache-to`: one store uses what another has done.
    @Suite(.serialized) struct BuildCaches {
        /// Runs `body` with a context and a second store that has the same base image.
        private func withTwoStores(_ body: (_ strata: Strata, _ other: String, _ context: String) throws -> Void) throws
        {
            try Strata.testWithBusybox { strata in
                let (archive, other) = (strata.scratch + "/base.tar", strata.scratch + "/other")
                try strata("save", "-o", archive, "busybox")
                try strata("--root", other, "load", "-q", "-i", archive)
                try strata.write(
                    """
                    FROM busybox AS tool
                    RUN echo tool > /tool
                    FROM busybox
                    RUN head -c 100000 /dev/urandom > /random
                    COPY --from=tool /tool /tool
                    COPY --link file /file
                    RUN cat /tool /file > /both

                    """, to: "context/Dockerfile")
                try strata.write("text\n", to: "context/file")
                try body(strata, other, strata.scratch + "/context")
            }
        }

        private func expectCached(
            _ strata: Strata, _ arguments: [String], except steps: Int = 0, _ expected: String,
            location: SourceLocation = #_sourceLocation
        ) throws {
            let outcome = try strata.run(arguments + ["--progress=plain", "-t", "again"])
            try #require(outcome.status == 0, "\(outcome)", sourceLocation: location)
            let done = outcome.errors.matches(of: #/(?m)^#(\d+) \[[^\]]*\d\/\d\] .*\n/#).filter { step in
                !outcome.errors.contains("\n#\(step.1) CACHED\n")
            }
            #expect(done.count == steps, "\(outcome)", sourceLocation: location)
            #expect(
                outcome.errors.contains("writing image \(expected)") == (steps == 0), "\(outcome)",
                sourceLocation: location)
        }

        @Test func aDirectoryHoldsACache() throws {
            try withTwoStores { strata, other, context in
                let cache = strata.scratch + "/cache"
                let id = try strata("build", "-q", "--cache-to", "type=local,dest=\(cache),mode=max", context)
                #expect(try Program.shell("cat '\(cache)/index.json'").contains("latest"))
                let blobs = try Program.shell(
                    "cd '\(cache)/blobs/sha256'; for f in *; do test $(sha256sum < $f | cut -c1-64) = $f || echo $f; done"
                )
                #expect(blobs == "", "every blob has its digest")
                try expectCached(
                    strata, ["--root", other, "build", "--cache-from", "type=local,src=\(cache)", context], id)
                #expect(try strata("--root", other, "run", "--rm", "again", "cat", "/both") == "tool\ntext")
                try strata("--root", other, "system", "check")
                // A cache that is not there is told, and the build goes on.
                try strata.write("another\n", to: "context/file")
                let gone = try strata.run(["build", "--cache-from", "type=local,src=/nosuch", context])
                #expect(gone.status == 0 && gone.errors.contains("the cache /nosuch cannot be used"), "\(gone)")
                for wrong in ["type=nosuch", "type=local", "type=registry", "type=local,dest=x,mode=some"] {
                    try strata.failure(of: "build", "--cache-to", wrong, context, status: 1)
                }
                try strata.failure(of: "build", "--cache-to", "type=local,dest=/proc/nosuch", context, status: 1)
                try strata("build", "-q", "--cache-to", "type=local,dest=/proc/nosuch,ignore-error=true", context)
                try strata.expectOrder()
            }
        }

        @Test func aRegistryHoldsACache() throws {
            try DebianRegistry.test { registry in
                try withTwoStores { strata, other, context in
                    let name = "\(registry.domain)/cache:1"
                    let id = try strata("build", "-q", "--cache-to", "type=registry,ref=\(name),mode=max", context)
                    _ = try registry.requests()
                    try expectCached(
                        strata, ["--root", other, "build", "--cache-from", name, context], id)
                    #expect(try strata("--root", other, "run", "--rm", "again", "cat", "/both") == "tool\ntext")
                    let requests = try registry.requests()
                    #expect(
                        requests.count { $0.contains("/blobs/") } == 5, "the configuration and four layers: \(requests)"
                    )
                    try strata("--root", other, "build", "--cache-from", name, context)
                    #expect(try registry.requests() == [], "who has everything does not ask")
                    try strata.write("another\n", to: "context/file")
                    let missing = registry.domain + "/nosuch"
                    let gone = try strata.run(["--root", other, "build", "--cache-from", missing, context])
                    #expect(gone.status == 0 && gone.errors.contains("the cache \(missing):latest cannot"), "\(gone)")
                    try strata.expectOrder()
                }
            }
        }

        @Test func anImageHoldsItsCache() throws {
            try DebianRegistry.test { registry in
                try withTwoStores { strata, other, context in
                    let name = "\(registry.domain)/app:1"
                    try strata.write(
                        "FROM busybox\nRUN head -c 100000 /dev/urandom > /random\nCOPY file /file\nENV A=1\n",
                        to: "context/Dockerfile")
                    let id = try strata("build", "-q", "--cache-to", "type=inline", "--push", "-t", name, context)
                    try expectCached(
                        strata,
                        ["--root", other, "build", "--cache-from", name, "--cache-to", "type=inline", context], id)
                    try strata("rmi", name)
                    try strata("pull", "-q", name)
                    #expect(try strata("images", "-q", "--no-trunc", name) == id)
                    try strata.write("FROM busybox\nENV B=2\n", to: "plain/Dockerfile")
                    let plain = "\(registry.domain)/plain:1"
                    try strata("build", "-q", "--push", "-t", plain, strata.scratch + "/plain")
                    let none = try strata.run([
                        "--root", other, "build", "--cache-from", "type=registry,ref=\(plain)",
                        strata.scratch + "/plain",
                    ])
                    #expect(none.status == 0 && none.errors.contains("is no build cache"), "\(none)")
                    try strata.expectOrder()
                }
            }
        }
    }
}
