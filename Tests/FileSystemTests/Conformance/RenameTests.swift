import Glibc
import Linux
import Testing

/// rename(2) and renameat2(2).
@Suite struct RenameTests {
    @Test("a file moves with its contents, inode number and attributes", arguments: Subject.allCases)
    func file(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("a", "text", mode: 0o640)
            try $0.directory("d")
        }) { area throws in
            let before = try area.status("a")
            try area.rename("a", "b")
            #expect(try !area.exists("a"))
            try area.rename("b", "d/c")
            let after = try area.status("d/c")
            #expect(try area.text("d/c") == "text")
            #expect(after.inode == before.inode && after.mode == before.mode)
            #expect(after.modificationTime == before.modificationTime)
            #expect(try area.names() == ["d"])
        }
    }

    @Test("a file replaces a file", arguments: Subject.allCases)
    func overFile(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("a", "new")
            try $0.file("b", "old")
        }) { area throws in
            let held = try area.open("b")
            try area.rename("a", "b")
            #expect(try area.text("b") == "new")
            #expect(try area.names() == ["b"])
            #expect(try held.text() == "old")
        }
    }

    @Test("files and directories do not replace each other", arguments: Subject.allCases)
    func mixedKinds(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f")
            try $0.directory("d")
            try $0.directory("full")
            try $0.file("full/x")
        }) { area throws in
            expectError(.EISDIR) { try area.rename("f", "d") }
            expectError(.ENOTDIR) { try area.rename("d", "f") }
            expectError(.ENOTEMPTY, .EEXIST) { try area.rename("d", "full") }
            expectError(.ENOENT) { try area.rename("missing", "f") }
            expectError(.ENOENT) { try area.rename("f", "missing/f") }
            expectError(.ENOTDIR) { try area.rename("f", "f/x") }
            #expect(try area.names() == ["d", "f", "full"])
        }
    }

    @Test("a directory moves with all that is below", arguments: Subject.allCases)
    func directory(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("a")
            try $0.directory("a/b")
            try $0.file("a/b/f", "deep")
            try $0.file("a/g", "flat")
            try $0.directory("t")
        }) { area throws in
            let inode = try area.status("a").inode
            try area.rename("a", "t/z")
            #expect(try area.names() == ["t"])
            #expect(try area.names("t/z") == ["b", "g"])
            #expect(try area.text("t/z/b/f") == "deep")
            #expect(try area.status("t/z").inode == inode)
            try area.file("a", "a file has the name now")
            try area.rename("t/z/b", "b")
            #expect(try area.text("b/f") == "deep")
            #expect(try area.names("t/z") == ["g"])
        }
    }

    @Test(
        "a directory replaces an empty directory, and what was there before does not show", arguments: Subject.allCases)
    func overEmptyDirectory(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("a")
            try $0.file("a/f", "mine")
            try $0.directory("b")
            try $0.file("b/old")
        }) { area throws in
            try area.remove("b/old")
            try area.rename("a", "b")
            #expect(try area.names() == ["b"])
            #expect(try area.names("b") == ["f"])
            #expect(try area.text("b/f") == "mine")
        }
    }

    @Test("a new directory in the place of a removed one is empty", arguments: Subject.allCases)
    func newOverRemoved(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("d")
            try $0.file("d/f")
        }) { area throws in
            try area.rename("d", "gone")
            try area.directory("d")
            #expect(try area.names("d") == [])
            #expect(try !area.exists("d/f"))
            #expect(try area.names("gone") == ["f"])
            try area.directory("e")
            try area.removeDirectory("d")
            try area.rename("e", "d")
            #expect(try area.names("d") == [])
        }
    }

    @Test("a directory cannot move below itself", arguments: Subject.allCases)
    func belowItself(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("a")
            try $0.directory("a/b")
        }) { area throws in
            expectError(.EINVAL) { try area.rename("a", "a/x") }
            expectError(.EINVAL) { try area.rename("a", "a/b/x") }
            expectError(.ENOTEMPTY, .EEXIST) { try area.rename("a/b", "a") }
        }
    }

    @Test("two names of one file: rename does nothing", arguments: Subject.allCases)
    func sameFile(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("a")
            try $0.link("b", to: "a")
        }) { area throws in
            try area.rename("a", "b")
            #expect(try area.names() == ["a", "b"])
            try area.rename("a", "a")
            #expect(try area.status("a").linkCount == 2)
        }
    }

    @Test("RENAME_NOREPLACE refuses an existing name", arguments: Subject.allCases)
    func noReplace(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("a", "a")
            try $0.file("b", "b")
            try $0.directory("d")
        }) { area throws in
            expectError(.EEXIST) { try area.rename("a", "b", .noReplace) }
            expectError(.EEXIST) { try area.rename("a", "d", .noReplace) }
            try area.rename("a", "c", .noReplace)
            #expect(try area.text("c") == "a")
            try area.remove("b")
            try area.rename("c", "b", .noReplace)
            #expect(try area.text("b") == "a")
        }
    }

    @Test("RENAME_EXCHANGE swaps files", arguments: Subject.allCases)
    func exchangeFiles(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("a", "a")
            try $0.file("b", "b")
        }) { area throws in
            let (a, b) = (try area.status("a").inode, try area.status("b").inode)
            try area.rename("a", "b", .exchange)
            #expect(try area.text("a") == "b" && area.text("b") == "a")
            #expect(try area.status("a").inode == b)
            #expect(try area.status("b").inode == a)
            expectError(.ENOENT) { try area.rename("a", "missing", .exchange) }
        }
    }

    @Test("RENAME_EXCHANGE swaps a file and a directory, and two directories", arguments: Subject.allCases)
    func exchangeDirectories(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f", "f")
            try $0.directory("d")
            try $0.file("d/in-d")
            try $0.directory("e")
            try $0.file("e/in-e")
        }) { area throws in
            try area.rename("f", "d", .exchange)
            #expect(try area.text("d") == "f")
            #expect(try area.names("f") == ["in-d"])
            try area.rename("f", "e", .exchange)
            #expect(try area.names("e") == ["in-d"])
            #expect(try area.names("f") == ["in-e"])
            expectError(.EINVAL) { try area.rename("f", "f/in-e", .exchange) }
        }
    }

    @Test("RENAME_NOREPLACE with RENAME_EXCHANGE is EINVAL, RENAME_WHITEOUT is on unions", arguments: Subject.allCases)
    func badFlags(on subject: Subject) throws {
        try subject.run(given: { try $0.file("a") }) { area throws in
            expectError(.EINVAL) { try area.rename("a", "b", [.noReplace, .exchange]) }
            if subject.isUnion { expectError(.EINVAL) { try area.rename("a", "b", .whiteout) } }
            #expect(try area.exists("a"))
        }
    }

    @Test("symbolic links and special files move as themselves", arguments: Subject.allCases)
    func specials(on subject: Subject) throws {
        try subject.run(given: {
            try $0.symlink("l", to: "target")
            try $0.root.makeNode("p", mode: S_IFIFO | 0o600)
            try $0.root.makeNode("c", mode: S_IFCHR | 0o600, device: DeviceNumber(major: 1, minor: 3).rawValue)
        }) { area throws in
            for name in ["l", "p", "c"] { try area.rename(name, name + "2") }
            #expect(try area.target("l2") == "target")
            #expect(try area.status("p2").type == .fifo)
            #expect(try area.status("c2").rawDevice == DeviceNumber(major: 1, minor: 3).rawValue)
            #expect(try area.names() == ["c2", "l2", "p2"])
        }
    }

    @Test("the times of both directories change, those of a moved file do not", arguments: Subject.allCases)
    func directoryTimes(on subject: Subject) throws {
        let old = TimeSpec(seconds: 1_000_000_000)
        try subject.run(given: {
            try $0.directory("a")
            try $0.file("a/f")
            try $0.root.setTimes(of: "a/f", access: old, modification: old)
            try $0.directory("b")
            for name in ["a", "b"] { try $0.root.setTimes(of: name, access: old, modification: old) }
        }) { area throws in
            try area.rename("a/f", "b/f")
            #expect(try area.status("a").modificationTime.seconds > old.seconds)
            #expect(try area.status("b").modificationTime.seconds > old.seconds)
            #expect(try area.status("b/f").modificationTime == old)
        }
    }

    @Test("a directory renamed while it is open still lists what is in it", arguments: Subject.allCases)
    func openDirectory(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("d")
            try $0.file("d/f", "text")
        }) { area throws in
            let held = try area.open("d", [.directory])
            try area.rename("d", "e")
            try area.file("e/g")
            #expect(try held.sortedEntryNames().count == 2)
            #expect(try held.status(of: "g").isRegular)
            try held.unlink("f")
            #expect(try area.names("e") == ["g"])
        }
    }
}
