import Glibc
import Linux
import Testing

/// Names and paths: long ones, odd ones, deep ones.
@Suite struct NameTests {
    @Test("a name of 255 bytes works, one of 256 is ENAMETOOLONG", arguments: Subject.allCases)
    func nameLength(on subject: Subject) throws {
        let (longest, tooLong) = (String(repeating: "n", count: 255), String(repeating: "n", count: 256))
        try subject.run(given: {
            try $0.directory("d")
            try $0.file("d/" + longest, "given")
            try $0.file("f")
        }) { area throws in
            try area.append("d/" + longest, "!")
            #expect(try area.names("d") == [longest])
            try area.rename("d/" + longest, longest)
            #expect(try area.text(longest) == "given!")
            expectError(.ENAMETOOLONG) { _ = try area.open(tooLong) }
            expectError(.ENAMETOOLONG) { _ = try area.open(tooLong, [.writeOnly, .create]) }
            expectError(.ENAMETOOLONG) { _ = try area.status(tooLong) }
            expectError(.ENAMETOOLONG) { try area.directory(tooLong) }
            expectError(.ENAMETOOLONG) { try area.remove(tooLong) }
            expectError(.ENAMETOOLONG) { try area.removeDirectory(tooLong) }
            expectError(.ENAMETOOLONG) { try area.symlink(tooLong, to: "x") }
            expectError(.ENAMETOOLONG) { try area.link(tooLong, to: "f") }
            expectError(.ENAMETOOLONG) { try area.rename("f", tooLong) }
            expectError(.ENAMETOOLONG) { try area.rename(tooLong, "f") }
            expectError(.ENAMETOOLONG) { _ = try area.target(tooLong) }
        }
    }

    @Test("255 bytes of UTF-8", arguments: Subject.allCases)
    func wideNames(on subject: Subject) throws {
        let name = String(repeating: "ü", count: 127) + "x"
        try subject.run(given: { try $0.file(name, "given") }) { area throws in
            #expect(name.utf8.count == 255)
            try area.append(name, "!")
            #expect(try area.names() == [name])
            try area.remove(name)
            #expect(try area.names() == [])
        }
    }

    /// Names of 255 bytes.
    private static let longest = [
        String(repeating: "n", count: 255), String(repeating: "€", count: 85), String(repeating: "ü€", count: 51),
        String(repeating: "o", count: 255), String(repeating: "ö", count: 127) + "x",
    ]

    @Test("the longest names over two lower layers: written to, renamed, linked, removed", arguments: Subject.allCases)
    func longestNamesInLayers(on subject: Subject) throws {
        let (a, b, c, d, e) = (
            Self.longest[0], Self.longest[1], Self.longest[2], Self.longest[3], Self.longest[4]
        )
        try subject.stage(layers: [
            { area in
                for name in ["m", a, "\(a)/\(b)", "gone", "gone/\(a)"] { try area.directory(name) }
                for name in [b, "m/\(a)", "m/\(b)", "\(a)/\(b)/\(c)", "gone/\(a)/\(b)", "gone/\(b)", "h"] {
                    try area.file(name, "below")
                }
                for name in [c, "m/\(c)", "m/\(d)"] { try area.link(name, to: "h") }
            },
            { area in
                for name in ["m", a] { try area.ensureDirectory(name) }
                for name in ["m/\(e)", "\(a)/\(d)"] { try area.file(name, "above") }
            },
        ]) { stage in
            try stage.act { area throws in
                try area.append(b, "!")
                try area.append("m/\(a)", "!")
                try area.rename(b, d)
                try area.rename("m/\(a)", "\(a)/\(a)")
                try area.link("\(a)/\(b)/\(b)", to: d)
                // Of four names of one file one is renamed, one removed, and one written to.
                try area.rename("h", "m/\(String(repeating: "h", count: 255))")
                try area.remove("m/\(c)")
                try area.append("m/\(d)", "!")
                // Attributes alone, so that the name leads to the data.
                try area.setMode("m/\(b)", 0o600)
                try area.rename("m/\(b)", "m/\(a)")
                try area.rename("m/\(e)", "m/\(c)")
                try area.rename(a, e)
                try area.append("\(e)/\(b)/\(c)", "!")
                try area.remove("gone/\(a)/\(b)")
                try area.removeDirectory("gone/\(a)")
                try area.remove("gone/\(b)")
                try area.directory("gone/\(a)")
            }
            try stage.beforeAndAfterRemount { area throws in
                #expect(Set(try area.names()) == [c, d, e, "m", "gone"])
                #expect(Set(try area.names("m")) == [a, c, d, String(repeating: "h", count: 255)])
                #expect(Set(try area.names(e)) == [a, b, d])
                #expect(Set(try area.names("\(e)/\(b)")) == [b, c])
                #expect(try area.names("gone") == [a])
                #expect(try area.names("gone/\(a)").isEmpty)
                for name in [d, "\(e)/\(a)", "\(e)/\(b)/\(b)", "\(e)/\(b)/\(c)"] {
                    #expect(try area.text(name) == "below!")
                }
                for name in [c, "m/\(d)", "m/\(String(repeating: "h", count: 255))"] {
                    #expect(try area.text(name) == "below!" && area.status(name).linkCount == 3)
                }
                #expect(try area.text("m/\(a)") == "below" && area.text("m/\(c)") == "above")
                #expect(try area.text("\(e)/\(d)") == "above")
            }
        }
    }

    @Test("names are bytes: not UTF-8, newlines, spaces, commas, colons, backslashes", arguments: Subject.allCases)
    func oddBytes(on subject: Subject) throws {
        let names: [[CChar]] = [
            [-1, -2, 0], [97, -128, 98, 0], [10, 0], [32, 0], [44, 58, 92, 0], [45, 114, 102, 0], [1, 127, 0],
        ]
        try subject.run(given: { area in
            for name in names { try area.root.open(name, [.writeOnly, .create], mode: 0o644).writeAll("given") }
        }) { area throws in
            for name in names {
                try area.root.open(name, [.writeOnly, .append]).writeAll("!")
                #expect(try area.root.open(name).text() == "given!")
                #expect(try area.root.status(of: name).size == 6)
            }
            #expect(try area.open(".", [.directory]).sortedEntryNames() == names.sorted { strcmp($0, $1) < 0 })
            for name in names { try area.root.unlink(name) }
            #expect(try area.open(".", [.directory]).sortedEntryNames().isEmpty)
        }
    }

    @Test("names that mean something to other unions are just names", arguments: Subject.allCases)
    func dotFiles(on subject: Subject) throws {
        // Not .wh.: that is a whiteout in the layers of some tools, and is read as one.
        let names = [".", "..", "...", ".hidden", "..x", "work", "index", "#1", "a.", "-"]
        try subject.run { area in
            for name in names.dropFirst(2) {
                try area.file(name, name)
                #expect(try area.text(name) == name)
            }
            #expect(try area.names() == names.dropFirst(2).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
            for name in names.prefix(2) {
                expectError(.EEXIST) { try area.directory(name) }
                expectError(.EBUSY, .EINVAL, .ENOTEMPTY) { try area.removeDirectory(name) }
            }
        }
    }

    @Test("`..` leads back, also out of directories that were renamed", arguments: Subject.allCases)
    func parent(on subject: Subject) throws {
        try subject.run(given: {
            for name in ["a", "a/b", "c"] { try $0.directory(name) }
            try $0.file("f", "top")
            try $0.file("c/f", "of c")
        }) { area throws in
            #expect(try area.text("a/b/../../f") == "top")
            let held = try area.open("a/b", [.directory])
            try area.rename("a/b", "c/b")
            #expect(String(decoding: try held.open("../f").readAll(), as: UTF8.self) == "of c")
            #expect(try held.status(of: "..").inode == area.status("c").inode)
        }
    }

    @Test("a path of more than 4096 bytes is reached in pieces", arguments: Subject.allCases)
    func deepPaths(on subject: Subject) throws {
        let name = String(repeating: "d", count: 200)
        let levels = 30
        // Two directories are open at a time, as `cd` would have it.
        func descend(_ area: Area, make: Bool, at bottom: (borrowing FileDescriptor) throws -> Void) throws {
            var current = try area.open(".", [.directory])
            for _ in 0..<levels {
                if make { try current.makeDirectory(name, mode: 0o755) }
                current = try current.open(name, [.directory])
            }
            try bottom(current)
        }
        try subject.run(given: { area in
            try descend(area, make: true) { directory in
                try directory.open("f", [.writeOnly, .create], mode: 0o644).writeAll("deep")
            }
        }) { area throws in
            try descend(area, make: false) { directory in
                try directory.open("f", [.writeOnly, .append]).writeAll("!")
                #expect(try directory.open("f").text() == "deep!")
                try directory.makeDirectory("e", mode: 0o755)
                try directory.rename("f", to: directory, "e/g")
            }
            try area.rename(name, "moved")
            try area.rename("moved", name)
            try descend(area, make: false) { directory throws in
                #expect(try directory.open("e/g").text() == "deep!")
            }
            expectError(.ENAMETOOLONG) {
                _ = try area.status((0..<levels).map { _ in name }.joined(separator: "/") + "/e/g")
            }
            try area.root.removeTree(name)
            #expect(try area.names() == [])
        }
    }

    @Test("many levels of short names", arguments: Subject.allCases)
    func manyLevels(on subject: Subject) throws {
        let path = (0..<200).map { "\($0 % 10)" }.joined(separator: "/")
        try subject.run(given: { area in
            var current = ""
            for part in path.split(separator: "/") {
                current += current.isEmpty ? String(part) : "/" + part
                try area.directory(current)
            }
            try area.file(path + "/f", "deep")
        }) { area throws in
            try area.append(path + "/f", "!")
            #expect(try area.text(path + "/f") == "deep!")
            // The kernel's overlay writes down where a renamed directory came from in 256 bytes, or refuses.
            if subject == .kernelOverlay { return }
            try area.directory("elsewhere")
            try area.rename(String(path.dropLast(100)), "elsewhere/x")
            #expect(try area.text("elsewhere/x/" + path.suffix(99) + "/f") == "deep!")
        }
    }
}
