import Linux
import Testing

extension EndToEnd {
    /// What the caller's umask and the place of the store have to do with what a container sees: nothing.
    @Suite(.serialized) struct Surroundings {
        @Test("The caller's umask reaches nothing that a container or a layer shows")
        func umask() throws {
            try Strata.test { strata in
                let archive = try Busybox.archive()
                let binary = try Strata.binary()
                func masked(_ arguments: String...) throws -> Outcome {
                    try Program.run(
                        ["/bin/sh", "-c", "umask 077; exec \"$@\"", "sh", binary] + arguments,
                        environment: ["STRATA_ROOT": strata.root], directory: strata.scratch, input: "")
                }
                // An archive that does not name its root leaves that directory's mode to us.
                try Program.shell(
                    "cd '\(strata.scratch)' && mkdir t && tar -xf '\(archive)' -C t && tar -C t -cf a.tar bin etc")
                #expect(try masked("import", "a.tar", "bb").status == 0)
                let reads = "cat /etc/resolv.conf /etc/hosts /etc/hostname >/dev/null && umask && stat -c %a / /etc"
                let run = try masked("run", "--rm", "-u", "1000", "bb", "sh", "-c", reads)
                #expect(run.lines == ["0022", "755", "755"], "\(run)")
                let place = strata.scratch + "/new/host"
                let volumes = try masked(
                    "run", "--rm", "-v", "\(place):/h", "-v", "named:/n", "bb", "stat", "-c", "%a", "/h", "/n")
                #expect(volumes.lines == ["755", "755"], "\(volumes)")
                try strata.write("FROM bb\nWORKDIR /w/x\nUSER 1000\nRUN \(reads)\n", to: "c/Dockerfile")
                let build = try masked("build", "--progress", "plain", "c")
                #expect(build.status == 0, "\(build)")
            }
        }

        @Test("A store works wherever it is", arguments: ["a b", "q\"x", "q'x", "c,d", "e:f", "b\\s", "p%20", "ö"])
        func oddPlaces(_ name: String) throws {
            try Strata.test { strata in
                try FileDescriptor.currentDirectory.makeDirectory("\(strata.scratch)/\(name)", mode: 0o755)
                try FileDescriptor.currentDirectory.makeSymbolicLink("\(strata.scratch)/link", to: name)
                let archive = try Busybox.archive()
                let context = try strata.directory("c")
                try strata.write(
                    "FROM bb\nRUN --mount=type=cache,target=/c touch /c/x /y\nRUN test -e /y\n", to: "c/Dockerfile")
                for root in ["\(strata.scratch)/\(name)/store", "\(strata.scratch)/link/store"] {
                    func expect(_ arguments: String...) throws {
                        let outcome = try strata.run(arguments, environment: ["STRATA_ROOT": root])
                        #expect(outcome.status == 0, "\(outcome)")
                    }
                    try expect("import", archive, "bb")
                    try expect("run", "--rm", "bb", "true")
                    try expect("build", context)
                    let place = try strata.directory("m")
                    try expect("mount", "bb", place)
                    try expect("umount", place)
                }
            }
        }
    }
}
