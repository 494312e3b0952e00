import Glibc
import Linux
import TestSupport
import Testing

/// The server is killed right before each system call that changes something. What the next mount shows is what was there
/// before the operation or what is there after it, and nothing between. strace(1) does the killing.
@Suite struct KillTests {
    enum Operation: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case append, truncate, chmod, setAttribute
        case create, createOverWhiteout, createWithACL, createWithACLOverWhiteout
        case makeDirectory, makeDirectoryOverWhiteout, makeDirectoryWithACLOverWhiteout
        case symlinkOverWhiteout, node
        case remove, removeUpper, removeDirectory, removeEmptied
        case renameFile, renameOverFile, renameDirectory, renameDirectoryOverEmptied, renameUpperDirectoryOverEmptied
        case renameDirectoryOverWhiteout, exchange
        case appendToLinked, removeLinked, removeCopiedLinked, removeCopiedName, linkLinked, linkCopied
        case renameOverLinked, renameOverCopiedLinked, renameCopiedLinked, removeLastLinked

        var testDescription: String { rawValue }

        /// What has happened before, through another mount of the same directories.
        func prepare(_ area: Area) throws {
            switch self {
            case .createOverWhiteout, .makeDirectoryOverWhiteout, .symlinkOverWhiteout, .renameDirectoryOverWhiteout:
                try area.remove("file")
            case .createWithACLOverWhiteout, .makeDirectoryWithACLOverWhiteout:
                try area.remove("acl/file")
                try area.remove("acl/tree/f")
                try area.removeDirectory("acl/tree")
            case .removeUpper: try area.file("new")
            case .removeEmptied, .renameDirectoryOverEmptied: try area.remove("emptied/f")
            case .renameUpperDirectoryOverEmptied:
                try area.remove("emptied/f")
                try area.directory("mine")
                try area.file("mine/x")
            case .removeCopiedLinked, .removeCopiedName, .linkCopied, .renameOverCopiedLinked, .renameCopiedLinked:
                try area.append("one", "!")
            case .removeLastLinked:
                try area.remove("one")
                try area.remove("two")
            default: break
            }
        }

        func run(_ area: Area) throws {
            switch self {
            case .append: try area.append("file", "!")
            case .truncate: try truncateFile(area.path.appending("file"), to: 3)
            case .chmod: try area.setMode("file", 0o600)
            case .setAttribute: try area.root.setAttribute("user.x", of: "file", [1])
            case .create: try make(area, "new")
            case .createOverWhiteout: try make(area, "file")
            case .createWithACL: try make(area, "acl/new")
            case .createWithACLOverWhiteout: try make(area, "acl/file")
            case .makeDirectory: try area.root.makeDirectory("new", mode: 0o755)
            case .makeDirectoryOverWhiteout: try area.root.makeDirectory("file", mode: 0o755)
            case .makeDirectoryWithACLOverWhiteout: try area.root.makeDirectory("acl/tree", mode: 0o755)
            case .symlinkOverWhiteout: try area.symlink("file", to: "target")
            case .node: try area.root.makeNode("new", mode: S_IFIFO | 0o644)
            case .remove: try area.remove("file")
            case .removeUpper: try area.remove("new")
            case .removeDirectory: try area.removeDirectory("empty")
            case .removeEmptied: try area.removeDirectory("emptied")
            case .renameFile: try area.rename("file", "moved")
            case .renameOverFile: try area.rename("file", "other")
            case .renameDirectory: try area.rename("tree", "moved")
            case .renameDirectoryOverEmptied: try area.rename("tree", "emptied")
            case .renameUpperDirectoryOverEmptied: try area.rename("mine", "emptied")
            case .renameDirectoryOverWhiteout: try area.rename("tree", "file")
            case .exchange: try area.rename("tree", "file", .exchange)
            case .appendToLinked: try area.append("one", "!")
            case .removeLinked, .removeCopiedLinked: try area.remove("one")
            case .removeCopiedName: try area.remove("two")
            case .linkLinked: try area.link("four", to: "one")
            case .linkCopied: try area.link("four", to: "two")
            case .renameOverLinked, .renameOverCopiedLinked: try area.rename("file", "two")
            case .renameCopiedLinked: try area.rename("two", "four")
            case .removeLastLinked: try area.remove("three")
            }
        }

        /// Nothing is written and no mode set after the creation, which would be operations of their own.
        private func make(_ area: Area, _ name: String) throws {
            _ = try area.open(name, [.create, .exclusive, .writeOnly], mode: 0o644)
        }
    }

    /// What lies in the lower layer.
    private static func layOut(_ area: Area) throws {
        for name in ["file", "other"] { try area.file(name, name) }
        for name in ["tree", "tree/inner", "emptied", "empty", "acl", "acl/tree"] { try area.directory(name) }
        for name in ["tree/f", "tree/inner/f", "emptied/f", "acl/file", "acl/tree/f"] { try area.file(name, name) }
        try area.file("one", "linked")
        try area.link("two", to: "one")
        try area.link("three", to: "one")
        let list = PermissionTests.list([
            (1, 7, .max), (2, 6, 1234), (4, 5, .max), (0x10, 7, .max), (0x20, 5, .max),
        ])
        try area.root.setAttribute("system.posix_acl_default", of: "acl", list)
    }

    /// System calls that change a file system, of those that strace 6.1 knows: it has no names for setxattrat(2) and
    /// removexattrat(2).
    private static let calls =
        "linkat,unlinkat,renameat2,renameat,mkdirat,mknodat,symlinkat,fsetxattr,setxattr,lsetxattr,fremovexattr,"
        + "removexattr,lremovexattr,fchmod,fchmodat,fchownat,fchown,utimensat,ftruncate,truncate,write,pwrite64,"
        + "copy_file_range,fallocate"

    @Test("the server is killed before each change", arguments: Operation.allCases)
    func killed(operation: Operation) throws {
        let start = Int64(time(nil)) - 60
        let (calls, after) = try withUnion(layers: [Self.layOut]) { union -> ([String: Int], TreeSnapshot) in
            try prepare(operation, union)
            let calls = try self.calls(of: operation, union)
            try union.remount()
            return (calls, try TreeSnapshot(of: union.target, recent: start))
        }
        for (call, count) in calls {
            for number in 1...count {
                guard let now = try shown(afterKilling: operation, before: call, number, start) else { continue }
                let (undone, done) = (now.before.differences(to: now.later), after.differences(to: now.later))
                #expect(undone.isEmpty || done.isEmpty, "killed before \(call) \(number): \(undone), \(done)")
            }
        }
        // Of a file that is simply made the one call is openat, which is not in the list.
        #expect(!calls.isEmpty || operation == .create)
    }

    private func prepare(_ operation: Operation, _ union: MountedUnion) throws {
        try Area.with(union.target, operation.prepare)
        try union.remount()
    }

    /// Carries an operation out, and counts the calls that it takes.
    private func calls(of operation: Operation, _ union: MountedUnion) throws -> [String: Int] {
        try withScratch { scratch in
            let tracer = try Tracer(of: union.target, calls: Self.calls, output: scratch.appending("calls"))
            try Area.with(union.target, operation.run)
            try tracer.end()
            let lines = try FileDescriptor.open(scratch.appending("calls")).text(count: 1 << 20).split(separator: "\n")
            // "PID call(arguments…) = result"
            let known = Set(Self.calls.split(separator: ","))
            var counts: [String: Int] = [:]
            for line in lines {
                guard let name = line.split(separator: " ").dropFirst().first?.prefix(while: { $0 != "(" }) else {
                    continue
                }
                if known.contains(name) { counts[String(name), default: 0] += 1 }
            }
            return counts
        }
    }

    /// What is there before the operation, and what is there when the server was killed before a call and another one has come;
    /// nil where the operation did without that call.
    private func shown(
        afterKilling operation: Operation, before call: String, _ number: Int, _ start: Int64
    ) throws -> (before: TreeSnapshot, later: TreeSnapshot)? {
        try withUnion(layers: [Self.layOut]) { union in
            try prepare(operation, union)
            let before = try TreeSnapshot(of: union.target, recent: start)
            let tracer = try Tracer(of: union.target, calls: call, effect: "signal=KILL:when=\(number)")
            let isDone = (try? Area.with(union.target, operation.run)) != nil
            try tracer.end()
            if tracer.serverIsAlive() {
                #expect(isDone)
                return nil
            }
            try union.killServer()
            try union.mount()
            return (before, try TreeSnapshot(of: union.target, recent: start))
        }
    }
}
