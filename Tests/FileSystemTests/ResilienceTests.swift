import Glibc
import Linux
import TestSupport
import Testing

/// What happens when there is no room, no descriptor, or no server any more.
@Suite struct ResilienceTests {
    /// A mount whose upper directory is on a small file system of its own.
    private func withSmallDisk(megabytes: Int, _ body: (HelperBench) throws -> Void) throws {
        try withBench { bench in
            let disk = try makeDirectory(bench.path("disk"))
            try Mount.mount(source: "tmpfs", target: disk, type: "tmpfs", options: "size=\(megabytes)m")
            defer { try? Mount.unmount(disk, flags: [.detach, .noFollow]) }
            for name in ["upper", "work"] { try makeDirectory(disk.appending(name)) }
            let options = "lowerdir=\(bench.path("lower")),upperdir=\(disk)/upper,workdir=\(disk)/work"
            let large = [UInt8](repeating: 7, count: 8 << 20)
            try Area.with(bench.path("lower")) { area in
                try area.file("large", "")
                try area.open("large", .writeOnly).writeAll(large)
            }
            try expectMount(bench, try bench.helper("-o", options, bench.target)) { _ in try body(bench) }
        }
    }

    @Test("a full disk is ENOSPC, leaves no half of a copy, and the rest goes on")
    func fullDisk() throws {
        try withSmallDisk(megabytes: 4) { bench in
            let used = try FileSystemStatus(path: bench.path("disk")).blocksFree
            try Area.with(bench.target) { area throws in
                expectError(.ENOSPC) { try area.append("large", "!") }
                #expect(try area.status("large").size == 8 << 20)
                #expect(try area.open("large").bytes(at: (8 << 20) - 1, count: 5) == [7])
                // Which copies no data.
                try area.setMode("large", 0o600)
                #expect(try area.status("large").permissions == 0o600 && area.status("large").size == 8 << 20)
                expectError(.ENOSPC) { try area.append("large", "!") }
                #expect(try Area.with(bench.path("disk")) { try $0.names("work/work") } == ["whiteout"])
                try area.append("f", "!")
                #expect(try area.text("f") == "lower!")
                let chunk = [UInt8](repeating: 1, count: 5 << 20)
                expectError(.ENOSPC) { try area.open("new", [.writeOnly, .create]).writeAll(chunk) }
                try area.remove("new")
                try area.overwrite("large", "small now")
                #expect(try area.text("large") == "small now")
            }
            let free = try FileSystemStatus(path: bench.path("disk")).blocksFree
            #expect(free + 64 >= used, "\(used) blocks were free, now \(free)")
        }
    }

    @Test("removing works on a full disk")
    func removeOnFullDisk() throws {
        try withSmallDisk(megabytes: 4) { bench in
            try Area.with(bench.target) { area throws in
                let chunk = [UInt8](repeating: 1, count: 1 << 16)
                expectError(.ENOSPC) {
                    let filler = try area.open("filler", [.writeOnly, .create])
                    while true { try filler.writeAll(chunk) }
                }
                try area.remove("filler")
                try area.remove("large")
                #expect(try area.names() == ["f"])
            }
        }
    }

    @Test("64 descriptors are enough for a tree of any size")
    func fewDescriptors() throws {
        try withBench { bench in
            try Area.with(bench.path("lower")) { area in
                for directory in 0..<300 {
                    try area.directory("d\(directory)")
                    for file in 0..<10 { try area.file("d\(directory)/f\(file)", "text") }
                }
            }
            let finished = try runProgram([
                "prlimit", "--nofile=64:64", try MountHelper.path(), "-o", bench.stack, bench.target,
            ])
            try expectMount(bench, finished) { area throws in
                #expect(try TreeSnapshot(of: area.path).entries.count == 300 * 11 + 2)
                for directory in 0..<300 {
                    try area.append("d\(directory)/f0", "!")
                    try area.rename("d\(directory)/f1", "d\((directory + 1) % 300)/g")
                }
                let walk = try runProgram(["find", area.path, "-type", "f", "-exec", "cat", "{}", "+"])
                #expect(walk.status == 0 && walk.output.utf8.count == 300 * 41 + 5)
            }
        }
    }

    @Test("a server that is killed in the middle leaves what the next one can mount", arguments: 1...3)
    func killedServer(round: Int) throws {
        let count = 200
        let text = String(repeating: "old text\n", count: 2000)
        try withScratch { scratch in
            let lower = try makeDirectory(scratch.appending("lower"))
            try Area.with(lower) { area in for number in 0..<count { try area.file("f\(number)", text) } }
            let before = try TreeSnapshot(of: lower, changeTimes: true)
            try withUnion(below: [lower]) { union throws in
                let writers = try (0..<2).map { writer in
                    try ChildProcess.spawn(
                        "timeout",
                        arguments: [
                            "timeout", "-s", "KILL", "60", "sh", "-c",
                            "exec 2> /dev/null; for i in $(seq \(writer) 2 \(count)); do echo new >> f$i; mv f$i g$i; done",
                        ], directory: union.target)
                }
                usleep(UInt32(20_000 * round))
                try union.killServer()
                for writer in writers { _ = try writer.wait() }
                try union.mount()
                try Area.with(union.target) { area throws in
                    // Each file is there once, in one of the states it went through.
                    for number in 0..<count {
                        let names = try ["f\(number)", "g\(number)"].filter { try area.exists($0) }
                        #expect(names.count == 1, "\(number): \(names)")
                        for name in names { #expect([text, text + "new\n"].contains(try area.text(name)), "\(name)") }
                    }
                    #expect(try area.names().count == count)
                    #expect(try TreeSnapshot(of: area.path).directoryFaults == [])
                }
                #expect(before.differences(to: try TreeSnapshot(of: lower, changeTimes: true)) == [])
            }
        }
    }
}
