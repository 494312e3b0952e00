import Glibc
import Linux
import Testing

/// The command line of the mount helper: how it refuses. One line with the reason, a status, and nothing left behind.
@Suite struct MountRefusalTests {
    @Test("no lower directory")
    func noLower() throws {
        try withBench { bench in
            let finished = try bench.helper(
                "-o", "upperdir=\(bench.path("upper")),workdir=\(bench.path("work"))", bench.target)
            try expectRefusal(bench, finished, saying: "lowerdir")
            try expectRefusal(bench, try bench.helper(bench.target), saying: "lowerdir")
        }
    }

    @Test("directories that do not exist, or are none", arguments: ["lower", "upper", "work"])
    func missing(name: String) throws {
        try withBench { bench in
            try FileDescriptor.currentDirectory.removeTree(bench.path(name))
            let finished = try bench.helper("-o", bench.stack, bench.target)
            try expectRefusal(bench, finished, saying: bench.path(name), "No such file or directory")
            try Area.with(bench.scratch) { try $0.file(name) }
            try expectRefusal(
                bench, try bench.helper("-o", bench.stack, bench.target), saying: bench.path(name), "Not a directory")
        }
    }

    @Test("an upper directory without a work directory, and the other way round")
    func halfWritable() throws {
        try withBench { bench in
            let lower = "lowerdir=\(bench.path("lower"))"
            try expectRefusal(
                bench, try bench.helper("-o", lower + ",upperdir=\(bench.path("upper"))", bench.target),
                saying: "workdir")
        }
    }

    @Test("a work directory on another file system than the upper")
    func otherDevice() throws {
        try withBench { bench in
            try Mount.mount(source: "tmpfs", target: bench.path("work"), type: "tmpfs")
            defer { try? Mount.unmount(bench.path("work"), flags: [.detach, .noFollow]) }
            let finished = try bench.helper("-o", bench.stack, bench.target)
            try expectRefusal(bench, finished, saying: bench.path("work"))
        }
    }

    @Test("unknown options and flags are named", arguments: ["nonsense", "nonsense=1", "lowerdirs=/"])
    func unknownOption(option: String) throws {
        try withBench { bench in
            let name = String(option.prefix { $0 != "=" })
            try expectRefusal(bench, try bench.helper("-o", bench.stack + "," + option, bench.target), saying: name)
        }
    }

    @Test("an unknown flag is named")
    func unknownFlag() throws {
        try withBench { bench in
            let finished = try bench.helper("--nonsense", "-o", bench.stack, bench.target)
            #expect(finished.status != 0 && finished.output.contains("--nonsense"))
            #expect(!bench.isMounted)
        }
    }

    @Test("a mount point that does not exist, or is a file")
    func badMountPoint() throws {
        try withBench { bench in
            let absent = bench.path("absent")
            let finished = try bench.helper("-o", bench.stack, absent)
            try expectRefusal(bench, finished, saying: absent, "No such file or directory")
            try Area.with(bench.scratch) { try $0.file("file") }
            try expectRefusal(
                bench, try bench.helper("-o", bench.stack, bench.path("file")), saying: bench.path("file"))
            let none = try bench.helper("-o", bench.stack)
            #expect(none.status != 0 && none.output != "")
        }
    }

    @Test("an upper directory in another union", arguments: [MountedUnion.Server.strata, .kernel])
    func upperInUnion(server: MountedUnion.Server) throws {
        try withUnion(server, layers: [{ _ in }]) { union in
            let outer = union.target
            try withBench { bench in
                for name in ["upper", "work"] { try makeDirectory(outer.appending(name)) }
                let stack = "lowerdir=\(bench.path("lower")),upperdir=\(outer)/upper,workdir=\(outer)/work"
                let finished = try bench.helper("-o", stack, bench.target)
                try expectRefusal(bench, finished, saying: "upperdir \(outer)/upper", "whiteouts")
            }
        }
    }
}
