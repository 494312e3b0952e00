import Glibc
import Linux
import Testing

/// The upper and the work directory: who may use them, what is found in them, and what marks them.
@Suite struct WorkDirectoryTests {
    @Test("what a crash left in the work directory is gone after the next mount")
    func leftovers() throws {
        try withBench { bench throws in
            try Area.with(bench.path("work")) { area throws in
                try area.directory("work")
                try area.file("work/#1")
                try area.directory("work/#2")
                for depth in 1...20 {
                    let path = "work/#2" + (1...depth).map { "/\($0)" }.joined()
                    try area.directory(path)
                    try area.file(path + "/file", mode: 0)
                }
                try area.symlink("work/#3", to: "/etc/passwd")
                try area.root.makeNode("work/#4", mode: S_IFIFO | 0o600)
                try area.whiteout("work/whiteout")
                try area.directory("work/locked")
                try area.directory("work/locked/inner")
                try area.setMode("work/locked/inner", 0)
                try area.setMode("work/locked", 0)
                // The mode that the kernel's overlay gives it.
                try area.setMode("work", 0)
            }
            try expectMount(bench, try bench.helper("-o", bench.stack, bench.target)) { merged throws in
                try merged.remove("f")
                #expect(try Area.with(bench.path("work")) { try $0.names("work") } == ["whiteout"])
            }
            // And what we leave is nothing that the kernel's overlay would mind.
            try Mount.mount(source: "overlay", target: bench.target, type: "overlay", options: bench.stack)
            defer { try? bench.unmount() }
            #expect(try Area.with(bench.target) { try $0.names() } == [])
        }
    }

    // Each refusal takes the three seconds that a server on its way out is given.
    @Test("a second mount of an upper or a work directory is refused, by whatever path", arguments: [false, true])
    func inUse(asWork: Bool) throws {
        try withUnion(layers: [{ try $0.file("f") }]) { union throws in
            try withScratch { scratch throws in
                let upper = try #require(union.upper)
                for name in ["merged", "other"] { try makeDirectory(scratch.appending(name)) }
                let (link, other) = (scratch.appending("link"), scratch.appending("other"))
                try FileDescriptor.currentDirectory.makeSymbolicLink(link, to: upper)
                let (above, work) = asWork ? (other, link) : (link, other)
                let options = "lowerdir=\(union.lower[0]),upperdir=\(above),workdir=\(work)"
                let target = scratch.appending("merged")
                let finished = try runProgram([try MountHelper.path(), "-o", options, target])
                defer { while (try? Mount.unmount(target, flags: [.detach, .noFollow])) != nil {} }
                #expect(finished.status == 1)
                #expect(finished.output.contains("\(link) is in use by another mount"), "\(finished.output)")
            }
            try Area.with(union.target) { area throws in
                try area.append("f", "!")
                #expect(try area.text("f") == "text!")
            }
        }
    }

    @Test(
        "directories that lie in each other are refused",
        arguments: [
            ("lower", "same", "same"), ("lower", "upper", "upper/work"), ("lower", "work/upper", "work"),
            ("upper", "upper", "work"), ("upper/inner", "upper", "work"), ("work", "upper", "work"),
            ("work/inner", "upper", "work"),
        ])
    func overlapping(lower: String, upper: String, work: String) throws {
        try withScratch { scratch throws in
            for name in [lower, upper, work, "merged"] {
                var path = scratch
                for part in name.split(separator: "/") {
                    path = path.appending(String(part))
                    if access(path, F_OK) != 0 { try makeDirectory(path) }
                }
            }
            let target = scratch.appending("merged")
            let options =
                "lowerdir=\(scratch)/\(lower),upperdir=\(scratch)/\(upper),workdir=\(scratch)/\(work)"
            #expect(throws: Errno.self) {
                try Mount.mount(source: "overlay", target: target, type: "overlay", options: options)
            }
            let finished = try runProgram([try MountHelper.path(), "-o", options, target])
            defer { while (try? Mount.unmount(target, flags: [.detach, .noFollow])) != nil {} }
            #expect(finished.status == 1 && finished.output.split(separator: "\n").count == 1, "\(finished.output)")
        }
    }

    @Test("an upper directory within a lower one is allowed, as with the kernel's overlay")
    func upperWithinLower() throws {
        try withScratch { scratch throws in
            for name in ["lower", "lower/upper", "lower/work", "merged"] { try makeDirectory(scratch.appending(name)) }
            let options = "lowerdir=\(scratch)/lower,upperdir=\(scratch)/lower/upper,workdir=\(scratch)/lower/work"
            let target = scratch.appending("merged")
            try Mount.mount(source: "overlay", target: target, type: "overlay", options: options)
            try Mount.unmount(target)
            let finished = try runProgram([try MountHelper.path(), "-o", options, target])
            #expect(finished.status == 0, "\(finished.output)")
            try Area.with(target) { try $0.file("new") }
            try Mount.unmount(target)
        }
    }

    @Test("volatile mounts mark the work directory as the kernel's overlay does, and each refuses the other's mark")
    func volatile() throws {
        try withBench { bench throws in
            func kernel(_ options: String) throws {
                try Mount.mount(
                    source: "overlay", target: bench.target, type: "overlay", options: bench.stack + options)
            }
            let mark = "work/work/incompat/volatile"
            try expectMount(bench, try bench.helper("-o", bench.stack + ",volatile", bench.target)) { merged throws in
                let file = try merged.open("f", .readWrite)
                try file.write("!", at: 0)
                try file.sync(dataOnly: false)
                #expect(try Area.with(bench.scratch) { try $0.names(mark) } == ["dirty"])
            }
            // It stays, because nobody knows whether the system has crashed since.
            for options in ["", ",volatile"] {
                try expectRefusal(
                    bench, try bench.helper("-o", bench.stack + options, bench.target), saying: "volatile", mark)
                expectError(.EINVAL) { try kernel(options) }
            }
            try FileDescriptor.currentDirectory.removeTree(bench.path(mark))
            try kernel(",volatile")
            try bench.unmount()
            try expectRefusal(
                bench, try bench.helper("-o", bench.stack + ",volatile", bench.target), saying: "volatile", mark)
            try FileDescriptor.currentDirectory.removeTree(bench.path(mark))
            try expectMount(bench, try bench.helper("-o", bench.stack, bench.target)) { merged throws in
                #expect(try merged.text("f") == "!ower")
            }
            // A mark of something that nobody knows yet.
            for name in ["work/work/incompat", "work/work/incompat/future"] { try makeDirectory(bench.path(name)) }
            try expectRefusal(bench, try bench.helper("-o", bench.stack, bench.target), saying: "future")
            expectError(.EINVAL) { try kernel("") }
        }
    }

    @Test("a volatile mount whose server was killed is not mounted again unaware")
    func killedVolatile() throws {
        try withUnion(options: ["volatile"], layers: [{ try $0.file("f") }]) { union throws in
            try Area.with(union.target) { try $0.append("f", "!") }
            try union.killServer()
            #expect(throws: SetupFailure.self) { try union.mount() }
            try FileDescriptor.currentDirectory.removeTree(union.work + "/work/incompat/volatile")
            try union.mount()
            #expect(try Area.with(union.target) { try $0.text("f") } == "text!")
        }
    }

    @Test("fsync=0 marks nothing")
    func withoutSync() throws {
        try withBench { bench throws in
            for _ in 0..<2 {
                try expectMount(bench, try bench.helper("-o", bench.stack + ",fsync=0", bench.target)) {
                    merged throws in
                    try merged.open("f", .readWrite).sync(dataOnly: false)
                }
            }
        }
    }

    @Test("a link count survives the server's end by SIGKILL, as it survives an unmount", arguments: [false, true])
    func linkCounts(isKilled: Bool) throws {
        try withUnion(layers: [
            {
                for name in ["a", "x"] { try $0.file(name + "1") }
                for name in ["a2", "a3", "a4"] { try $0.link(name, to: "a1") }
                for name in ["x2", "x3"] { try $0.link(name, to: "x1") }
            }
        ]) { union throws in
            func again() throws {
                if isKilled {
                    try union.killServer()
                    try union.mount()
                } else {
                    try union.remount()
                }
            }
            func counts() throws -> [UInt32] {
                try Area.with(union.target) { area throws in
                    try ["a3", "a4", "x3"].map { try area.status($0).linkCount }
                }
            }
            try Area.with(union.target) { try $0.remove("a1") }
            try again()
            #expect(try counts() == [3, 3, 3])
            try Area.with(union.target) { area throws in
                try area.remove("a2")
                try area.remove("x1")
                // From here on the copy keeps the count.
                try area.append("x3", "!")
                try area.remove("x2")
            }
            try again()
            #expect(try counts() == [2, 2, 1])
            try Area.with(union.target) { area throws in
                try area.append("a3", "!")
                #expect(try area.text("a4") == "text!")
                #expect(try area.status("a3").inode == area.status("a4").inode)
            }
            try again()
            #expect(try counts() == [2, 2, 1])
        }
    }

    @Test("a default ACL of the work directory reaches nothing that a program sees")
    func defaultACL() throws {
        try withBench { bench throws in
            // u::rwx, u:1234:rwx, g::rwx, mask, o::r-x
            let list = PermissionTests.list([
                (1, 7, .max), (2, 7, 1234), (4, 7, .max), (0x10, 7, .max), (0x20, 5, .max),
            ])
            try FileDescriptor.open(bench.path("work"), [.directory]).setAttribute("system.posix_acl_default", list)
            try Area.with(bench.path("lower")) { lower in
                for name in ["tree", "tree/inner", "tree/over"] { try lower.directory(name) }
                for name in ["tree/inner/f", "gone", "private"] { try lower.file(name, mode: 0o600) }
                try lower.file("tree/over/f")
            }
            try expectMount(bench, try bench.helper("-o", bench.stack, bench.target)) { merged throws in
                try merged.append("f", "!")
                try merged.setMode("private", 0o400)
                try merged.append("tree/inner/f", "!")
                try merged.remove("gone")
                try merged.file("gone", mode: 0o600)
                try merged.remove("tree/over/f")
                try merged.removeDirectory("tree/over")
                try merged.directory("tree/over", mode: 0o700)
                let nameless = try merged.open("tree", [.temporaryFile, .readWrite], mode: 0o600)
                try nameless.makeLink(in: merged.root, at: "nameless")
                for name in ["f", "private", "tree", "tree/inner", "tree/inner/f", "gone", "tree/over", "nameless"] {
                    let names = try FileDescriptor.open(bench.path("upper") + "/" + name).attributeNames()
                    let lists = names.map {
                        String(decoding: $0.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
                    }
                    #expect(!lists.contains { $0.hasPrefix("system.posix_acl") }, "\(name): \(lists)")
                }
                #expect(try merged.status("nameless").permissions == 0o600)
                #expect(try merged.status("gone").permissions == 0o600)
                #expect(try merged.status("tree/over").permissions == 0o700)
            }
        }
    }
}
