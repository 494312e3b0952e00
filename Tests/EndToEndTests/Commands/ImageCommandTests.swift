import Testing

extension EndToEnd {
    /// `import`, `images`, `history`, `inspect`, `tag`, `rmi`.
    @Suite(.serialized) struct ImageCommands {
        @Test func importsFromAFileAndFromStandardInput() throws {
            try Strata.test { strata in
                let archive = try Busybox.archive()
                let first = try strata("import", "-m", "by hand", archive, "base:1")
                #expect(first.hasPrefix("sha256:") && first.count == 71)
                let second = try strata.run(["import", "-", "base:2"], inputFile: archive)
                #expect(second.status == 0)
                for compressor in ["gzip", "xz -0", "zstd -q", "bzip2"] {
                    let packed = "\(strata.scratch)/packed"
                    try Program.shell("\(compressor) < '\(archive)' > '\(packed)'")
                    try strata("import", packed)
                }
                // One tree, one layer, however it was packed.
                let layers = try Set(
                    strata("images", "-q").split(separator: "\n").map { id in
                        try strata("image", "inspect", "-f", "{{index .RootFS.Layers 0}}", String(id))
                    })
                #expect(layers.count == 1)
                #expect(try strata("history", "--format", "{{.Comment}}", "base:1") == "by hand")
                #expect(try strata("history", "--format", "{{.Comment}}", "base:2") == "Imported from -")
            }
        }

        @Test func changesOfAnImportAreInTheConfiguration() throws {
            try Strata.test { strata in
                try strata(
                    "import", "-c", #"CMD ["a", "b"]"#, "-c", "ENV X=1 Y=$X!", "-c", "LABEL purpose=practice", "-c",
                    "EXPOSE 80", "-c", "WORKDIR /data", "-c", "USER app", "-c", "VOLUME /v", "-c", "ENTRYPOINT run me",
                    try Busybox.archive(), "changed")
                let config = try strata("inspect", "-f", "{{json .Config}}", "changed")
                for part in [
                    #""Cmd":["a","b"]"#, #""Labels":{"purpose":"practice"}"#, #""ExposedPorts":{"80/tcp":{}}"#,
                    #""WorkingDir":"/data""#, #""User":"app""#, #""Volumes":{"/v":{}}"#,
                    #""Entrypoint":["/bin/sh","-c","run me"]"#, #""X=1""#,
                ] {
                    #expect(config.contains(part), "\(part) in \(config)")
                }
            }
        }

        @Test func listsAsDockerDoes() throws {
            try Strata.testWithBusybox { strata in
                let id = try strata("images", "-q", "--no-trunc")
                try strata("tag", "busybox", "registry.example.org:5000/team/tool:1.0")
                let short = id.dropFirst(7).prefix(12)
                let lines = try strata("images").split(separator: "\n").map(String.init)
                #expect(lines.count == 3)
                #expect(lines[0].hasPrefix("REPOSITORY                            TAG       IMAGE ID       CREATED "))
                #expect(lines[0].hasSuffix("   SIZE"))
                #expect(lines.contains { $0.hasPrefix("busybox                               latest    \(short)   ") })
                #expect(lines.contains { $0.hasPrefix("registry.example.org:5000/team/tool   1.0       \(short)   ") })
                #expect(try strata("images", "busybox", "--format", "{{.Repository}}:{{.Tag}}") == "busybox:latest")
                let none = try strata("images", "nothing")
                #expect(none == "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE")
                let json = try strata("images", "--format", "json", "busybox")
                #expect(json.hasPrefix(#"{"Containers":"N/A","CreatedAt":""#))
                #expect(json.contains(#""Repository":"busybox","SharedSize":"N/A""#))
                #expect(try strata("image", "ls", "-q") == "\(short)\n\(short)")
                #expect(try strata("images", "--digests").contains("DIGEST"))
            }
        }

        @Test func filters() throws {
            try Strata.test { strata in
                try strata("import", "-c", "LABEL perpose=practice", try Busybox.archive(), "one:1")
                try strata("import", "-c", "LABEL perpose=other", try Busybox.archive(), "two/three:2")
                try strata("import", try Busybox.archive())
                func names(_ filters: String...) throws -> String {
                    let arguments = ["images", "--format", "{{.Repository}}"] + filters.flatMap { ["--filter", $0] }
                    let outcome = try strata.run(arguments)
                    #expect(outcome.status == 0, "\(outcome)")
                    return outcome.lines.sorted().joined(separator: ",")
                }
                #expect(try names("label=perpose=practice") == "one")
                #expect(try names("label=perpose") == "one,two/three")
                #expect(try names("dangling=true") == "<none>")
                #expect(try names("dangling=false") == "one,two/three")
                #expect(try names("reference=two/*") == "two/three")
                #expect(try names("reference=*:1") == "one")
                #expect(try names("before=two/three:2") == "one")
                #expect(try names("since=two/three:2") == "<none>")
                #expect(try names("label=perpose", "reference=one") == "one")
                #expect(try names("reference=one", "reference=two/*") == "one,two/three")
                #expect(try names("until=2001-01-01") == "")
                let both = try strata("images", "-f", "reference=one", "two/three", "--format", "{{.Repository}}")
                #expect(both.split(separator: "\n").sorted() == ["one", "two/three"])
                try strata.failure(of: "images", "--filter", "colour=red", status: 1)
            }
        }

        @Test func inspectsAsDockerDoes() throws {
            try Strata.testWithBusybox { strata in
                let id = try strata("images", "-q", "--no-trunc")
                let text = try strata("image", "inspect", "busybox")
                #expect(
                    text.hasPrefix(
                        "[\n    {\n        \"Id\": \"\(id)\",\n        \"RepoTags\": [\n            \"busybox:latest\"\n"
                    ))
                let short = String(id.dropFirst(7).prefix(12))
                #expect(
                    try strata("inspect", "--format", "{{.Id}} {{.Os}} {{.RootFS.Type}}", short) == "\(id) linux layers"
                )
                #expect(
                    try strata("inspect", "--type", "image", "-f", "{{json .RepoTags}}", id) == #"["busybox:latest"]"#)
                let outcome = try strata.run(["inspect", "nobody", "busybox"])
                #expect(outcome.status == 1)
                #expect(outcome.output.contains(id))
                #expect(outcome.errors == "strata: No such object: nobody\n")
            }
        }

        @Test func namesComeAndGo() throws {
            try Strata.testWithBusybox { strata in
                let id = try strata("images", "-q", "--no-trunc")
                try strata("tag", "busybox", "copy")
                #expect(try strata("rmi", "copy") == "Untagged: copy:latest")
                try strata("tag", id, "copy:2")
                try strata.failure(of: "rmi", String(id.dropFirst(7).prefix(12)), status: 1)
                let removed = try strata("rmi", "-f", id).split(separator: "\n")
                #expect(removed.count == 4, "\(removed)")
                #expect(removed.contains("Deleted: \(id)"))
                #expect(try strata("images", "-q") == "")
                #expect(try Program.shell("ls '\(strata.root)/layers' | wc -l") == "0\n")
                #expect(try Program.shell("ls '\(strata.root)/blobs/sha256' | wc -l") == "0\n")
            }
        }

        @Test func aMovedNameLeavesADanglingImageThatPruneRemoves() throws {
            try Strata.testWithBusybox { strata in
                try strata("import", "-c", "ENV A=1", try Busybox.archive(), "busybox")
                #expect(try strata("images", "--format", "{{.Repository}}", "--filter", "dangling=true") == "<none>")
                let outcome = try strata.run(["image", "prune"], input: "n\n")
                #expect(outcome.status == 1)
                let pruned = try strata("image", "prune", "-f")
                #expect(pruned.hasPrefix("Deleted Images:\ndeleted: sha256:"))
                // The layer stays; the manifest and the configuration take a block each.
                #expect(pruned.hasSuffix("Total reclaimed space: 8.192kB"))
                #expect(try strata("images", "--format", "{{.Repository}}") == "busybox")
            }
        }
    }
}
