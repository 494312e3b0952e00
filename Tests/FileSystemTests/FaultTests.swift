import Glibc
import Linux
import TestSupport
import Testing

/// Errors of the file systems below: they arrive as themselves, and nothing half done is left. strace(1) makes the server's
/// system calls fail.
@Suite struct FaultTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        let call: String
        let error: Errno
        let name: String
        let change: Change

        var testDescription: String { "\(name) where \(call) fails with \(name): \(error)" }
    }

    enum Change: String, CaseIterable, Sendable {
        case append, truncate, chmod, remove, create, makeDirectory, renameDirectory, link

        func run(_ area: Area) throws {
            switch self {
            case .append: try area.append("file", "!")
            case .truncate: try truncateFile(area.path.appending("file"), to: 10)
            case .chmod: try area.setMode("file", 0o600)
            case .remove: try area.remove("file")
            case .create: try area.file("new")
            case .makeDirectory: try area.directory("new")
            case .renameDirectory: try area.rename("directory", "new")
            case .link: try area.link("new", to: "file")
            }
        }
    }

    /// Which calls a change cannot do without.
    static let faults: [Fault] = {
        let calls: [(Change, [String])] = [
            (.append, ["copy_file_range", "fchownat", "fchmod", "linkat", "openat"]),
            (.truncate, ["linkat", "openat"]),
            (.chmod, ["fchownat", "linkat"]), (.remove, ["linkat"]), (.create, ["openat"]),
            (.makeDirectory, ["mkdirat"]), (.renameDirectory, ["mkdirat", "renameat2"]), (.link, ["linkat"]),
        ]
        let errors: [(Errno, String)] = [(.EIO, "EIO"), (.EDQUOT, "EDQUOT"), (.ENOSPC, "ENOSPC"), (.EROFS, "EROFS")]
        var next = 0
        return calls.flatMap { change, names in
            names.map { call in
                defer { next += 1 }
                let (error, name) = errors[next % errors.count]
                return Fault(call: call, error: error, name: name, change: change)
            }
        }
    }()

    @Test("a system call that fails", arguments: faults)
    func failing(fault: Fault) throws {
        try withUnion(layers: [
            {
                try $0.file("file", String(repeating: "contents ", count: 10_000))
                try $0.setOwner("file", uid: 7, gid: 7)
                try $0.directory("directory")
                try $0.file("directory/inner")
            }
        ]) { union throws in
            let before = try TreeSnapshot(of: union.target)
            let free = try leftovers(union)
            let tracer = try Tracer(of: union.target, calls: fault.call, effect: "error=\(fault.name)")
            expectError(fault.error) { try Area.with(union.target) { try fault.change.run($0) } }
            try tracer.end()
            #expect(before.differences(to: try TreeSnapshot(of: union.target)) == [])
            #expect(try leftovers(union) == free)
            try Area.with(union.target) { try fault.change.run($0) }
            let after = try TreeSnapshot(of: union.target)
            #expect(before.differences(to: after) != [])
            try union.remount()
            #expect(after.differences(to: try TreeSnapshot(of: union.target)) == [])
        }
    }

    /// What is in the upper and in the work directory.
    private func leftovers(_ union: MountedUnion) throws -> [String] {
        let upper = try TreeSnapshot(of: try #require(union.upper)).entries.keys.sorted()
        let work = try TreeSnapshot(of: union.work).entries.keys.sorted()
        return upper + work.filter { !$0.hasSuffix("work/whiteout") }
    }

    @Test("an upper file system that has become read-only")
    func readOnlyDisk() throws {
        try withBench { bench throws in
            let disk = try makeDirectory(bench.path("disk"))
            try Mount.mount(source: "tmpfs", target: disk, type: "tmpfs", options: "size=8m")
            defer { try? Mount.unmount(disk, flags: [.detach, .noFollow]) }
            for name in ["upper", "work"] { try makeDirectory(disk.appending(name)) }
            let options = "lowerdir=\(bench.path("lower")),upperdir=\(disk)/upper,workdir=\(disk)/work"
            try expectMount(bench, try bench.helper("-o", options, bench.target)) { merged throws in
                try merged.file("upper")
                let changed = try runProgram(["mount", "-o", "remount,ro", disk])
                try #require(changed.status == 0, "\(changed.output)")
                for change in [
                    { try merged.append("f", "!") }, { try merged.append("upper", "!") }, { try merged.remove("f") },
                    { try merged.remove("upper") }, { try merged.file("new") }, { try merged.directory("new") },
                    { try merged.setMode("f", 0o600) }, { try merged.rename("f", "g") },
                    { try truncateFile(merged.path.appending("f"), to: 0) }, { try merged.link("g", to: "f") },
                ] as [() throws -> Void] { expectError(.EROFS) { try change() } }
                #expect(try merged.text("f") == "lower" && merged.text("upper") == "text")
                #expect(try merged.names() == ["f", "upper"])
                _ = try runProgram(["mount", "-o", "remount,rw", disk])
                try merged.append("f", "!")
                #expect(try merged.text("f") == "lower!")
            }
            _ = try runProgram(["mount", "-o", "remount,ro", disk])
            try expectRefusal(
                bench, try bench.helper("-o", options, bench.target), saying: "\(disk)/work", "Read-only file system")
        }
    }
}
