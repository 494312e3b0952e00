import Glibc
import Linux
import Testing

/// Files with several names, of which some may be deleted, open, or only known to the next mount.
@Suite struct HardLinkTests {
    /// Large enough for the kernel to read it by itself where it can.
    private static let long = String(repeating: "0123456789abcdef", count: 1024)

    private static func layOut(_ area: Area) throws {
        try area.directory("d")
        try area.file("a", long)
        try area.link("b", to: "a")
        try area.link("d/c", to: "a")
    }

    private func expectSame(_ area: Area, _ names: [String], links: UInt32, size: Int) throws {
        let first = try area.status(names[0])
        for name in names {
            let status = try area.status(name)
            #expect(status.inode == first.inode, "\(name)")
            #expect(status.linkCount == links, "\(name)")
            #expect(status.size == Int64(size), "\(name)")
        }
    }

    @Test("every name shows a change made through another, now and on the next mount", arguments: Subject.allCases)
    func oneFile(on subject: Subject) throws {
        try subject.stage(given: Self.layOut) { stage in
            let inode = try stage.act { area throws in
                let inode = try area.status("b").inode
                try area.append("b", "!")
                return inode
            }
            try stage.beforeAndAfterRemount { area throws in
                try expectSame(area, ["a", "b", "d/c"], links: 3, size: Self.long.utf8.count + 1)
                #expect(try area.status("d/c").inode == inode)
            }
            try stage.act { area throws in
                try area.append("d/c", "!")
                try area.setMode("a", 0o600)
                try expectSame(area, ["a", "b", "d/c"], links: 3, size: Self.long.utf8.count + 2)
                #expect(try area.status("b").permissions == 0o600)
            }
        }
    }

    @Test("names come and go, before and after the first change", arguments: Subject.allCases)
    func counting(on subject: Subject) throws {
        try subject.stage(given: Self.layOut) { stage in
            try stage.act { area throws in
                try area.remove("b")
                try expectSame(area, ["a", "d/c"], links: 2, size: Self.long.utf8.count)
                try area.link("e", to: "d/c")
                try area.append("e", "!")
                try area.remove("a")
            }
            try stage.beforeAndAfterRemount { area throws in
                try expectSame(area, ["d/c", "e"], links: 2, size: Self.long.utf8.count + 1)
                #expect(try !area.exists("a") && !area.exists("b"))
            }
            try stage.act { area throws in
                try area.rename("d/c", "a")
                try area.link("b", to: "e")
            }
            try stage.beforeAndAfterRemount { area throws in
                try expectSame(area, ["a", "b", "e"], links: 3, size: Self.long.utf8.count + 1)
            }
        }
    }

    @Test("rename over one of several names takes one from the count", arguments: Subject.allCases)
    func renameOver(on subject: Subject) throws {
        try subject.stage(given: {
            try Self.layOut($0)
            try $0.file("x", "x")
        }) { stage in
            try stage.act { area throws in
                let held = try area.open("b")
                try area.rename("x", "b")
                if subject != .kernelOverlay { #expect(try held.status().linkCount == 2) }
                #expect(try held.text(count: 4) == "0123")
            }
            try stage.beforeAndAfterRemount { area throws in
                try expectSame(area, ["a", "d/c"], links: 2, size: Self.long.utf8.count)
                #expect(try area.text("b") == "x")
            }
        }
    }

    @Test("an open file counts its names down to none", arguments: Subject.allCases, [OpenFlags.readOnly, .readWrite])
    func downToNone(on subject: Subject, flags: OpenFlags) throws {
        // The kernel's overlay asks the lower file, which nobody unlinks.
        if subject == .kernelOverlay && !flags.canWrite { return }
        try subject.run(given: Self.layOut) { area throws in
            let held = try area.open("a", flags)
            for (name, left) in [("a", UInt32(2)), ("d/c", 1), ("b", 0)] {
                try area.remove(name)
                #expect(try held.status().linkCount == left, "after \(name)")
                #expect(try held.text(count: 4) == "0123")
            }
            try area.file("a", "another")
            #expect(try held.status().linkCount == 0)
        }
    }

    @Test("the last name is removed before the others were ever looked at", arguments: Subject.allCases)
    func unseenNames(on subject: Subject) throws {
        try subject.stage(given: Self.layOut) { stage in
            try stage.act { area throws in
                let held = try area.open("a", .readWrite)
                try area.remove("a")
                #expect(try held.status().linkCount == 2)
                try held.write("X", at: 0)
                try held.setMode(0o600)
                #expect(try area.status("b").permissions == 0o600)
                #expect(try area.open("d/c").text(count: 4) == "X123")
                try expectSame(area, ["b", "d/c"], links: 2, size: Self.long.utf8.count)
            }
            try stage.remount()
            try stage.act { area throws in
                try expectSame(area, ["b", "d/c"], links: 2, size: Self.long.utf8.count)
                #expect(try area.open("b").text(count: 4) == "X123")
            }
        }
    }

    @Test("links of symbolic links and special files", arguments: Subject.allCases)
    func otherKinds(on subject: Subject) throws {
        try subject.stage(given: {
            try $0.symlink("l", to: "target")
            try $0.link("m", to: "l")
            try $0.root.makeNode("p", mode: S_IFIFO | 0o644)
            try $0.link("q", to: "p")
        }) { stage in
            try stage.act { area throws in
                try area.setOwner("m", uid: 7, gid: 8)
                try area.setMode("q", 0o600)
                try area.link("n", to: "l")
            }
            try stage.beforeAndAfterRemount { area throws in
                for name in ["l", "m", "n"] {
                    #expect(try area.status(name).uid == 7 && area.status(name).linkCount == 3, "\(name)")
                    #expect(try area.target(name) == "target")
                }
                for name in ["p", "q"] {
                    #expect(try area.status(name).permissions == 0o600 && area.status(name).linkCount == 2, "\(name)")
                }
            }
        }
    }

    @Test(
        "a file gets its name back through its descriptor's path, while another name keeps it",
        arguments: Subject.allCases)
    func linkDescriptor(on subject: Subject) throws {
        try subject.run(given: Self.layOut) { area throws in
            let held = try area.open("a", .readWrite)
            try held.makeLink(in: area.root, at: "again")
            try expectSame(area, ["a", "again", "b", "d/c"], links: 4, size: Self.long.utf8.count)
            for name in ["a", "b", "d/c"] { try area.remove(name) }
            try held.write("X", at: 0)
            #expect(try area.open("again").text(count: 4) == "X123")
            #expect(try area.status("again").linkCount == 1)
            // A file without any name does not get one.
            try area.remove("again")
            expectError(.ENOENT) { try held.makeLink(in: area.root, at: "again") }
        }
    }
}
