import Linux
import Testing

extension EndToEnd {
    /// What an image, a Dockerfile or a registry says is text to whoever reads it, and nothing else.
    @Suite(.serialized) struct HostileText {
        /// Clears the screen, sets the title, turns the direction of writing, and says it in C1 too.
        private static let evil = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}\u{9b}31m\u{8}\u{7f}"

        /// What may not be in text for people, nor raw in JSON.
        private static func acts(_ text: String) -> Bool {
            text.unicodeScalars.contains { VisibleText.acts($0) && $0 != "\n" && $0 != "\t" }
        }

        private func expectVisible(_ outcome: Outcome, location: SourceLocation = #_sourceLocation) {
            #expect(!Self.acts(outcome.output), "\(outcome.output.debugDescription)", sourceLocation: location)
            #expect(!Self.acts(outcome.errors), "\(outcome.errors.debugDescription)", sourceLocation: location)
        }

        /// Runs `strata` on a terminal of its own and returns what that shows.
        private func onTerminal(_ strata: Strata, _ arguments: String) throws -> String {
            try Program.shell(
                "export STRATA_ROOT='\(strata.root)' TERM=xterm; script -qec \"'\(try Strata.binary())' \(arguments)\" /dev/null"
            ).replacing("\r\n", with: "\n")
        }

        private func makeImage(_ strata: Strata) throws {
            let dockerfile = """
                FROM busybox
                LABEL evil="\(Self.evil)"
                ENV EVIL="\(Self.evil)"
                RUN true '\(Self.evil)'
                CMD ["echo", "\(Self.evil)", "line\\nfeed\\ttab"]
                """
            let built = try strata.run(["build", "-t", "evil", "--progress=plain", "-"], input: dockerfile)
            try #require(built.status == 0, "\(built)")
            expectVisible(built)
            #expect(built.errors.contains(#"RUN true '\u001b[2J\u001b]0;owned\u0007\u202e\u009b31m\u0008\u007f"#))
        }

        @Test func tablesAndJSON() throws {
            try Strata.testWithBusybox { strata in
                try makeImage(strata)
                try strata("create", "--name", "box", "-l", "own=\(Self.evil)", "evil")
                try strata("commit", "-a", Self.evil, "-m", "two\nlines\(Self.evil)", "box", "committed")
                let history = try strata.run(["history", "--no-trunc", "committed"])
                expectVisible(history)
                #expect(history.output.contains(#"two\nlines\u001b[2J"#))
                let listed = try strata.run(["ps", "-a", "--no-trunc"])
                expectVisible(listed)
                #expect(listed.output.split(separator: "\n").count == 2)
                for arguments in [
                    ["inspect", "committed", "box"], ["inspect", "-f", "{{json .Config.Labels}}", "box"],
                    ["history", "--no-trunc", "--format", "json", "committed"], ["images"], ["system", "df", "-v"],
                    ["history", "--no-trunc", "--format", "table {{.CreatedBy}}\\t{{.Comment}}", "committed"],
                ] {
                    let outcome = try strata.run(arguments)
                    #expect(outcome.status == 0, "\(outcome)")
                    expectVisible(outcome)
                }
                let table = try strata.run(["history", "--no-trunc", "--format", "table {{.Comment}}", "committed"])
                #expect(table.output.split(separator: "\n").count { $0.contains("lines") } == 1)
            }
        }

        @Test func templatesGiveCharactersToProgramsAndTextToTerminals() throws {
            try Strata.testWithBusybox { strata in
                try makeImage(strata)
                let template = "{{.Config.Labels.evil}}"
                let piped = try strata.run(["inspect", "-f", template, "evil"])
                #expect(piped.output == Self.evil + "\n")
                let shown = try onTerminal(strata, "inspect -f '\(template)' evil")
                #expect(!Self.acts(shown), "\(shown.debugDescription)")
                #expect(shown.contains(#"\u001b[2J"#))
                let history = try onTerminal(strata, "history --no-trunc --format '{{.CreatedBy}}' evil")
                #expect(!Self.acts(history), "\(history.debugDescription)")
                // What a container prints is its own affair, as with Docker.
                let run = try strata.run(["run", "--rm", "busybox", "printf", #"\033[1mbold"#])
                #expect(run.output == "\u{1b}[1mbold")
            }
        }

        @Test func outputOfCommandsInBuilds() throws {
            try Strata.testWithBusybox { strata in
                let dockerfile = #"""
                    FROM busybox
                    RUN printf 'one\033[2J\033[31mred\007 \342\200\256 \302\2331m \377 tab\there\r\nhalf\rwhole\n'; exit 3
                    """#
                let built = try strata.run(["build", "--progress=plain", "-"], input: dockerfile)
                #expect(built.status == 3)
                expectVisible(built)
                let line = #"one\u001b[2J\u001b[31mred\u0007 \u202e \u009b1m \xff tab"# + "\there\n"
                #expect(built.errors.contains(line), "\(built.errors)")
                #expect(built.errors.contains(" whole\n") && !built.errors.contains(" half"))
                // On a terminal colours stay, and end with their line; nothing else does.
                try strata.write(dockerfile, to: "context/Dockerfile")
                let shown = try onTerminal(
                    strata, "build --no-cache --progress=plain '\(strata.scratch)/context' || true")
                #expect(shown.contains("one\\u001b[2J\u{1b}[31mred\\u0007"), "\(shown.debugDescription)")
                #expect(!shown.contains("\u{1b}[2J") && !shown.contains("\u{202e}"))
                let live = try onTerminal(strata, "build --no-cache '\(strata.scratch)/context' || true")
                #expect(!live.contains("\u{1b}[2J") && !live.contains("\u{202e}") && !live.contains("\u{9b}"))
            }
        }

        @Test func namesOfFiles() throws {
            try Strata.testWithBusybox { strata in
                try strata(
                    "run", "--name", "box", "busybox", "sh", "-c",
                    #"mkdir "/$(printf 'd\nA forged')"; : > "/$(printf 'e\033[2J')""#)
                let changes = try strata.run(["diff", "box"])
                expectVisible(changes)
                #expect(changes.output.contains("A /d\\nA forged\n"), "\(changes.output)")
                #expect(changes.output.contains("A /e\\u001b[2J\n"))
                let place = try strata.directory("place\u{1b}[2J\nforged")
                try strata("mount", "busybox", place)
                let mounts = try strata.run(["mount"])
                expectVisible(mounts)
                #expect(mounts.output.split(separator: "\n").count == 2, "\(mounts.output)")
                try strata("umount", place)
            }
        }

        @Test func errorsAreOneVisibleLine() throws {
            try Strata.testWithBusybox { strata in
                for text in [
                    "RUN\(Self.evil) x", "COPY no\u{7}\u{202e}such /", "FROM no\(Self.evil)", "COPY a\u{85}b /",
                ] {
                    let context = try strata.directory("context")
                    try strata.write("FROM busybox\n\(text)\n", to: "context/Dockerfile")
                    let outcome = try strata.run(["build", "--progress=plain", context])
                    #expect(outcome.status == 1)
                    expectVisible(outcome)
                    #expect(outcome.errors.split(separator: "\n").count { $0.hasPrefix("strata: ") } == 1)
                }
                for arguments in [
                    ["inspect", Self.evil], ["run", "--rm", "busybox", "no\nsuch\(Self.evil)"], [Self.evil],
                    ["import", "/no\nsuch\(Self.evil)"],
                    ["run", "-h", "a\n10.0.0.1 evil", "busybox"], ["images", "--format", "{{.\(Self.evil)}}"],
                    ["create", "--name", "a\nb", "busybox"], ["images", "--filter", "a\nstrata: b=\(Self.evil)"],
                ] {
                    let outcome = try strata.run(arguments)
                    #expect(outcome.status != 0, "\(arguments)")
                    expectVisible(outcome)
                    #expect(outcome.errors.count { $0 == "\n" } == 1, "\(arguments): \(outcome.errors)")
                }
                #expect(try strata("ps", "-aq") == "")
            }
        }

        @Test func answersOfRegistries() throws {
            try Strata.test { strata in
                let script = try strata.write(
                    #"""
                    import http.server, sys
                    class Handler(http.server.BaseHTTPRequestHandler):
                        def do_GET(self):
                            body = b'{"errors":[{"code":"UNKNOWN","message":"a\\u001b[2J\\u202e\\nstrata: forged \xc2\x9b1m"}]}'
                            self.send_response(200 if self.path == '/v2/' else 400); self.send_header('Content-Type', 'application/json')
                            self.send_header('Content-Length', str(len(body))); self.end_headers(); self.wfile.write(body)
                        def log_message(self, *arguments): pass
                    server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
                    print(server.server_port, flush=True)
                    server.serve_forever()
                    """#, to: "server.py")
                let output = try Program.shell(
                    """
                    exec 3< <(exec python3 '\(script)'); server=$!; trap "kill $server" EXIT; read -r port <&3
                    export STRATA_ROOT='\(strata.root)'
                    '\(try Strata.binary())' pull --tls-verify=false localhost:$port/image:tag 2>&1 || echo "status $?"
                    """)
                #expect(output.contains("status 1\n"), "\(output.debugDescription)")
                #expect(!Self.acts(output), "\(output.debugDescription)")
                #expect(output.split(separator: "\n").count { $0.hasPrefix("strata: ") } == 1, "\(output)")
                #expect(output.contains(#"a\u001b[2J\u202e\nstrata: forged"#), "\(output)")
            }
        }
    }
}
