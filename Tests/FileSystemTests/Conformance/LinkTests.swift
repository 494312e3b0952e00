import Glibc
import Linux
import Testing

/// link(2), unlink(2), symlink(2).
@Suite struct LinkTests {
    @Test("a hard link is the same file", arguments: Subject.allCases)
    func hardLink(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("a", "text")
            try $0.directory("d")
        }) { area throws in
            try area.link("d/b", to: "a")
            #expect(try area.status("a").inode == area.status("d/b").inode)
            #expect(try area.status("a").linkCount == 2)
            try area.append("a", "!")
            #expect(try area.text("d/b") == "text!")
            try area.setMode("d/b", 0o600)
            #expect(try area.status("a").permissions == 0o600)
        }
    }

    @Test("links made before stay links, and count right", arguments: Subject.allCases)
    func givenLinks(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("a", "text")
            try $0.link("b", to: "a")
            try $0.directory("d")
            try $0.link("d/c", to: "a")
        }) { area throws in
            #expect(try area.status("b").linkCount == 3)
            try area.append("b", " more")
            for name in ["a", "b", "d/c"] {
                #expect(try area.text(name) == "text more")
                #expect(try area.status(name).linkCount == 3)
                #expect(try area.status(name).inode == area.status("a").inode)
            }
            try area.remove("a")
            #expect(try area.status("b").linkCount == 2)
            #expect(try area.status("d/c").linkCount == 2)
            try area.remove("d/c")
            #expect(try area.status("b").linkCount == 1)
            #expect(try area.text("b") == "text more")
        }
    }

    @Test("removing names that were links before counts down without any write", arguments: Subject.allCases)
    func removeGivenLinks(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("a", "text")
            try $0.link("b", to: "a")
        }) { area throws in
            #expect(try area.status("a").linkCount == 2)
            try area.remove("b")
            #expect(try area.status("a").linkCount == 1)
            try area.link("c", to: "a")
            #expect(try area.status("a").linkCount == 2)
            #expect(try area.status("c").inode == area.status("a").inode)
        }
    }

    @Test("link(2) refuses directories, existing names and missing files", arguments: Subject.allCases)
    func refusals(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f")
            try $0.file("g")
            try $0.directory("d")
        }) { area throws in
            expectError(.EPERM) { try area.link("x", to: "d") }
            expectError(.EEXIST) { try area.link("g", to: "f") }
            expectError(.ENOENT) { try area.link("x", to: "missing") }
            expectError(.ENOENT) { try area.link("missing/x", to: "f") }
        }
    }

    @Test("a hard link to a symbolic link is to the link", arguments: Subject.allCases)
    func linkToSymlink(on subject: Subject) throws {
        try subject.run(given: { try $0.symlink("l", to: "nowhere") }) { area throws in
            try area.link("m", to: "l")
            #expect(try area.target("m") == "nowhere")
            #expect(try area.status("l").linkCount == 2)
        }
    }

    @Test("a file that is unlinked while open lives on without a name", arguments: Subject.allCases)
    func unlinkOpen(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "text") }) { area throws in
            let file = try area.open("f", .readWrite)
            try area.remove("f")
            #expect(try !area.exists("f"))
            #expect(try file.status().linkCount == 0)
            try file.write("TEXT!", at: 0)
            #expect(try file.text() == "TEXT!")
            try file.setMode(0o600)
            #expect(try file.status().permissions == 0o600)
            try file.truncate(to: 2)
            #expect(try file.status().size == 2)
            try area.file("f", "another")
            #expect(try file.text() == "TE")
        }
    }

    @Test("a file that is unlinked while open for reading lives on", arguments: Subject.allCases)
    func unlinkOpenReader(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "text") }) { area throws in
            let file = try area.open("f")
            try area.remove("f")
            #expect(try file.text() == "text")
            #expect(try file.status().size == 4)
            // The kernel's overlay passes the question on to the lower file, which nobody unlinks.
            if subject != .kernelOverlay { #expect(try file.status().linkCount == 0) }
        }
    }

    @Test("unlink of a directory is EISDIR, of a missing name ENOENT", arguments: Subject.allCases)
    func unlinkRefusals(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("d")
            try $0.file("f")
        }) { area throws in
            expectError(.EISDIR) { try area.remove("d") }
            expectError(.ENOENT) { try area.remove("missing") }
            expectError(.ENOTDIR) { try area.remove("f/x") }
            try area.remove("f")
            expectError(.ENOENT) { try area.remove("f") }
        }
    }

    @Test("a name can be removed and made again, many times", arguments: Subject.allCases)
    func removeAndMake(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "0") }) { area throws in
            for turn in 1...20 {
                try area.remove("f")
                #expect(try area.names() == [])
                try area.file("f", String(turn))
                #expect(try area.text("f") == String(turn))
            }
            try area.remove("f")
            try area.symlink("f", to: "x")
            #expect(try area.target("f") == "x")
        }
    }

    @Test("symbolic links: dangling, absolute, long", arguments: Subject.allCases, [1, 59, 60, 255, 1000, 4095])
    func symlinkLengths(on subject: Subject, length: Int) throws {
        let target = String(repeating: "x", count: length)
        try subject.run(given: { try $0.symlink("given", to: target) }) { area throws in
            try area.symlink("made", to: target)
            for name in ["given", "made"] {
                #expect(try area.target(name) == target)
                #expect(try area.status(name).size == Int64(length))
            }
        }
    }

    @Test("symbolic links lead through directories, loops are ELOOP", arguments: Subject.allCases)
    func symlinkResolution(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("d")
            try $0.file("d/f", "text")
            try $0.symlink("to-d", to: "d")
            try $0.symlink("d/up", to: "..")
            try $0.symlink("loop", to: "loop")
            try $0.symlink("ping", to: "pong")
            try $0.symlink("pong", to: "ping")
        }) { area throws in
            #expect(try area.text("to-d/f") == "text")
            #expect(try area.text("d/up/d/up/to-d/f") == "text")
            expectError(.ELOOP) { _ = try area.open("loop") }
            expectError(.ELOOP) { _ = try area.open("ping/x") }
            expectError(.EINVAL) { _ = try area.target("d/f") }
            expectError(.ENAMETOOLONG) { try area.symlink("x", to: String(repeating: "x", count: 4096)) }
            expectError(.ENOENT) { try area.symlink("x", to: "") }
        }
    }

    @Test("many names of one file", arguments: Subject.allCases)
    func manyLinks(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f", "text")
            for number in 0..<50 { try $0.link("g\(number)", to: "f") }
        }) { area throws in
            for number in 0..<50 { try area.link("n\(number)", to: number % 2 == 0 ? "f" : "g\(number)") }
            #expect(try area.status("f").linkCount == 101)
            try area.append("n49", "!")
            #expect(try area.text("g0") == "text!")
            for number in 0..<50 { try area.remove("g\(number)") }
            #expect(try area.status("n0").linkCount == 51)
        }
    }
}
