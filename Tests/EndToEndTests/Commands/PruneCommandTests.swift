import Testing

extension EndToEnd {
    /// The prune commands, `system check` and `system df --explain`.
    @Suite(.serialized) struct PruneCommand {
        @Test func dryRunSaysWhatPruneDoes() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                for content in ["one", "two"] {
                    try strata.write(content, to: "context/file")
                    try strata.write("FROM busybox\nCOPY file /\n", to: "context/Dockerfile")
                    try strata("build", "-q", "-t", "app", context)
                }
                try strata("create", "--name", "ended", "app", "true")
                try strata("create", "--name", "labelled", "--label", "keep=yes", "busybox", "true")
                let dry = try strata("system", "prune", "--dry-run", "--filter", "label!=keep").split(separator: "\n")
                #expect(dry.first == "Would delete Containers:")
                #expect(try strata.run(["ps", "-aq"]).lines.count == 2)
                #expect(dry.last?.hasPrefix("Total reclaimable space: ") == true)
                let reclaimable = try #require(dry.last).split(separator: " ")[3]
                let done = try strata("system", "prune", "-f", "--filter", "label!=keep").split(separator: "\n")
                #expect(done.first == "Deleted Containers:")
                #expect(done.contains { $0.hasPrefix("deleted: sha256:") })
                #expect(done.last == "Total reclaimed space: \(reclaimable)")
                #expect(try strata("ps", "-a", "--format", "{{.Names}}") == "labelled")
                #expect(try strata("images", "-q").split(separator: "\n").count == 2)
                // Without an answer nothing happens.
                #expect(try strata.run(["system", "prune", "-a"], input: "n\n").status == 1)
                #expect(try strata("images", "-q").split(separator: "\n").count == 2)
                try strata("container", "prune", "-f")
                let all = try strata("system", "prune", "-af")
                #expect(all.contains("untagged: app:latest"))
                #expect(all.contains("untagged: busybox:latest"))
                #expect(
                    try strata("system", "df", "--format", "{{.Size}} {{.Reclaimable}}") == "0B 0B\n0B 0B\n0B 0B\n0B 0B"
                )
                #expect(try strata("system", "check").hasSuffix(": no faults."))
            }
        }

        @Test func builderAndVolumePrune() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                try strata.write(
                    "FROM busybox AS s\nCOPY Dockerfile /s\nFROM busybox\nCOPY Dockerfile /t\n",
                    to: "context/Dockerfile")
                try strata("build", "-q", "-t", "app", "--target", "s", context)
                try strata("tag", "busybox", "app")
                try strata("image", "prune", "-f", "--filter", "until=1h")
                let cache = try strata("builder", "prune", "-f", "--keep-storage", "1GB")
                #expect(cache == "Total: 0B")
                #expect(try strata("builder", "prune", "-af").contains("LAST ACCESSED"))
                #expect(try strata("builder", "prune", "-af") == "Total: 0B")
                try strata("run", "--rm", "-v", "named:/data", "busybox", "true")
                try strata("run", "--name", "keeps", "-v", "/anonymous", "busybox", "true")
                try strata("rm", "keeps")
                #expect(try strata("volume", "ls", "-q").split(separator: "\n").count == 2)
                let pruned = try strata("volume", "prune", "-f").split(separator: "\n")
                #expect(pruned[0] == "Deleted Volumes:" && pruned[1].count == 64)
                #expect(try strata("volume", "ls", "-q") == "named")
                #expect(try strata("volume", "prune", "-af").hasPrefix("Deleted Volumes:\nnamed\n"))
                try strata.failure(of: "system", "prune", "-f", "--volumes", "--filter", "until=1h", status: 1)
                try strata.failure(of: "image", "prune", "-f", "--filter", "size=3", status: 1)
                try strata.failure(of: "builder", "prune", "-f", "--keep-storage", "much", status: 1)
            }
        }

        @Test func checkFindsAndHeals() throws {
            try Strata.testWithBusybox { strata in
                try Program.shell("echo evil > \"$(ls -d '\(strata.root)'/layers/*/fs)\"/bin/evil")
                let found = try strata.run(["system", "check"])
                #expect(found.status == 1)
                #expect(found.lines.count == 2)
                #expect(found.lines.first?.contains("; used by busybox:latest") == true)
                #expect(try strata.run(["system", "check", "--quick"]).lines.count <= 2)
                #expect(try strata.run(["system", "check", "--repair"]).output.contains("put into quarantine"))
                let error = try strata.failure(of: "run", "--rm", "busybox", "true", status: 125)
                #expect(error.contains("quarantine"))
                try strata.importBusybox("again")
                #expect(try strata.run(["system", "check"]).status == 0)
                try strata("run", "--rm", "busybox", "true")
            }
        }

        @Test func explainsWhoKeepsALayer() throws {
            try Strata.testWithBusybox { strata in
                try strata("tag", "busybox", "zzz")
                try strata("create", "--name", "holder", "busybox", "true")
                let text = try strata("system", "df", "--explain", "busybox").split(separator: "\n")
                #expect(text.count == 2)
                #expect(text[1].hasSuffix("image busybox:latest, container holder"))
                let layer = String(text[1].prefix(12))
                #expect(try strata("system", "df", "--explain", layer).hasSuffix("container holder"))
                let json = try strata("system", "df", "--explain", layer, "--format", "json")
                #expect(json.contains(#""holder""#) && json.contains(#""container""#))
                try strata.failure(of: "system", "df", "--explain", "nothing", status: 1)
            }
        }

        @Test("Builds and loads of other processes are whole while everything else is pruned")
        func besideBuildsAndLoads() throws {
            try Strata.testWithBusybox { strata in
                try strata("save", "-o", strata.scratch + "/saved.tar", "busybox")
                try Program.shell("mkdir '\(strata.scratch)/c' && cp \"$(command -v busybox)\" '\(strata.scratch)/c/'")
                try strata.write(
                    """
                    FROM scratch AS one
                    COPY busybox /bin/
                    RUN ["/bin/busybox", "touch", "/made"]
                    FROM one
                    ARG N
                    RUN ["/bin/busybox", "sh", "-c", "echo $N > /own"]
                    COPY --from=one /made /again
                    """, to: "c/Dockerfile")
                let outcome = try Program.run(
                    ["/bin/sh", "-c", Self.besideScript, "sh", try Strata.binary()],
                    environment: ["STRATA_ROOT": strata.root], directory: strata.scratch)
                #expect(outcome.status == 0 && outcome.output == "" && outcome.errors == "", "\(outcome)")
                try strata("system", "check")
            }
        }

        private static let besideScript = """
            touch go
            while [ -e go ]; do "$1" system prune -af >/dev/null || echo "the prune failed"; done &
            pruner=$!
            workers=
            for n in 1 2 3 4; do
                for round in 1 2 3; do
                    "$1" build -q --build-arg N=$n$round -o type=local,dest=out$n c >/dev/null || echo "a build failed"
                    [ -e out$n/again ] && [ "$(cat out$n/own)" = $n$round ] || echo "a build is not whole"
                    rm -rf out$n
                done &
                workers="$workers $!"
            done
            for n in 1 2; do
                for round in 1 2 3; do "$1" load -q -i saved.tar >/dev/null || echo "a load failed"; done &
                workers="$workers $!"
            done
            wait $workers
            rm go
            wait $pruner
            """
    }
}
