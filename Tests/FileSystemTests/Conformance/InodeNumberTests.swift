import Glibc
import Linux
import TestSupport
import Testing

/// Inode numbers: one for each object, the same as readdir tells, and the same for ever.
@Suite struct InodeNumberTests {
    @Test("numbers stay through copy-up, rename, link and a new mount", arguments: Subject.allCases)
    func constant(on subject: Subject) throws {
        try subject.stage(layers: [
            {
                try $0.directory("m")
                try $0.file("m/f")
                try $0.file("g")
                try $0.link("h", to: "g")
                try $0.symlink("l", to: "g")
                try $0.root.makeNode("p", mode: S_IFIFO | 0o600)
                try $0.directory("d")
                try $0.directory("d/e")
            },
            {
                try $0.ensureDirectory("m")
                try $0.file("m/g")
            },
        ]) { stage in
            let before = try stage.act { area throws in
                let before = try TreeSnapshot(of: area.path)
                try area.append("m/f", "!")
                try area.setMode("d/e", 0o700)
                try area.append("h", "!")
                for name in ["l", "p"] { try area.setOwner(name, uid: 3, gid: 4) }
                try area.rename("d", "n")
                try area.rename("m", "d")
                try area.rename("n", "m")
                for name in ["m", "d", "m/e"] { try area.file(name + "/new") }
                try area.rename("g", "m/g")
                try area.link("i", to: "m/g")
                return before
            }
            let names = [
                "d": "m", "d/f": "m/f", "d/g": "m/g", "m": "d", "m/e": "d/e", "m/g": "g", "h": "g", "i": "g", "l": "l",
                "p": "p",
            ]
            try stage.beforeAndAfterRemount { area throws in
                let now = try TreeSnapshot(of: area.path)
                #expect(now.directoryFaults == [])
                for (name, earlier) in names {
                    #expect(now.entries[name]?.inode.value == before.entries[earlier]?.inode.value, "\(name)")
                }
                try expectUnique(now)
            }
        }
    }

    /// No two objects have one number, unless they are names of one file.
    private func expectUnique(_ tree: TreeSnapshot) throws {
        var names: [UInt64: String] = [:]
        for (name, entry) in tree.entries {
            if let other = names.updateValue(name, forKey: entry.inode.value) {
                #expect(entry.linkCount > 1 && entry.sameAs == tree.entries[other]?.sameAs, "\(name) and \(other)")
            }
        }
    }

    @Test("layers on different file systems never give two objects one number")
    func severalFileSystems() throws {
        try withScratch { scratch in
            let (memory, disk) = (
                try makeDirectory(scratch.appending("tmpfs")), try makeDirectory(scratch.appending("loop"))
            )
            let plain = try makeDirectory(scratch.appending("plain"))
            try Mount.mount(source: "tmpfs", target: memory, type: "tmpfs", options: "size=4m")
            defer { try? Mount.unmount(memory, flags: [.detach, .noFollow]) }
            try mountImage(scratch.appending("image"), on: disk)
            defer { try? Mount.unmount(disk, flags: [.detach, .noFollow]) }
            let layers = [memory, disk, plain]
            for (number, layer) in layers.enumerated() {
                try Area.with(layer) { area throws in
                    // New file systems number alike.
                    for name in ["d", "d\(number)"] { try area.directory(name) }
                    for file in 0..<50 { try area.file("d/\(number)-\(file)", "text") }
                    try area.file("d\(number)/a", "linked")
                    try area.link("d\(number)/b", to: "d\(number)/a")
                }
            }
            try withUnion(below: layers) { union in try checkNumbers(union, layers: layers.count) }
        }
    }

    private func checkNumbers(_ union: MountedUnion, layers: Int) throws {
        let before = try TreeSnapshot(of: union.target)
        #expect(before.directoryFaults == [])
        try expectUnique(before)
        try Area.with(union.target) { area throws in
            for number in 0..<layers {
                for file in 0..<50 where file % 3 == 0 { try area.append("d/\(number)-\(file)", "!") }
                for file in 0..<50 where file % 3 == 1 { try area.setMode("d/\(number)-\(file)", 0o600) }
                try area.append("d\(number)/b", "!")
                try area.file("d\(number)/new")
                #expect(try area.text("d\(number)/a") == "linked!")
                #expect(try area.status("d\(number)/a").inode == area.status("d\(number)/b").inode)
            }
            let now = try TreeSnapshot(of: area.path)
            #expect(now.directoryFaults == [])
            try expectUnique(now)
            #expect(now.changedInodes(since: before) == [])
        }
        try union.remount()
        let after = try TreeSnapshot(of: union.target)
        #expect(after.directoryFaults == [])
        try expectUnique(after)
        #expect(after.changedInodes(since: before) == [])
    }

    /// What readdir says of `.` and `..`.
    private func dots(_ directory: borrowing FileDescriptor) throws -> [String: UInt64] {
        var numbers: [String: UInt64] = [:]
        try directory.forEachEntry(includingDots: true) { (entry: DirectoryEntry) throws(Errno) in
            if entry.isDotOrDotDot { numbers[String(cString: entry.name)] = entry.inode }
            return true
        }
        return numbers
    }

    @Test("readdir of a directory that has moved names its new parent", arguments: Subject.allCases)
    func movedParent(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("a")
            try $0.directory("a/d")
            try $0.directory("b")
            try $0.file("a/d/f")
        }) { area throws in
            func expectParent(_ parent: String, of name: String) throws {
                let numbers = try dots(area.open(name, [.directory]))
                #expect(try numbers["."] == area.status(name).inode)
                #expect(try numbers[".."] == area.status(parent).inode)
            }
            // Twice: the kernel keeps what it has read.
            for _ in 0..<2 { try expectParent("a", of: "a/d") }
            try area.rename("a/d", "b/d")
            for _ in 0..<2 { try expectParent("b", of: "b/d") }
            try area.rename("b/d", "d")
            for _ in 0..<2 { try expectParent(".", of: "d") }
            try area.directory("b/e")
            for _ in 0..<2 { try expectParent("b", of: "b/e") }
            try area.rename("b/e", "d", .exchange)
            try expectParent("b", of: "b/e")
            try expectParent(".", of: "d")
        }
    }
}
