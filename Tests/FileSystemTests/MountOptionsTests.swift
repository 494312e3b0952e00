import Glibc
import Linux
import Testing

/// The command line of the mount helper: what it accepts.
@Suite struct MountOptionsTests {
    @Test("the helper returns when the mount is ready, and its process ends with the mount")
    func daemon() throws {
        try withBench { bench in
            try expectMount(bench, try bench.helper("-o", bench.stack, bench.target)) { area throws in
                #expect(try bench.serverRuns())
                #expect(try area.text("f") == "lower")
                try area.append("f", "!")
            }
            #expect(try Area.with(bench.path("upper")) { try $0.text("f") } == "lower!")
        }
    }

    @Test("options as container engines and mount(8) give them")
    func engineOptions() throws {
        try withBench { bench in
            let options = bench.stack + ",rw,dev,suid,fsname=test-name"
            try expectMount(bench, try bench.helper("-o", options, bench.target)) { area throws in
                #expect(bench.mountedWith.contains("test-name"))
                #expect(!bench.mountedWith.contains("nosuid") && !bench.mountedWith.contains("nodev"))
                try area.root.makeNode("null", mode: S_IFCHR | 0o666, device: DeviceNumber(major: 1, minor: 3).rawValue)
                #expect(try area.text("null") == "")
            }
        }
        try withBench { bench in
            try expectMount(bench, try bench.helper("source", bench.target, "-o", bench.stack + ",nodev,nosuid,noexec"))
            { _ in
                for option in ["nosuid", "nodev", "noexec"] { #expect(bench.mountedWith.contains(option)) }
            }
        }
        try withBench { bench in
            let parts = bench.stack.split(separator: ",").map(String.init)
            let finished = try bench.helper("-o", parts[0], "-o", parts[1], "-o", parts[2], bench.target)
            try expectMount(bench, finished) { area throws in #expect(try area.text("f") == "lower") }
        }
    }

    @Test("whom a mount of root's lets in", arguments: [("", true), (",noallow_other", false)])
    func others(_ option: String, mayEnter: Bool) throws {
        try withBench { bench in
            try expectMount(bench, try bench.helper("-o", bench.stack + option, bench.target)) { area throws in
                #expect(bench.mountedWith.split(separator: ",").contains("allow_other") == mayEnter)
                #expect(try area.text("f") == "lower")
            }
        }
    }

    @Test("paths relative to the working directory")
    func relativePaths() throws {
        try withBench { bench in
            let finished = try bench.helper("-o", "lowerdir=lower,upperdir=upper,workdir=work", "merged")
            #expect(finished.status == 0, "\(finished.output)")
            #expect(try Area.with(bench.target) { try $0.text("f") } == "lower")
            try Area.with(bench.target) { try $0.append("f", "!") }
            try bench.unmount()
        }
    }

    @Test("set-user-id programs keep their right, others do not lose theirs")
    func setUserID() throws {
        try withBench { bench in
            try Area.with(bench.scratch) { area in
                let program = try FileDescriptor.open("/usr/bin/id").readAll()
                try area.file("lower/id", "")
                try area.open("lower/id", .writeOnly).writeAll(program)
                try area.setMode("lower/id", 0o4755)
                try area.setMode("lower", 0o755)
            }
            try expectMount(bench, try bench.helper("-o", bench.stack, bench.target)) { area throws in
                let finished = try runProgram([
                    "setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", area.path.appending("id"), "-u",
                ])
                #expect(finished.output == "0\n")
            }
        }
    }

    @Test(
        "access times stay where the option says so",
        arguments: [("", true, true), (",noatime", false, false), (",nodiratime", true, false)])
    func accessTimes(options: String, filesMove: Bool, directoriesMove: Bool) throws {
        try withBench { bench in
            let old = TimeSpec(seconds: 1_000_000_000)
            try Area.with(bench.scratch) { area in
                let program = try FileDescriptor.open("/bin/true").readAll()
                for name in ["lower/program", "upper/program"] {
                    try area.file(name, "", mode: 0o755)
                    try area.open(name, .writeOnly).writeAll(program)
                }
                try area.rename("upper/program", "upper/mine")
                for name in ["upper/d", "lower/e"] { try area.directory(name) }
                for name in ["upper/d/f", "lower/e/f"] { try area.file(name) }
                for name in ["lower/program", "upper/mine", "lower/f", "upper/d", "upper/d/f", "lower/e", "lower/e/f"] {
                    try area.root.setTimes(of: name, access: old, modification: old)
                }
            }
            func moved(_ area: Area, _ name: String) throws -> Bool { try area.status(name).accessTime != old }
            try expectMount(bench, try bench.helper("-o", bench.stack + options, bench.target)) { area throws in
                for name in ["program", "mine"] {
                    #expect(try runProgram([area.path.appending(name)]).status == 0)
                }
                for name in ["f", "d/f", "e/f"] { _ = try area.text(name) }
                for name in ["d", "e"] { _ = try area.names(name) }
                for name in ["program", "f", "e", "e/f"] { #expect(try !moved(area, name), "\(name)") }
                #expect(try moved(area, "d/f") == filesMove)
                #expect(try moved(area, "mine") == filesMove)
                #expect(try moved(area, "d") == directoriesMove)
            }
        }
    }

    @Test("-f stays in the foreground until the unmount")
    func foreground() throws {
        try withUnion(layers: [{ try $0.file("f", "text") }]) { union throws in
            #expect(try Area.with(union.target) { try $0.text("f") } == "text")
        }
    }

    @Test("without an upper directory the mount is read-only")
    func readOnly() throws {
        try withUnion(
            writable: false,
            layers: [
                {
                    try $0.file("f", "text")
                    try $0.directory("d")
                }, { try $0.file("g") },
            ]
        ) { union in
            try Area.with(union.target) { area throws in
                #expect(try area.names() == ["d", "f", "g"])
                #expect(try area.text("f") == "text")
                expectError(.EROFS) { try area.append("f", "!") }
                expectError(.EROFS) { _ = try area.open("new", [.writeOnly, .create]) }
                expectError(.EROFS) { try area.directory("new") }
                expectError(.EROFS) { try area.remove("f") }
                expectError(.EROFS) { try area.removeDirectory("d") }
                expectError(.EROFS) { try area.rename("f", "h") }
                expectError(.EROFS) { try area.setMode("f", 0o600) }
                expectError(.EROFS) { try area.setOwner("f", uid: 1, gid: 1) }
                expectError(.EROFS) { try area.link("h", to: "f") }
                expectError(.EROFS) { try area.symlink("h", to: "f") }
                expectError(.EROFS) { try truncateFile(area.path.appending("f"), to: 0) }
                expectError(.EROFS) { try area.root.setAttribute("user.a", of: "f", [1]) }
                expectError(.EROFS) { try area.root.setTimes(of: "f", access: .now, modification: .now) }
            }
        }
    }

    @Test("`ro` makes a mount with an upper directory read-only")
    func readOnlyOption() throws {
        try withUnion(options: ["ro"], layers: [{ try $0.file("f") }]) { union throws in
            try Area.with(union.target) { area throws in
                expectError(.EROFS) { try area.append("f", "!") }
                expectError(.EROFS) { _ = try area.open("new", [.writeOnly, .create]) }
            }
        }
    }

    @Test("200 lower directories")
    func manyLayers() throws {
        let count = 200
        let layers: [(Area) throws -> Void] = (0..<count).map { number in
            { area in
                try area.directory("d")
                try area.file("d/f\(number)", "\(number)")
                try area.file("d/same", "\(number)")
                if number > 0 { try area.whiteout("d/f\(number - 1)") }
            }
        }
        try withUnion(layers: layers) { union throws in
            try Area.with(union.target) { area throws in
                #expect(try area.names("d") == ["f\(count - 1)", "same"])
                #expect(try area.text("d/same") == "\(count - 1)")
                try area.append("d/same", "!")
                #expect(try area.text("d/same") == "\(count - 1)!")
                try area.root.removeTree("d")
                #expect(try area.names() == [])
            }
            try union.remount()
            #expect(try Area.with(union.target) { try $0.names() } == [])
        }
    }

    @Test("colons and backslashes in paths are escaped with a backslash", arguments: ["a:b", "a\\b", "a b", "ü"])
    func oddPaths(name: String) throws {
        try withBench { bench in
            let escaped = name.flatMap { $0 == ":" || $0 == "\\" ? "\\\($0)" : "\($0)" }
            try makeDirectory(bench.path(name))
            try Area.with(bench.path(name)) { try $0.file("odd", name) }
            let lower = bench.scratch.appending(String(escaped)) + ":" + bench.path("lower")
            let options = "lowerdir=\(lower),upperdir=\(bench.path("upper")),workdir=\(bench.path("work"))"
            try expectMount(bench, try bench.helper("-o", options, bench.target)) { area throws in
                #expect(try area.text("odd") == name)
                #expect(try area.names() == ["f", "odd"])
            }
        }
    }

    @Test("whiteouts and opaque directories of lower layers count, as the kernel's overlay reads them")
    func kernelFormat() throws {
        try withUnion(layers: [
            {
                for name in ["merged", "opaque", "gone", "file-then-directory"] where name != "file-then-directory" {
                    try $0.directory(name)
                    try $0.file(name + "/low", "low")
                }
                try $0.file("file-then-directory", "a file")
                try $0.file("hidden")
            },
            {
                try $0.directory("merged")
                try $0.file("merged/high")
                try $0.directory("opaque")
                try $0.markOpaque("opaque")
                try $0.file("opaque/high")
                try $0.whiteout("gone")
                try $0.whiteout("hidden")
                try $0.directory("file-then-directory")
                try $0.whiteout("whiteout-of-nothing")
            },
        ]) { union in
            try Area.with(union.target) { area throws in
                #expect(try area.names() == ["file-then-directory", "merged", "opaque"])
                #expect(try area.names("merged") == ["high", "low"])
                #expect(try area.names("opaque") == ["high"])
                #expect(try area.names("file-then-directory") == [])
                expectError(.ENOENT) { _ = try area.open("opaque/low") }
                try area.directory("gone")
                #expect(try area.names("gone") == [])
            }
        }
    }

    @Test("--help and --version")
    func help() throws {
        for flag in ["--help", "-h"] {
            let help = try runProgram([try MountHelper.path(), flag])
            #expect(help.status == 0 && help.output.contains("lowerdir="))
        }
        for flag in ["--version", "-V"] {
            let version = try runProgram([try MountHelper.path(), flag])
            #expect(version.status == 0 && version.output.contains { $0.isNumber })
        }
    }

    @Test("the server does not keep the caller's output open")
    func closesOutput() throws {
        try withBench { bench in
            // The shell's command substitution waits for everyone who holds its pipe.
            let helper = try MountHelper.path()
            let finished = try runProgram(
                ["sh", "-c", "out=$(\(helper) -o '\(bench.stack)' '\(bench.target)' 2>&1); echo \"status $? $out\""],
                seconds: 10)
            try expectMountOutput(bench, finished)
        }
    }

    private func expectMountOutput(_ bench: HelperBench, _ finished: FinishedProgram) throws {
        #expect(finished.output == "status 0 \n")
        if bench.isMounted { try bench.unmount() }
    }
}
