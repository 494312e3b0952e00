import Glibc
import Linux
import TestSupport
import Testing

/// The moment when a file of a lower layer becomes one of the upper: nobody should notice.
@Suite struct CopyUpTests {
    private static let old = TimeSpec(seconds: 1_000_000_000, nanoseconds: 123_456_789)

    private static func layOut(_ area: Area) throws {
        try area.file("f", "text", mode: 0o640)
        try area.setOwner("f", uid: 1000, gid: 2000)
        try area.root.setAttribute("user.a", of: "f", [1, 2])
        try area.root.setTimes(of: "f", access: old, modification: old)
    }

    @Test("opening for writing alone changes nothing that can be seen", arguments: Subject.allCases)
    func openOnly(on subject: Subject) throws {
        try subject.run(given: Self.layOut) { area throws in
            let before = try area.status("f")
            _ = try area.open("f", .readWrite)
            let after = try area.status("f")
            #expect(after.inode == before.inode && after.mode == before.mode && after.size == before.size)
            #expect(after.uid == 1000 && after.gid == 2000)
            #expect(after.modificationTime == Self.old)
            #expect(try area.text("f") == "text")
        }
    }

    @Test("each change of attributes leaves everything else as it was", arguments: Subject.allCases)
    func attributeChange(on subject: Subject) throws {
        let changes: [(String, (Area) throws -> Void)] = [
            ("chmod", { try $0.setMode("f", 0o644) }),
            ("chown", { try $0.setOwner("f", uid: 5, gid: 6) }),
            ("setxattr", { try $0.root.setAttribute("user.b", of: "f", [3]) }),
            ("link", { try $0.link("g", to: "f") }),
            (
                "rename",
                {
                    try $0.rename("f", "g")
                    try $0.rename("g", "f")
                }
            ),
        ]
        for (name, change) in changes {
            try subject.run(given: Self.layOut) { area throws in
                let before = try area.status("f")
                try change(area)
                let after = try area.status("f")
                #expect(after.inode == before.inode, "\(name)")
                #expect(after.modificationTime == Self.old && after.accessTime == before.accessTime, "\(name)")
                #expect(after.size == 4 && after.type == .regular, "\(name)")
                #expect(try area.root.attribute("user.a", of: "f") == [1, 2], "\(name)")
                #expect(try area.text("f") == "text", "\(name)")
            }
        }
    }

    @Test(
        "what is written beside a reader is there under every name, looked up before or not",
        arguments: Subject.allCases, [10, 100_000])
    func namesBesideReader(on subject: Subject, size: Int) throws {
        try subject.run(given: { area throws in
            try area.file("f", String(repeating: "A", count: size))
            try area.directory("d")
            for name in ["d/g", "h"] { try area.link(name, to: "f") }
        }) { area throws in
            for name in ["f", "d/g"] { #expect(try area.status(name).size == size) }
            let reader = try area.open("f")
            #expect(try reader.text(count: 4) == "AAAA")
            try area.open("f", .writeOnly).write("BBBB", at: 0)
            for name in ["f", "d/g", "h"] { #expect(try area.text(name).prefix(5) == "BBBBA", "\(name)") }
            try area.open("d/g", .writeOnly).truncate(to: 6)
            for name in ["f", "d/g", "h"] {
                #expect(try area.status(name).size == 6, "\(name)")
                #expect(try area.text(name) == "BBBBAA", "\(name)")
            }
            #expect(try ["AAAA", "BBBB"].contains(reader.text(count: 4)))
            for name in ["f", "h"] { #expect(try area.status(name).inode == area.status("d/g").inode, "\(name)") }
        }
    }

    @Test("what is cut off beside a reader does not come back", arguments: Subject.allCases, [10, 100_000])
    func truncationBesideReader(on subject: Subject, size: Int) throws {
        try subject.run(given: { try $0.file("f", String(repeating: "A", count: size)) }) { area throws in
            let reader = try area.open("f")
            #expect(try reader.text(count: 4) == "AAAA")
            try area.open("f", [.writeOnly, .truncate]).truncate(to: 100)
            #expect(try area.text("f") == String(repeating: "\0", count: 100))
            let writer = try area.open("f", .readWrite)
            try writer.write("B", at: 50)
            try writer.sync(dataOnly: false)
            let expected = String(repeating: "\0", count: 50) + "B" + String(repeating: "\0", count: 49)
            #expect(try area.text("f") == expected)
            #expect(try writer.text() == expected)
        }
        try subject.run(given: { try $0.file("f", String(repeating: "A", count: size)) }) { area throws in
            let reader = try area.open("f")
            #expect(try reader.text(count: 4) == "AAAA")
            try truncateFile(area.path + "/f", to: 0)
            try truncateFile(area.path + "/f", to: 100)
            #expect(try area.text("f") == String(repeating: "\0", count: 100))
            #expect(try ["AAAA", "\0\0\0\0"].contains(reader.text(count: 4)))
        }
    }

    @Test("a reader that was there before a write by another sees the old text or the new", arguments: Subject.allCases)
    func readerBefore(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "0123456789") }) { area throws in
            let reader = try area.open("f")
            #expect(try reader.text() == "0123456789")
            let writer = try area.open("f", .readWrite)
            try writer.write("ABC", at: 0)
            #expect(["0123456789", "ABC3456789"].contains(try reader.text()))
            #expect(try area.text("f") == "ABC3456789")
            #expect(try writer.text() == "ABC3456789")
            #expect(try reader.status().inode == area.status("f").inode)
        }
    }

    @Test("a chain of opens around a copy-up never fails", arguments: Subject.allCases)
    func chain(on subject: Subject) throws {
        try subject.run(given: { area in
            for number in 0..<20 { try area.file("f\(number)", "text") }
        }) { area throws in
            for number in 0..<20 {
                let name = "f\(number)"
                let first = try area.open(name)
                switch number % 5 {
                case 0: try area.append(name, "!")
                case 1: try area.overwrite(name, "other")
                case 2: try truncateFile(area.path.appending(name), to: 2)
                case 3: try area.setMode(name, 0o600)
                default: try area.open(name, .readWrite).allocate(offset: 0, length: 10)
                }
                let second = try area.open(name)
                let third = try area.open(name, [.readWrite, .append])
                try third.writeAll("?")
                #expect(try second.text().hasSuffix("?"))
                #expect(try area.text(name).hasSuffix("?"))
                #expect(try first.text().hasPrefix("te") || number % 5 == 1)
            }
        }
    }

    @Test("append after a copy-up that something else caused", arguments: Subject.allCases)
    func appendAfterChmod(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "text") }) { area throws in
            try area.setMode("f", 0o600)
            try area.append("f", "1")
            try area.rename("f", "g")
            try area.append("g", "2")
            try area.link("h", to: "g")
            try area.append("h", "3")
            #expect(try area.text("g") == "text123")
        }
    }

    @Test("O_TRUNC while a reader holds the file", arguments: Subject.allCases)
    func truncateUnderReader(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "0123456789") }) { area throws in
            let reader = try area.open("f")
            let writer = try area.open("f", [.writeOnly, .truncate])
            #expect(try area.status("f").size == 0)
            try writer.writeAll("new")
            #expect(try area.text("f") == "new")
            #expect(["0123456789", "new"].contains(try reader.text()))
        }
    }

    @Test("a write, a rename, an unlink, with the old reader still there", arguments: Subject.allCases)
    func readerThroughChanges(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f", "text")
            try $0.directory("d")
        }) { area throws in
            let reader = try area.open("f")
            try area.append("f", "!")
            try area.rename("f", "d/g")
            #expect(try reader.text().hasPrefix("text"))
            #expect(try area.text("d/g") == "text!")
            try area.remove("d/g")
            #expect(try reader.text().hasPrefix("text"))
            try area.file("f", "fresh")
            #expect(try area.text("f") == "fresh")
            #expect(try reader.text().hasPrefix("text"))
        }
    }

    @Test("parents are copied up with mode, owner, times and attributes", arguments: Subject.allCases)
    func parents(on subject: Subject) throws {
        try subject.run(given: { area in
            for name in ["a", "a/b", "a/b/c"] {
                try area.directory(name, mode: 0o750)
                try area.setOwner(name, uid: 7, gid: 8)
                try area.root.setAttribute("user.name", of: name, Array(name.utf8))
            }
            try area.file("a/b/c/f", "text")
            for name in ["a/b/c", "a/b", "a"] {
                try area.root.setTimes(of: name, access: Self.old, modification: Self.old)
            }
        }) { area throws in
            try area.append("a/b/c/f", "!")
            for name in ["a", "a/b", "a/b/c"] {
                let status = try area.status(name)
                #expect(status.permissions == 0o750 && status.uid == 7 && status.gid == 8, "\(name)")
                #expect(status.modificationTime == Self.old, "\(name)")
                #expect(try area.root.attribute("user.name", of: name) == Array(name.utf8), "\(name)")
            }
        }
    }

    @Test("a symbolic link is copied up as one", arguments: Subject.allCases)
    func symlink(on subject: Subject) throws {
        try subject.run(given: {
            try $0.symlink("l", to: "../x/y")
            try $0.root.setTimes(of: "l", access: Self.old, modification: Self.old)
        }) { area throws in
            try area.setOwner("l", uid: 3, gid: 4)
            #expect(try area.target("l") == "../x/y")
            #expect(try area.status("l").uid == 3 && area.status("l").permissions == 0o777)
            #expect(try area.status("l").modificationTime == Self.old)
        }
    }

    @Test("another user's write to a file of root's copies it up as root's", arguments: Subject.allCases)
    func asAnotherUser(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("d", mode: 0o755)
            try $0.file("d/f", "text", mode: 0o666)
        }) { area throws in
            try asUser(1000) { try area.append("d/f", "!") }
            #expect(try area.text("d/f") == "text!")
            #expect(try area.status("d/f").uid == 0 && area.status("d").uid == 0)
            #expect(try area.status("d/f").permissions == 0o666)
        }
    }

    @Test("what was changed is still there on the next mount", arguments: [MountedUnion.Server.kernel, .strata])
    func remount(on server: MountedUnion.Server) throws {
        try withUnion(server, layers: [Self.layOut, { try $0.file("g") }]) { union in
            let before = try Area.with(union.target) { area in
                try area.append("f", "!")
                try area.setMode("g", 0o600)
                try area.directory("d")
                try area.rename("g", "d/g")
                return try TreeSnapshot(of: area.path)
            }
            try union.remount()
            let after = try TreeSnapshot(of: union.target)
            #expect(before.differences(to: after) == [])
            #expect(after.changedInodes(since: before) == [])
        }
    }

    @Test("links of a lower file count right on the next mount", arguments: [MountedUnion.Server.kernel, .strata])
    func remountLinks(on server: MountedUnion.Server) throws {
        let given: (Area) throws -> Void = { area in
            for file in ["removed", "tree", "written", "more", "untouched"] {
                try area.directory(file)
                try area.file(file + "/a", "text")
                try area.link(file + "/b", to: file + "/a")
                try area.directory(file + "/d")
                try area.link(file + "/d/c", to: file + "/a")
            }
        }
        try withUnion(server, layers: [given]) { union throws in
            let before = try Area.with(union.target) { area throws in
                try area.remove("removed/a")
                try area.root.removeTree("tree/d")
                try area.append("written/b", "!")
                try area.link("more/n", to: "more/b")
                try area.rename("more/d", "untouched/e")
                for (name, count) in [
                    ("removed/b", UInt32(2)), ("tree/a", 2), ("written/d/c", 3), ("more/n", 4), ("untouched/e/c", 4),
                    ("untouched/b", 3),
                ] {
                    #expect(try area.status(name).linkCount == count, "\(name)")
                }
                return try TreeSnapshot(of: area.path)
            }
            try union.remount()
            let after = try TreeSnapshot(of: union.target)
            #expect(before.differences(to: after) == [])
            #expect(after.changedInodes(since: before) == [])
        }
    }

    @Test(
        "what was copied up is no surprise for who compares times before and after reading", arguments: Subject.allCases
    )
    func archiving(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("d")
            try $0.directory("d/e")
            for name in ["f", "d/f", "d/g", "d/e/f"] { try $0.file(name) }
        }) { area throws in
            // The kernel knows the attributes of all.
            _ = try runProgram(["ls", "-lR"], directory: area.path)
            try area.append("f", "!")
            try area.setMode("d/f", 0o600)
            try area.open("d/g", .readWrite).close()
            try area.open("d/e/f", .readWrite).close()
            for _ in 0..<2 {
                let done = try runProgram(["sh", "-c", "tar -cf - . | wc -c"], directory: area.path)
                #expect(!done.output.contains("changed"), "\(done.output)")
            }
            let before = try TreeSnapshot(of: area.path, changeTimes: true)
            _ = try runProgram(["sh", "-c", "tar -cf - . | wc -c"], directory: area.path)
            #expect(before.differences(to: try TreeSnapshot(of: area.path, changeTimes: true)) == [])
        }
    }
}
