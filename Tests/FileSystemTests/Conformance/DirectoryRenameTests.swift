import Glibc
import Linux
import Testing

/// Directories that move with what is below them, on this mount and on the next: nothing that was deleted comes back,
/// nothing that is there goes.
@Suite struct DirectoryRenameTests {
    /// Two layers that share the directory `m`: a part of it in each, and a file of the lower that the upper hides.
    private static func layers() -> [(Area) throws -> Void] {
        [
            {
                try $0.directory("m")
                try $0.file("m/low", "low")
                try $0.directory("m/sub")
                try $0.file("m/sub/low", "sub low")
                try $0.directory("plain")
                try $0.file("plain/f", "plain")
            },
            {
                try $0.ensureDirectory("m")
                try $0.file("m/high", "high")
                try $0.ensureDirectory("m/sub")
                try $0.file("m/sub/high", "sub high")
            },
        ]
    }

    @Test("a directory with parts in several layers moves, and keeps all of them", arguments: Subject.allCases)
    func merged(on subject: Subject) throws {
        try subject.stage(layers: Self.layers()) { stage in
            let inode = try stage.act { area throws in
                let inode = try area.status("m").inode
                try area.file("m/new", "new")
                try area.rename("m", "n")
                try area.rename("n", "plain/m")
                return inode
            }
            try stage.beforeAndAfterRemount { area throws in
                #expect(try area.names() == ["plain"])
                #expect(try area.names("plain/m") == ["high", "low", "new", "sub"])
                #expect(try area.names("plain/m/sub") == ["high", "low"])
                #expect(try area.text("plain/m/sub/low") == "sub low")
                #expect(try area.status("plain/m").inode == inode)
            }
        }
    }

    @Test("a directory moves out of one that has moved, and the other way round", arguments: Subject.allCases)
    func nested(on subject: Subject) throws {
        try subject.stage(layers: Self.layers()) { stage in
            try stage.act { area throws in
                try area.rename("m", "n")
                try area.rename("n/sub", "sub")
                try area.rename("plain", "n/plain")
                try area.rename("n", "sub/n")
            }
            try stage.beforeAndAfterRemount { area throws in
                #expect(try area.names() == ["sub"])
                #expect(try area.names("sub") == ["high", "low", "n"])
                #expect(try area.names("sub/n") == ["high", "low", "plain"])
                #expect(try area.text("sub/n/plain/f") == "plain")
                #expect(try area.text("sub/low") == "sub low")
            }
        }
    }

    @Test(
        "what was deleted before a move stays deleted, and what was deleted after it too", arguments: Subject.allCases)
    func deletions(on subject: Subject) throws {
        try subject.stage(layers: Self.layers()) { stage in
            try stage.act { area throws in
                try area.remove("m/low")
                try area.rename("m", "n")
                try area.remove("n/sub/low")
                try area.rename("n", "m")
            }
            try stage.beforeAndAfterRemount { area throws in
                #expect(try area.names() == ["m", "plain"])
                #expect(try area.names("m") == ["high", "sub"])
                #expect(try area.names("m/sub") == ["high"])
                #expect(try !area.exists("m/low") && !area.exists("m/sub/low"))
            }
        }
    }

    @Test("a new directory in the place of one that moved away or was removed is empty", arguments: Subject.allCases)
    func madeAnew(on subject: Subject) throws {
        try subject.stage(layers: Self.layers()) { stage in
            try stage.act { area throws in
                try area.rename("m", "n")
                try area.directory("m")
                try area.root.removeTree("plain")
                try area.directory("plain")
                try area.directory("m/sub")
            }
            try stage.beforeAndAfterRemount { area throws in
                #expect(try area.names("m") == ["sub"])
                #expect(try area.names("m/sub") == [])
                #expect(try area.names("plain") == [])
                #expect(try area.names("n/sub") == ["high", "low"])
            }
            // And these can take each other's place.
            try stage.act { area throws in
                try area.removeDirectory("m/sub")
                try area.rename("n/sub", "m/sub")
                try area.removeDirectory("plain")
                try area.rename("n", "plain")
            }
            try stage.beforeAndAfterRemount { area throws in
                #expect(try area.names() == ["m", "plain"])
                #expect(try area.names("m/sub") == ["high", "low"])
                #expect(try area.names("plain") == ["high", "low"])
            }
        }
    }

    @Test("RENAME_EXCHANGE of given, new and mixed directories", arguments: Subject.allCases)
    func exchange(on subject: Subject) throws {
        try subject.stage(layers: Self.layers()) { stage in
            try stage.act { area throws in
                try area.directory("new")
                try area.file("new/f", "new")
                try area.rename("m", "new", .exchange)
                try area.rename("plain", "m", .exchange)
                try area.file("file", "file")
                try area.rename("file", "new/sub", .exchange)
            }
            try stage.beforeAndAfterRemount { area throws in
                #expect(try area.text("plain/f") == "new")
                #expect(try area.text("m/f") == "plain")
                #expect(try area.names("new") == ["high", "low", "sub"])
                #expect(try area.text("new/sub") == "file")
                #expect(try area.names("file") == ["high", "low"])
                #expect(try area.names("plain") == ["f"] && area.names("m") == ["f"])
            }
        }
    }

    @Test("a directory moves to a name that was deleted", arguments: Subject.allCases)
    func overDeleted(on subject: Subject) throws {
        try subject.stage(layers: Self.layers()) { stage in
            try stage.act { area throws in
                try area.root.removeTree("plain")
                try area.rename("m/sub", "plain")
                try area.remove("m/low")
                try area.directory("d")
                try area.file("d/f", "d")
                try area.rename("d", "m/low")
            }
            try stage.beforeAndAfterRemount { area throws in
                #expect(try area.names("plain") == ["high", "low"])
                #expect(try area.names("m") == ["high", "low"])
                #expect(try area.text("m/low/f") == "d")
                #expect(try !area.exists("d"))
            }
        }
    }

    @Test("a directory replaces one from which everything was deleted", arguments: Subject.allCases)
    func overEmptied(on subject: Subject) throws {
        try subject.stage(layers: Self.layers()) { stage in
            try stage.act { area throws in
                for name in ["m/sub/high", "m/sub/low"] { try area.remove(name) }
                try area.rename("plain", "m/sub")
                try area.directory("new")
                try area.rename("new", "plain")
            }
            try stage.beforeAndAfterRemount { area throws in
                #expect(try area.names("m/sub") == ["f"])
                #expect(try area.names("plain") == [])
                #expect(try area.names() == ["m", "plain"])
            }
        }
    }

    @Test("directories made anew inside of directories made anew", arguments: Subject.allCases)
    func opaqueInOpaque(on subject: Subject) throws {
        try subject.stage(layers: Self.layers()) { stage in
            try stage.act { area throws in
                try area.root.removeTree("m/sub")
                try area.directory("m/sub")
                try area.rename("m", "n")
                try area.root.removeTree("n")
                try area.directory("m")
                try area.directory("m/sub")
                try area.directory("m/sub/sub")
                try area.rename("m/sub", "m/other")
            }
            try stage.beforeAndAfterRemount { area throws in
                #expect(try area.names() == ["m", "plain"])
                #expect(try area.names("m") == ["other"])
                #expect(try area.names("m/other") == ["sub"])
                #expect(try area.names("m/other/sub") == [])
            }
        }
    }

    @Test("moving back and forth many times, with changes in between", arguments: Subject.allCases)
    func backAndForth(on subject: Subject) throws {
        try subject.stage(layers: Self.layers()) { stage in
            try stage.act { area throws in
                for turn in 0..<10 {
                    try area.rename("m", "t\(turn)")
                    try area.file("t\(turn)/n\(turn)", "new")
                    try area.rename("t\(turn)/sub", "m")
                    try area.rename("m", "t\(turn)/sub")
                    try area.rename("t\(turn)", "m")
                    if turn == 4 { try area.remove("m/n0") }
                }
            }
            let wanted = (["high", "low", "sub"] + (1..<10).map { "n\($0)" }).sorted()
            try stage.beforeAndAfterRemount { area throws in
                #expect(try area.names("m") == wanted)
                #expect(try area.names("m/sub") == ["high", "low"])
                #expect(try area.names() == ["m", "plain"])
            }
        }
    }

    @Test(
        "files and directories that are open stay what they are while the directory above moves",
        arguments: Subject.allCases)
    func heldOpen(on subject: Subject) throws {
        try subject.stage(layers: Self.layers()) { stage in
            try stage.act { area throws in
                let file = try area.open("m/sub/low")
                let writer = try area.open("m/sub/high", [.readWrite, .append])
                let directory = try area.open("m/sub", [.directory])
                try area.rename("m", "n")
                #expect(try file.text() == "sub low")
                try writer.writeAll("!")
                #expect(try area.text("n/sub/high") == "sub high!")
                try directory.open("new", [.writeOnly, .create], mode: 0o644).writeAll("x")
                try directory.unlink("low")
                #expect(try area.names("n/sub") == ["high", "new"])
                #expect(try directory.status(of: "..").inode == area.status("n").inode)
                try area.directory("m")
                #expect(try area.names("m") == [])
            }
            try stage.remount()
            try stage.act { area throws in #expect(try area.names("n/sub") == ["high", "new"]) }
        }
    }
}
