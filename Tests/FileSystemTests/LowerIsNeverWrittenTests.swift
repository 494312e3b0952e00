import Glibc
import Linux
import TestSupport
import Testing

/// The promise on which everything stands: a lower layer, which many images share, is never written to.
///
/// A server that hands the kernel a lower file's own descriptor for reading must never let a writer get at it.
@Suite struct LowerIsNeverWrittenTests {
    private static let old = "the text of the lower layer\n"

    /// Lays a lower layer out, mounts it `mounts` times, runs a test, and compares the layer with what it was.
    private func withMounts(
        _ mounts: Int, given: (Area) throws -> Void = { try $0.file("f", Self.old) },
        _ test: ([MountedUnion]) throws -> Void
    ) throws {
        try withScratch { scratch in
            let lower = try makeDirectory(scratch.appending("lower"))
            try Area.with(lower) { try given($0) }
            let before = try TreeSnapshot(of: lower, changeTimes: true)
            try mount(mounts, lower: lower, in: scratch, unions: []) { unions in
                try test(unions)
                #expect(before.differences(to: try TreeSnapshot(of: lower, changeTimes: true)) == [])
            }
            #expect(before.differences(to: try TreeSnapshot(of: lower, changeTimes: true)) == [], "after the unmount")
        }
    }

    private func mount(
        _ count: Int, lower: String, in scratch: String, unions: [MountedUnion], _ body: ([MountedUnion]) throws -> Void
    ) throws {
        if count == 0 { return try body(unions) }
        try withUnion(below: [lower]) { union throws in
            try mount(count - 1, lower: lower, in: scratch, unions: unions + [union], body)
        }
    }

    @Test("a reader is open when another opens for writing and writes")
    func writeUnderReader() throws {
        try withMounts(1) { unions in
            try Area.with(unions[0].target) { area in
                let reader = try area.open("f")
                #expect(try reader.text() == Self.old)
                let writer = try area.open("f", .readWrite)
                try writer.write("WRITTEN", at: 0)
                let changed = "WRITTEN" + Self.old.dropFirst(7)
                #expect(try area.text("f") == changed)
                #expect(try writer.text() == changed)
                #expect([Self.old, changed].contains(try reader.text()))
                try writer.sync()
                // The reader's end must not be one to write through, whatever it shows.
                expectError(.EBADF) { try reader.write("x", at: 0) }
                #expect(try area.open("f").text() == changed)
            }
        }
    }

    @Test(
        "each way to write, under a reader", arguments: ["append", "truncate", "O_TRUNC", "fallocate", "copy", "mmap"])
    func waysToWrite(way: String) throws {
        try withMounts(
            1,
            given: {
                try $0.file("f", Self.old)
                try $0.file("other", "OTHER")
            }
        ) { unions in
            try Area.with(unions[0].target) { area in
                let reader = try area.open("f")
                let mapping = try Mapping(reader, length: Self.old.utf8.count, writable: false, shared: true)
                #expect(mapping.text(count: 8) == "the text")
                switch way {
                case "append": try area.append("f", "!")
                case "truncate": try truncateFile(area.path.appending("f"), to: 3)
                case "O_TRUNC": try area.overwrite("f", "new")
                case "fallocate":
                    let (keepSize, punchHole): (Int32, Int32) = (1, 2)
                    try area.open("f", .readWrite).allocate(mode: keepSize | punchHole, offset: 0, length: 8)
                case "copy":
                    let source = try area.open("other")
                    #expect(try source.copyRange(from: 0, to: try area.open("f", .writeOnly), at: 0, length: 5) == 5)
                default:
                    let shared = try Mapping(
                        try area.open("f", .readWrite), length: Self.old.utf8.count, writable: true, shared: true)
                    shared.store("MAPPED", at: 0)
                    try shared.sync()
                }
                let now = try area.text("f")
                #expect(now != Self.old)
                #expect([Self.old, now].contains(try reader.text()))
            }
        }
    }

    @Test("a private mapping that was written to stays private")
    func privateMapping() throws {
        try withMounts(1) { unions in
            try Area.with(unions[0].target) { area in
                let file = try area.open("f")
                let mapping = try Mapping(file, length: 10, writable: true, shared: false)
                mapping.store("PRIVATE", at: 0)
                #expect(try area.text("f") == Self.old)
                expectError(.EACCES) { _ = try Mapping(file, length: 10, writable: true, shared: true) }
            }
        }
    }

    @Test("several mounts on one layer write different things to the same file")
    func severalMounts() throws {
        try withMounts(3) { unions in
            for (number, union) in unions.enumerated() {
                try Area.with(union.target) { area throws in
                    let reader = try area.open("f")
                    #expect(try reader.text() == Self.old)
                    try area.append("f", "mount \(number)")
                    #expect(try area.text("f") == Self.old + "mount \(number)")
                }
            }
            for (number, union) in unions.enumerated() {
                let text = try Area.with(union.target) { try $0.text("f") }
                #expect(text == Self.old + "mount \(number)")
            }
        }
    }

    @Test("readers of all mounts are open while one mount writes")
    func readersElsewhere() throws {
        try withMounts(2) { unions in
            try Area.with(unions[0].target) { first in
                try Area.with(unions[1].target) { second in
                    let elsewhere = try second.open("f")
                    let here = try first.open("f")
                    try first.overwrite("f", "only here")
                    #expect(try elsewhere.text() == Self.old)
                    #expect(try second.text("f") == Self.old)
                    #expect(try first.text("f") == "only here")
                    #expect([Self.old, "only here"].contains(try here.text()))
                }
            }
        }
    }

    @Test("four processes race to open and append to one lower file", arguments: 1...5)
    func racingAppends(round: Int) throws {
        try withMounts(1) { unions in
            let lines = 100
            try race(4, in: unions[0].target) { racer in
                "for i in $(seq \(lines)); do echo \(racer)-$i >> f; done"
            }
            let text = try Area.with(unions[0].target) { try $0.text("f") }
            var wanted = [String(Self.old.dropLast())]
            for racer in 0..<4 { for line in 1...lines { wanted.append("\(racer)-\(line)") } }
            let got = text.split(separator: "\n").map(String.init)
            #expect(got.sorted() == wanted.sorted())
        }
    }

    @Test("processes race to read, append, change and replace many lower files")
    func racingChanges() throws {
        let count = 60
        try withMounts(1, given: { for number in 0..<count { try $0.file("f\(number)", Self.old) } }) { unions in
            try race(4, in: unions[0].target) { racer in
                let action = [
                    "echo line >> f$i", "chmod 600 f$i; cat f$i > /dev/null",
                    "cat f$i > /dev/null; touch -d @1000000000 f$i",
                    "cat f$i > /dev/null; ln f$i g$i",
                ][racer]
                return "set -e; for i in $(seq 0 \(count - 1)); do \(action); done"
            }
            try Area.with(unions[0].target) { area in
                for number in 0..<count {
                    #expect(try area.text("f\(number)") == Self.old + "line\n")
                    let status = try area.status("f\(number)")
                    #expect(status.permissions == 0o600 && status.linkCount == 2)
                    #expect(try area.status("g\(number)").inode == status.inode)
                }
            }
        }
    }

    @Test("processes race to truncate one lower file")
    func racingTruncates() throws {
        try withMounts(1) { unions in
            try race(4, in: unions[0].target) { racer in
                "for i in $(seq 50); do echo \(racer) > f; cat f > /dev/null; done"
            }
            let text = try Area.with(unions[0].target) { try $0.text("f") }
            #expect(["0\n", "1\n", "2\n", "3\n"].contains(text))
        }
    }

    /// Runs shell scripts at the same time, and expects each to succeed.
    private func race(_ count: Int, in directory: String, _ script: (Int) -> String) throws {
        let racers = try (0..<count).map { racer in
            try ChildProcess.spawn(
                "timeout", arguments: ["timeout", "-s", "KILL", "60", "sh", "-c", script(racer)], directory: directory)
        }
        let ends = racers.map { racer in try? racer.wait() }
        #expect(ends.allSatisfy { $0 == .exited(0) }, "\(ends)")
    }
}
