import FoundationEssentials
import Testing

extension EndToEnd {
    /// What `build` makes of an image besides what the Dockerfile says: the same one again, squashed, annotated.
    @Suite(.serialized) struct BuildReproduction {
        private static let everyFlag = """
            # syntax=docker/dockerfile:1
            FROM busybox AS tool
            RUN mkdir /out && echo made > /out/made
            FROM busybox
            WORKDIR /work/here
            COPY one two /copied/
            COPY --chown=7:8 --chmod=u=rw,go=r one /owned/
            COPY --link one /linked/one
            COPY --parents dir/./deep/file /parents/
            COPY --exclude=*.txt dir /excluded/
            COPY --from=tool /out /out
            COPY <<EOF /heredoc
            text
            EOF
            ADD --link two /added/

            """

        /// Two store roots, an hour apart, another directory, another umask: the same image.
        @Test func theSameImageAnHourLater() throws {
            try Strata.test { strata in
                let tools = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/") + "/tools"
                let first =
                    "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/") + "/contexts/04-first"
                let binary = try Strata.binary()
                let bases = try Program.run(
                    ["\(tools)/bases", "--root", strata.root, "--strata", binary, "busybox"], seconds: 300)
                try #require(bases.status == 0, "\(bases)")
                let (archive, other) = (strata.scratch + "/base.tar", strata.scratch + "/other")
                try strata("save", "-o", archive, "alpine", "busybox")
                try strata("--root", other, "load", "-q", "-i", archive)
                for name in ["here", "there"] {
                    try strata.write(Self.everyFlag, to: "\(name)/Dockerfile")
                    for file in ["one", "two", "dir/deep/file", "dir/x.txt"] {
                        try strata.write(file, to: "\(name)/\(file)")
                    }
                }
                for (here, there) in [(first, first), (strata.scratch + "/here", strata.scratch + "/there")] {
                    let epoch = ["SOURCE_DATE_EPOCH": "1700000000"]
                    let one = try strata.run(["build", "-q", here], environment: epoch)
                    try #require(one.status == 0, "\(one)")
                    let two = try Program.run(
                        [
                            "/bin/sh", "-c", "umask 077; exec faketime -f +1h \"$@\"", "sh", binary, "--root", other,
                            "build", "-q", there,
                        ], environment: epoch)
                    try #require(two.status == 0, "\(two)")
                    #expect(one.line == two.line)
                    let digest = ["image", "inspect", "-f", "{{.Created}}", one.line]
                    #expect(try strata.run(digest).line == "2023-11-14T22:13:20Z")
                    let argument = try strata(
                        "build", "-q", "--no-cache", "--build-arg", "SOURCE_DATE_EPOCH=1700000000", here)
                    #expect(argument == one.line)
                    let plain = try strata("build", "-q", "--rewrite-timestamp=false", here)
                    #expect(plain != one.line)
                }
                try strata("--root", other, "system", "check")
                try strata.expectOrder()
            }
        }

        @Test func annotationsGoIntoManifestAndIndex() throws {
            try Strata.testWithBusybox { strata in
                try strata.write("FROM busybox\nRUN echo 1 > /one && rm /data/file\nRUN rm /one\n", to: "in/Dockerfile")
                let (context, layout) = (strata.scratch + "/in", strata.scratch + "/out.oci")
                try strata(
                    "build", "-t", "told", "--annotation", "one=1", "--annotation", "manifest-descriptor:two=2",
                    "--annotation", "manifest,manifest-descriptor:three=a=b", "--output",
                    "type=oci,dest=\(layout),annotation.four=4", "--squash", context)
                let index = try Program.shell("tar -xOf '\(layout)' index.json")
                #expect(
                    index.contains("\"two\":\"2\"") && index.contains("\"three\":\"a=b\"") && !index.contains("four"))
                let digest = try #require(index.firstMatch(of: #/"digest":"sha256:([0-9a-f]{64})"/#)).1
                let manifest = try Program.shell("tar -xOf '\(layout)' blobs/sha256/\(digest)")
                #expect(manifest.contains("\"one\":\"1\"") && manifest.contains("\"three\":\"a=b\""))
                #expect(manifest.contains("\"four\":\"4\"") && !manifest.contains("\"two\""))
                #expect(manifest.matches(of: #/image.layer/#).count == 2, "the base and one layer")
                #expect(try strata("history", "told").contains("merge sha256:"))
                #expect(try strata.run(["run", "--rm", "told", "cat", "/data/file"]).status == 1)
                for wrong in ["index:a=b", "index-descriptor:a=b", "nothing", "other:a=b", "manifest:=b"] {
                    try strata.failure(of: "build", "--annotation", wrong, context, status: 1)
                }
                try strata.expectOrder()
            }
        }

        /// An image that was only built to be written elsewhere is not kept; one that has a name or is pushed is.
        @Test func onlyFilesAreWanted() throws {
            try Strata.testWithBusybox { strata in
                try strata.write("FROM busybox\nRUN echo 1 > /one\n", to: "in/Dockerfile")
                let context = strata.scratch + "/in"
                let before = try strata("images", "-aq")
                for output in ["type=local,dest=", "type=tar,dest=", "type=oci,dest=", "type=docker,dest="] {
                    try strata("build", "--output", output + strata.scratch + "/out", context)
                    try Program.shell("test -e '\(strata.scratch)/out' && rm -r '\(strata.scratch)/out'")
                }
                #expect(try strata("images", "-aq") == before)
                let again = try strata.run(["build", "-o", strata.scratch + "/again", context])
                #expect(
                    again.errors.contains(/RUN echo[^\n]*\n#\d+ CACHED/), "the cache has its layers still: \(again)")
                try strata("build", "--output", "type=image,name=named:1,rewrite-timestamp=true", context)
                try strata("build", "--output", "type=docker", "-t", "kept:1", context)
                #expect(try strata("images", "-q").split(separator: "\n").count == 3)
                // What was there before stays, though it has no name.
                let id = try strata("build", "-q", "--label", "a=b", context)
                try strata("build", "--label", "a=b", "--output", "type=tar,dest=\(strata.scratch)/out", context)
                #expect(try strata("images", "-q", "--no-trunc").contains(id))
                for wrong in ["nosuch=1", "annotation=x", "annotationx.a=b", "annotation-index.a=b"] {
                    try strata.failure(of: "build", "--output", "type=image,\(wrong)", context, status: 1)
                }
                try strata.expectOrder()
            }
        }

        @Test func progressCanBeReadByPrograms() throws {
            try Strata.testWithBusybox { strata in
                try strata.write(
                    "FROM busybox\nRUN echo told; echo wrong >&2\nRUN false\nMAINTAINER me\n", to: "in/Dockerfile")
                let outcome = try strata.run(["build", "--progress=rawjson", strata.scratch + "/in"])
                #expect(outcome.status == 1)
                struct Line: Decodable {
                    struct Vertex: Decodable {
                        var digest: String
                        var name: String
                        var error: String?
                        var completed: String?
                    }
                    struct Log: Decodable {
                        var vertex: String
                        var stream: Int
                        var data: Data
                    }
                    struct Warning: Decodable {
                        var short: Data
                    }
                    var vertexes: [Vertex]?
                    var logs: [Log]?
                    var warnings: [Warning]?
                }
                // At the end the error is told as ever.
                let lines = try outcome.errors.split(separator: "\n").prefix { $0.hasPrefix("{") }
                    .map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
                let vertexes = lines.flatMap { $0.vertexes ?? [] }
                let logs = lines.flatMap { $0.logs ?? [] }
                let step = try #require(vertexes.first { $0.name.hasPrefix("[2/3] RUN echo") })
                #expect(vertexes.contains { $0.digest == step.digest && $0.completed != nil })
                for (stream, text) in [(1, "told\n"), (2, "wrong\n")] {
                    let data = logs.filter { $0.vertex == step.digest && $0.stream == stream }.map(\.data).reduce(
                        Data(), +)
                    #expect(String(decoding: data, as: UTF8.self) == text)
                }
                #expect(
                    lines.flatMap { $0.warnings ?? [] }.contains {
                        String(decoding: $0.short, as: UTF8.self).hasPrefix("MaintainerDeprecated: ")
                    })
                #expect(!outcome.errors.contains("use --check"))
                #expect(vertexes.contains { $0.name.hasPrefix("[3/3] RUN false") && $0.error?.isEmpty == false })
            }
        }
    }
}
