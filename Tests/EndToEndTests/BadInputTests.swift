import Glibc
import Linux
import Testing

extension EndToEnd {
    /// Each fault is told in one line, with a status other than zero, and leaves nothing.
    @Suite(.serialized) struct BadInput {
        /// Builds a Dockerfile that cannot be built; returns the complaint.
        private func brokenBuild(
            _ strata: Strata, _ text: String, location: SourceLocation = #_sourceLocation
        ) throws -> String {
            let file = try strata.write(text, to: "context/Dockerfile")
            let images = try strata("images", "-aq")
            let outcome = try strata.run(["build", "-t", "never", strata.scratch + "/context"])
            #expect(outcome.status == 1, "\(file): \(outcome)", sourceLocation: location)
            let complaints = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("strata: ") }
            #expect(complaints.count == 1, "\(outcome)", sourceLocation: location)
            #expect(try strata("images", "-aq") == images, sourceLocation: location)
            #expect(try strata("ps", "-aq") == "", sourceLocation: location)
            try strata.expectOrder(location: location)
            return complaints.first.map(String.init) ?? ""
        }

        @Test("Commands that only show make no store")
        func readingMakesNothing() throws {
            try Strata.test { strata in
                let calls = [
                    ["images"], ["ps", "-a"], ["history", "x"], ["inspect", "x"], ["image", "inspect", "x"], ["info"],
                    ["system", "df"], ["volume", "ls"], ["volume", "inspect", "xx"], ["mount"], ["logs", "x"],
                    ["diff", "x"], ["save", "x", "-o", "/dev/null"], ["export", "x", "-o", "/dev/null"],
                    ["system", "check"],
                ]
                for call in calls {
                    let outcome = try strata.run(call)
                    #expect(outcome.status != 0 && outcome.output == "", "\(call): \(outcome)")
                    #expect(outcome.errors.contains("there is no store in \(strata.root)"), "\(call): \(outcome)")
                    #expect(outcome.errors.split(separator: "\n").count == 1, "\(call): \(outcome)")
                }
                #expect(try Program.shell("ls -A '\(strata.scratch)'") == "")
                // The default store has just not been needed yet.
                let home = ["STRATA_ROOT": "", "HOME": strata.scratch, "XDG_DATA_HOME": ""]
                let user = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", try Strata.binary()]
                #expect(try Program.run(user + ["images"], environment: home).lines.count == 1)
                #expect(try Program.run(user + ["ps", "-aq"], environment: home).output == "")
                #expect(try Program.run(user + ["info"], environment: home).errors.contains("there is no store"))
            }
        }

        @Test("Who is not root hears that root is needed", arguments: ["import", "load"])
        func withoutRoot(_ command: String) throws {
            try Strata.testWithBusybox { strata in
                let archive = strata.scratch + "/a.tar"
                try strata("save", "-o", archive, "busybox")
                if command == "import" { try Program.shell("cp '\(try Busybox.archive())' '\(archive)'") }
                try Program.shell(
                    "cd '\(strata.scratch)'; chmod 755 .; chmod 644 '\(archive)'; mkdir own; chown 12345 own")
                let user = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", try Strata.binary()]
                let outcome = try Program.run(
                    user + ["--root", strata.scratch + "/own/store", command] + (command == "load" ? ["-i"] : [])
                        + [archive])
                #expect(outcome.status == 1 && outcome.errors.contains("root"), "\(outcome)")
                #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
            }
        }

        @Test(
            "A name that looks like an ID is no image's",
            arguments: ["sha256:abc", String(repeating: "a1", count: 32)])
        func namesLikeIDs(_ name: String) throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                try strata.write("FROM busybox\nRUN touch /made\n", to: "context/Dockerfile")
                try strata("create", "--name", "box", "busybox", "true")
                let calls = [
                    ["tag", "busybox", name], ["build", "-t", name, context], ["commit", "box", name],
                    ["import", "/dev/null", name],
                ]
                for call in calls {
                    let outcome = try strata.run(call)
                    #expect(outcome.status != 0 && outcome.errors.contains(name), "\(call): \(outcome)")
                    #expect(outcome.errors.split(separator: "\n").count == 1, "\(call): \(outcome)")
                }
                #expect(try strata("images", "--format", "{{.Repository}}") == "busybox")
            }
        }

        @Test func dockerfilesThatAreWrong() throws {
            try Strata.testWithBusybox { strata in
                let unknown = try brokenBuild(strata, "FROM busybox\n\nRUM echo\n")
                #expect(unknown.contains("Dockerfile:3") && unknown.contains("RUM"))
                let missing = try brokenBuild(strata, "FROM busybox\nCOPY nosuch /\n")
                #expect(missing.contains("Dockerfile:2") && missing.contains("nosuch"))
                let base = try brokenBuild(strata, "FROM nosuch:1\nRUN true\n")
                #expect(base.contains("nosuch:1"))
                let outside = try brokenBuild(strata, "FROM busybox\nCOPY ../../etc/passwd /\n")
                #expect(outside.contains("etc/passwd"))
                let stage = try brokenBuild(strata, "FROM busybox\nCOPY --from=nobody /a /b\n")
                #expect(stage.contains("nobody"))
                #expect(try brokenBuild(strata, "").contains("Dockerfile"))
            }
        }

        @Test func archivesThatAreBroken() throws {
            try Strata.test { strata in
                let archive = try Busybox.archive()
                try Program.shell(
                    "cd '\(strata.scratch)'; gzip -1 < '\(archive)' > whole.gz; head -c 100000 whole.gz > cut.tar.gz")
                let cut = try strata.failure(of: "import", "\(strata.scratch)/cut.tar.gz", "never", status: 1)
                #expect(!cut.isEmpty)
                try strata.write("this is no archive\n", to: "text")
                try strata.failure(of: "import", "\(strata.scratch)/text", status: 1)
                try strata.failure(of: "import", "\(strata.scratch)/nosuch.tar", status: 1)
                try strata.failure(of: "import", "-", status: 1, input: "")
                try strata.failure(of: "import", archive, "Not/A/Name:!", status: 1)
                try strata.failure(of: "import", "-c", "RUN true", archive, status: 1)
                #expect(try strata("images", "-aq") == "")
                #expect(try Program.shell("ls '\(strata.root)/layers' | wc -l") == "0\n")
                try strata.expectOrder()
            }
        }

        @Test func archivesThatReachOut() throws {
            try Strata.test { strata in
                try Program.shell(
                    """
                    cd '\(strata.scratch)'; mkdir tree; echo x > tree/f; ln -s / tree/link
                    tar -cf up.tar -P --transform 's,^tree/f,../../escaped,' tree/f
                    tar -cf through.tar -C tree link
                    tar -rf through.tar -P --transform 's,^tree/f,link/tmp/strata-e2e-escaped,' tree/f
                    """)
                for name in ["up", "through"] {
                    _ = try strata.run(["import", "\(strata.scratch)/\(name).tar", name])
                }
                #expect(try Program.run(["/bin/ls", "/tmp/strata-e2e-escaped"]).status == 2)
                #expect(
                    try Program.shell("find '\(strata.root)' '\(strata.scratch)' -name escaped -not -path '*/fs/*'")
                        == "")
                try strata.expectOrder()
            }
        }

        @Test func mountsThatCannotBe() throws {
            try Strata.testWithBusybox { strata in
                let file = try strata.write("", to: "file")
                let place = try strata.directory("place")
                try strata.failure(of: "mount", "busybox", "\(strata.scratch)/nosuch", status: 1)
                try strata.failure(of: "mount", "busybox", file, status: 1)
                try strata.failure(of: "mount", "nosuch", place, status: 1)
                try strata.failure(of: "mount", "busybox", status: 1)
                try strata.failure(of: "mount", "--rw", "busybox", file, status: 1)
                #expect(try strata("ps", "-aq") == "")
                #expect(try strata("mount", "--format", "x") == "")
            }
        }

        @Test func storesThatCannotBeOpened() throws {
            try Strata.test { strata in
                let file = try strata.write("", to: "file")
                let outcome = try strata.run(["--root", file, "images"])
                #expect(outcome.status == 1)
                #expect(outcome.errors.hasPrefix("strata: ") && outcome.errors.count { $0 == "\n" } == 1)
                try strata.write("this is no database, whatever its name says", to: "damaged/catalog.sqlite")
                let damaged = try strata.run(["images", "--root", "\(strata.scratch)/damaged"])
                #expect(damaged.status == 1)
                #expect(damaged.errors.hasPrefix("strata: ") && damaged.errors.count { $0 == "\n" } == 1)
            }
        }

        @Test func aFullDisk() throws {
            try Strata.test { strata in
                let small = try strata.directory("small")
                try Program.shell("mount -t tmpfs -o size=24m none '\(small)'")
                defer { try? Mount.unmount(small, flags: .detach) }
                let store = ["--root", "\(small)/store"]
                #expect(try strata.run(store + ["import", try Busybox.archive(), "busybox"]).status == 0)
                let big = "\(strata.scratch)/big.tar"
                try Program.shell(
                    "cd '\(strata.scratch)'; head -c 40000000 /dev/urandom > noise; tar -cf big.tar noise; rm noise")
                let imported = try strata.run(store + ["import", big, "big"])
                #expect(imported.status == 1 && imported.errors.contains("No space left on device"), "\(imported)")
                let context = try strata.directory("context")
                try Program.shell("tar -C '\(context)' -xf '\(big)'")
                for text in ["COPY noise /noise", "RUN dd if=/dev/zero of=/zeros bs=1M count=40"] {
                    let built = try strata.run(
                        store + ["build", "-t", "big", "-f", "-", context], input: "FROM busybox\n\(text)\n")
                    #expect(built.status == 1, "\(built)")
                    #expect(built.errors.contains("No space left on device"), "\(built)")
                }
                #expect(try strata.run(store + ["images", "--format", "{{.Repository}}"]).output == "busybox\n")
                #expect(try strata.run(store + ["ps", "-aq"]).output == "")
                #expect(
                    try Program.shell("ls '\(small)/store/tmp' '\(small)/store/containers' | grep -v :$ | wc -w")
                        == "0\n")
                #expect(try strata.run(store + ["run", "--rm", "busybox", "echo", "fine"]).output == "fine\n")
            }
        }
    }
}
