import Glibc
import Linux
import TestSupport
import Testing

extension EndToEnd {
    /// A limit of the machine is one line that says which it is, and the next command finds everything in order.
    @Suite(.serialized) struct LimitTests {
        /// An image of many layers, as an archive.
        private func manyLayers(_ strata: Strata) throws -> String {
            let lines = (1...30).map { "COPY file /file\($0)\n" }.joined()
            try strata.write("FROM busybox\n\(lines)RUN echo x > /y\n", to: "context/Dockerfile")
            try strata.write("x", to: "context/file")
            try strata("build", "-q", "-t", "many", strata.scratch + "/context")
            let archive = strata.scratch + "/many.tar"
            try strata("save", "-o", archive, "many")
            return archive
        }

        /// Runs `strata` under prlimit(1), or another program; it works, or says in one line what to raise.
        private func expectWorkOrLine(
            _ strata: Strata, _ limiter: [String], _ arguments: [String], naming limit: String,
            location: SourceLocation = #_sourceLocation
        ) throws {
            let outcome = try Program.run(
                limiter + [try Strata.binary()] + arguments, environment: ["STRATA_ROOT": strata.root])
            if outcome.status == 0 { return }
            let call = "\(limiter) \(arguments): \(outcome)"
            let complaints = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("strata: ") }
            #expect(complaints.count == 1 && (1...127).contains(outcome.status), "\(call)", sourceLocation: location)
            #expect(complaints.first?.contains(limit) == true, "\(call)", sourceLocation: location)
        }

        @Test(arguments: [12, 14, 16, 18, 20, 24, 28, 32, 40, 48, 64, 128])
        func fewDescriptors(_ count: Int) throws {
            try Strata.testWithBusybox { strata in
                let archive = try manyLayers(strata)
                let limiter = ["prlimit", "--nofile=\(count):\(count)"]
                for arguments in [
                    ["import", try Busybox.archive(), "imported"], ["load", "-i", archive], ["system", "df", "-v"],
                    ["system", "check"], ["build", "-q", "--no-cache", strata.scratch + "/context"],
                    ["run", "--rm", "many", "true"], ["create", "many"], ["images"],
                    ["save", "-o", archive + "2", "many"],
                    ["image", "prune", "-f"],
                ] {
                    try expectWorkOrLine(strata, limiter, arguments, naming: "ulimit -n")
                }
                #expect(try strata("run", "--rm", "many", "cat", "/y") == "x")
                #expect(try strata("system", "check").hasSuffix("no faults."))
                try strata.expectOrder()
            }
        }

        @Test func fewDescriptorsForTransfers() throws {
            try DebianRegistry.test { registry in
                try Strata.testWithBusybox { strata in
                    _ = try manyLayers(strata)
                    let name = "\(registry.domain)/many:1"
                    try strata("tag", "many", name)
                    try strata("push", "-q", "--tls-verify=false", name)
                    try strata("rmi", "-f", "many", name)
                    try strata("system", "prune", "-af")
                    for count in [12, 16, 20, 24, 28, 32, 40, 48, 64, 128] {
                        let limiter = ["prlimit", "--nofile=\(count):\(count)"]
                        try expectWorkOrLine(
                            strata, limiter, ["pull", "-q", "--tls-verify=false", name], naming: "ulimit -n")
                        try expectWorkOrLine(
                            strata, limiter, ["push", "-q", "--tls-verify=false", name], naming: "")
                    }
                    try strata("pull", "-q", "--tls-verify=false", name)
                    #expect(try strata("run", "--rm", name, "cat", "/y") == "x")
                    #expect(try strata("system", "check").hasSuffix("no faults."))
                    try strata.expectOrder()
                }
            }
        }

        /// Runs `body` with the path of a control group that limits processes and threads.
        private func withProcessLimit(_ body: (String) throws -> Void) throws {
            let group = try Program.shell(
                """
                root=/sys/fs/cgroup; [ -d $root/pids ] && root=$root/pids
                [ -f $root/cgroup.controllers ] && echo +pids > $root/cgroup.subtree_control
                mktemp -d $root/strata-test-XXXXXX
                """
            ).filter { !$0.isNewline }
            defer {
                _ = try? Program.shell("for i in $(seq 100); do rmdir '\(group)' && exit; sleep 0.1; done; exit 1")
            }
            try body(group)
        }

        private static let inGroup = "echo $$ > \"$0/cgroup.procs\"; echo \"$1\" > \"$0/pids.max\"; shift; exec \"$@\""

        @Test func fewThreads() throws {
            try Strata.testWithBusybox { strata in
                let archive = try manyLayers(strata)
                try withProcessLimit { group in
                    for count in [1, 2, 3, 4, 5, 6, 8, 12] {
                        let limiter = ["/bin/bash", "-c", Self.inGroup, group, "\(count)"]
                        for arguments in [
                            ["import", try Busybox.archive(), "imported"], ["load", "-i", archive], ["system", "df"],
                            ["system", "check"], ["build", "-q", "--no-cache", strata.scratch + "/context"],
                            ["pull", "-q", "localhost:1/nothing"], ["run", "--rm", "many", "true"], ["images"],
                        ] {
                            let limit = arguments[0] == "pull" && count >= 12 ? "localhost:1" : "pids.max"
                            try expectWorkOrLine(strata, limiter, arguments, naming: limit)
                        }
                    }
                }
                #expect(try strata("system", "check").hasSuffix("no faults."))
                try strata.expectOrder()
            }
        }

        /// Runs `body` with an ext4 of its own mounted on a directory.
        private func withExt4(_ strata: Strata, _ body: (String) throws -> Void) throws {
            let place = try strata.directory("ext4")
            try Program.shell(
                """
                cd '\(strata.scratch)'; truncate -s 256M disk.img; mkfs.ext4 -q -F -b 4096 -I 256 disk.img
                mount -o loop disk.img '\(place)'
                """)
            defer { try? Mount.unmount(place, flags: .detach) }
            try body(place)
        }

        @Test func whatAFileSystemDoesNotTake() throws {
            try Strata.test { strata in
                try withExt4(strata) { place in
                    let archive = strata.scratch + "/hostile.tar"
                    func failure(_ entries: String) throws -> String {
                        try Program.shell(
                            """
                            python3 - '\(archive)' <<'END'
                            import tarfile, io, sys
                            t = tarfile.open(sys.argv[1], 'w', format=tarfile.PAX_FORMAT)
                            def add(name, data=b'', **more):
                                i = tarfile.TarInfo(name); i.size = len(data)
                                for key, value in more.items(): setattr(i, key, value)
                                t.addfile(i, io.BytesIO(data))
                            def attributed(name, type=tarfile.REGTYPE, **sizes):
                                add(name, type=type, pax_headers={'SCHILY.xattr.user.' + k: 'v' * n for k, n in sizes.items()})
                            \(entries)
                            t.close()
                            END
                            """)
                        let outcome = try strata.run(["--root", place + "/store", "import", archive])
                        #expect(outcome.status == 1, "\(entries): \(outcome)")
                        #expect(outcome.errors.count { $0 == "\n" } == 1, "\(outcome)")
                        #expect(
                            try Program.shell("ls '\(place)/store/tmp' '\(place)/store/layers' | grep -v :$ | wc -w")
                                == "0\n")
                        #expect(try strata.run(["--root", place + "/store", "images", "-aq"]).output == "")
                        return outcome.errors
                    }
                    for type in ["tarfile.REGTYPE", "tarfile.DIRTYPE"] {
                        let single = try failure("attributed('f', \(type), big=5000)")
                        #expect(single.contains("attribute user.big of 5000 bytes does not fit"), "\(single)")
                        #expect(single.contains("unpack f") && !single.contains("No space"), "\(single)")
                    }
                    let several = try failure("attributed('f', a=3000, b=3001)")
                    #expect(several.contains("user.b of 3001 bytes, of 6001 bytes in 2 attributes,"), "\(several)")
                    #expect(try failure("attributed('f', big=70000)").contains("user.big of 70000 bytes does not fit"))
                    #expect(try failure("add('n' * 256)").contains("255 bytes"))
                    #expect(try failure("add('l', type=tarfile.SYMTYPE, linkname='x' * 5000)").contains("4095 bytes"))
                    let links = try failure(
                        "add('f')\nfor n in range(65001): add('l%d' % n, type=tarfile.LNKTYPE, linkname='f')")
                    #expect(links.contains("Too many links") && links.contains("names of one file"), "\(links)")
                    let huge = try failure(
                        "add('f', pax_headers={'GNU.sparse.map': '0,0', 'GNU.sparse.size': str(17 << 40)})")
                    #expect(huge.contains("File too large") && huge.contains("ulimit -f"), "\(huge)")
                    // A disk that is full is still called so.
                    let full = try failure("attributed('f', big=100); add('noise', bytes(range(256)) * (1 << 21))")
                    #expect(full.contains("No space left on device"), "\(full)")
                    try Program.shell(
                        """
                        mkdir '\(strata.scratch)/context'; mount -t tmpfs none '\(strata.scratch)/context'
                        cd '\(strata.scratch)/context'; touch file; setfattr -n user.big -v "$(head -c 5000 /dev/zero | tr '\\0' v)" file
                        printf 'FROM scratch\\nCOPY file /copied\\n' > Dockerfile
                        """)
                    defer { try? Mount.unmount(strata.scratch + "/context", flags: .detach) }
                    let built = try strata.run(["--root", place + "/store", "build", strata.scratch + "/context"])
                    #expect(built.status == 1)
                    #expect(
                        built.errors.contains(
                            "copy to /copied: the extended attribute user.big of 5000 bytes does not fit"),
                        "\(built)")
                }
            }
        }

        @Test func filesThatMayNotGrow() throws {
            try Strata.testWithBusybox { strata in
                try Program.shell(
                    "head -c 8000000 /dev/zero > '\(strata.scratch)/zeros'; tar -C '\(strata.scratch)' -cf '\(strata.scratch)/zeros.tar' zeros"
                )
                let limiter = ["prlimit", "--fsize=1000000:1000000"]
                for arguments in [
                    ["import", strata.scratch + "/zeros.tar"], ["save", "-o", strata.scratch + "/x", "busybox"],
                ] {
                    try expectWorkOrLine(strata, limiter, arguments, naming: "ulimit -f")
                }
                #expect(try strata("images", "-aq").split(separator: "\n").count == 1)
                try strata.expectOrder()
            }
        }

        /// The mount server beside the program under test, or `STRATA_FUSE`.
        private func server() throws -> String {
            if let path = getenv("STRATA_FUSE") { return String(cString: path) }
            return try Strata.binary() + "-fuse"
        }

        @Test func aMountServerWithoutDescriptorsGoesOn() throws {
            try Strata.test { strata in
                let output = try Program.shell(
                    """
                    cd '\(strata.scratch)'; mkdir lower upper work merged; for i in $(seq 200); do echo $i > lower/$i; done
                    prlimit --nofile=40:40 '\(try server())' merged -o lowerdir=lower,upperdir=upper,workdir=work,passthrough=off
                    trap 'umount -l merged' EXIT
                    refused=0; files=()
                    for i in $(seq 100); do { exec {file}<merged/$i; } 2>message && files+=($file) || refused=$((refused + 1)); done
                    echo "refused $refused"; cat message
                    ls merged > list 2>message || cat message
                    for file in ${files[@]}; do exec {file}<&-; done
                    for i in $(seq 200); do [ "$(cat merged/$i)" = $i ] || echo "wrong $i"; done
                    echo new > merged/new; cat merged/new
                    """)
                #expect(output.contains("Too many open files in system"), "\(output)")
                #expect(
                    !output.contains("refused 0\n") && !output.contains("wrong") && output.hasSuffix("new\n"),
                    "\(output)")
            }
        }

        @Test func aMountServerWithoutThreadsGoesOnOrLeavesNoMount() throws {
            try Strata.test { strata in
                try withProcessLimit { group in
                    for count in [1, 2, 3, 4, 5] {
                        let output = try Program.shell(
                            """
                            cd '\(strata.scratch)'; rm -rf t; mkdir t; cd t; mkdir lower upper work merged; echo x > lower/file
                            if bash -c '\(Self.inGroup)' '\(group)' \(count) '\(try server())' merged \\
                                -o lowerdir=lower,upperdir=upper,workdir=work 2>message
                            then
                                trap 'umount -l merged' EXIT
                                for i in $(seq 40); do (cat merged/file; echo $i > merged/new$i) & done > /dev/null; wait
                                cat merged/file; ls merged | wc -l
                            else
                                wc -l < message; cat message; ls merged
                            fi
                            """)
                        let isServed = output == "x\n41\n"
                        #expect(isServed || output.hasPrefix("1\nstrata-fuse: "), "\(count): \(output)")
                        #expect(try strata.mountPoints() == [])
                        try waitUntil(seconds: 10) { try strata.processes().isEmpty }
                    }
                }
            }
        }
    }
}
