import Glibc
import Linux
import TestSupport
import Testing

/// Changes of attributes alone, which copy no data, and what comes after them.
@Suite struct MetacopyMountTests {
    /// Short enough for the mount's own page cache, and long enough for the kernel to read the file by itself.
    private static let lengths = [16, 64 * 1024]

    private static func text(_ length: Int) -> String { String(repeating: "0123456789abcdef", count: length / 16) }

    @Test("appended to after chmod", arguments: Subject.allCases, lengths)
    func append(on subject: Subject, length: Int) throws {
        try subject.stage(given: { try $0.file("f", Self.text(length)) }) { stage in
            try stage.act { area throws in
                let blocks = try area.status("f").blocks
                try area.setMode("f", 0o600)
                #expect(try area.text("f") == Self.text(length))
                #expect(try area.status("f").blocks == blocks)
                try area.append("f", "!")
            }
            try stage.beforeAndAfterRemount { area throws in
                #expect(try area.text("f") == Self.text(length) + "!")
                #expect(try area.status("f").permissions == 0o600)
            }
        }
    }

    @Test(
        "each way to write, after chmod and rename", arguments: Subject.allCases,
        ["write", "truncate", "O_TRUNC", "mmap"])
    func writeAfterRename(on subject: Subject, way: String) throws {
        let text = Self.text(64 * 1024)
        try subject.stage(given: {
            try $0.directory("d")
            try $0.file("d/f", text)
        }) { stage in
            let wanted = ["truncate": String(text.prefix(20_000)), "O_TRUNC": "new"][way] ?? "NEW" + text.dropFirst(3)
            try stage.act { area throws in
                try area.setMode("d/f", 0o600)
                try area.rename("d/f", "g")
                switch way {
                case "write": try area.open("g", .writeOnly).write("NEW", at: 0)
                case "truncate": try truncateFile(area.path.appending("g"), to: 20_000)
                case "O_TRUNC": try area.overwrite("g", "new")
                default:
                    let shared = try Mapping(try area.open("g", .readWrite), length: 4096, writable: true, shared: true)
                    shared.store("NEW", at: 0)
                    try shared.sync()
                }
            }
            try stage.beforeAndAfterRemount { area throws in
                #expect(try area.text("g") == wanted)
                #expect(try area.names("d") == [])
            }
        }
    }

    @Test("a reader and a mapping are there before chmod and before the write", arguments: Subject.allCases, lengths)
    func readers(on subject: Subject, length: Int) throws {
        let text = Self.text(length)
        try subject.run(given: { try $0.file("f", text) }) { area throws in
            let before = try area.open("f")
            let mapping = try Mapping(before, length: 16, writable: false, shared: true)
            #expect(mapping.text(count: 6) == "012345")
            try area.setMode("f", 0o640)
            #expect(try before.status().permissions == 0o640)
            let between = try area.open("f")
            try before.setMode(0o600)
            #expect(try between.status().permissions == 0o600)
            #expect(try between.text(count: 6) == "012345")
            try area.append("f", "!")
            #expect(try area.text("f") == text + "!")
            #expect(try before.text(count: 6) == "012345" && between.text(count: 6) == "012345")
            #expect(mapping.text(count: 6) == "012345")
            #expect(try area.status("f").permissions == 0o600)
        }
    }

    @Test("a file of attributes is unlinked with a reader", arguments: Subject.allCases, lengths)
    func unlinked(on subject: Subject, length: Int) throws {
        try subject.run(given: { try $0.file("f", Self.text(length)) }) { area throws in
            let reader = try area.open("f")
            try area.setMode("f", 0o640)
            try area.setOwner("f", uid: 3, gid: 4)
            let before = try reader.status()
            try area.remove("f")
            let status = try reader.status()
            #expect(status.permissions == 0o640 && status.uid == 3 && status.linkCount == 0)
            #expect(status.size == Int64(length) && status.blocks == before.blocks)
            #expect(try reader.text(count: 6) == "012345")
            try reader.setMode(0o600)
            try reader.setAttribute("user.a", [1])
            #expect(try reader.status().permissions == 0o600)
            #expect(try reader.attribute("user.a") == [1])
            try reader.sync()
            #expect(try area.names() == [])
        }
    }

    @Test("programs see neither mark nor redirect", arguments: [Subject.strataLower, .kernelOverlay])
    func hidden(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f") }) { area throws in
            try area.setMode("f", 0o600)
            try area.rename("f", "g")
            #expect(try area.open("g").attributeNames().isEmpty)
            #expect(try area.root.attribute("trusted.overlay.metacopy", of: "g") == nil)
        }
    }

    // MARK: The format

    private static func fillLowest(_ area: Area) throws {
        for directory in ["d", "d/sub", "e"] { try area.directory(directory) }
        for name in ["f", "d/g", "d/sub/h", "e/i", "hard", "x1", "x2", "cut", "more", "moved"] {
            try area.file(name, name + text(32 * 1024))
        }
        try area.link("d/hard2", to: "hard")
    }

    private static func fillSecond(_ area: Area) throws {
        try area.directory("d")
        try area.file("d/two", text(16 * 1024))
        try area.file("top", text(48 * 1024))
    }

    private static func change(_ area: Area) throws {
        let time = TimeSpec(seconds: 1_000_000, nanoseconds: 7)
        try area.setMode("f", 0o600)
        try area.setOwner("d/g", uid: 3, gid: 4)
        try area.root.setTimes(of: "d/sub/h", access: time, modification: time)
        try area.root.setAttribute("user.a", of: "e/i", [1])
        for name in ["hard", "top", "d/two", "cut", "more"] { try area.setMode(name, 0o640) }
        try area.rename("moved", "e/here")
        try area.rename("d", "dd")
        try area.rename("dd/sub", "sub")
        try area.rename("dd/hard2", "hard3")
        try area.link("e/linked", to: "x1")
        try area.remove("x1")
        try area.rename("e/linked", "dd/y")
        try area.rename("x2", "f", .exchange)
        try truncateFile(area.path.appending("cut"), to: 10)
        try area.append("more", "!")
    }

    /// Changes what a layer with such files shows, so that there are files of attributes over files of attributes.
    private static func changeAgain(_ area: Area) throws {
        try area.setMode("sub/h", 0o611)
        try area.rename("dd", "d3")
        try area.rename("d3/y", "z")
        try area.rename("x2", "d3/x2")
        try area.setOwner("hard3", uid: 8, gid: 9)
        try area.append("e/here", "!")
    }

    @Test(
        "what one has written another shows, above and below",
        arguments: [MountedUnion.Server.strata, .kernel], [MountedUnion.Server.strata, .kernel])
    func exchange(writer: MountedUnion.Server, reader: MountedUnion.Server) throws {
        try withUnion(writer, layers: [Self.fillLowest, Self.fillSecond]) { union in
            let below = try union.lower.map { try TreeSnapshot(of: $0, changeTimes: true) }
            try Area.with(union.target, Self.change)
            let written = try TreeSnapshot(of: union.target)
            try union.unmount()
            let other = MountedUnion(reader, sharing: union)
            try other.mount()
            #expect(written.differences(to: try TreeSnapshot(of: other.target)) == [])
            try other.unmount()
            // Something in the upper directory is not whole, or this would prove nothing.
            try Area.with(union.upper ?? "") { area throws in
                for name in ["top", "sub/h", "dd/g", "dd/y", "hard3", "f"] {
                    #expect(try area.root.attribute("trusted.overlay.metacopy", of: name) == [], "\(name)")
                    #expect(try area.status(name).allocatedSize <= 8192, "\(name)")
                }
                for name in ["cut", "more"] {
                    #expect(try area.root.attribute("trusted.overlay.metacopy", of: name) == nil, "\(name)")
                }
            }
            try asLayer(union, reader, then: writer, shows: written)
            try union.mount()
            for (path, old) in zip(union.lower, below) {
                #expect(old.differences(to: try TreeSnapshot(of: path, changeTimes: true)) == [])
            }
        }
    }

    /// Mounts the upper directory of a union as its topmost lower layer.
    private func asLayer(
        _ union: MountedUnion, _ server: MountedUnion.Server, then next: MountedUnion.Server,
        shows written: TreeSnapshot
    ) throws {
        guard let upper = union.upper else { return }
        try withUnion(server, below: [upper] + union.lower) { stacked in
            // The root is the new upper directory.
            let differences = written.differences(to: try TreeSnapshot(of: stacked.target), links: false)
            #expect(differences.filter { !$0.hasPrefix(".: ") } == [])
            try Area.with(stacked.target, Self.changeAgain)
            let changed = try TreeSnapshot(of: stacked.target)
            try stacked.unmount()
            let other = MountedUnion(next, sharing: stacked)
            try other.mount()
            #expect(changed.differences(to: try TreeSnapshot(of: other.target)) == [])
            try other.unmount()
            try stacked.mount()
        }
    }

    @Test("data-only layers", arguments: [MountedUnion.Server.strata, .kernel])
    func dataOnly(server: MountedUnion.Server) throws {
        try withScratch { scratch in
            for name in ["a", "b", "c"] { try makeDirectory(scratch.appending(name)) }
            try Area.with(scratch) { area throws in
                try area.directory("b/objects")
                try area.file("b/objects/1", "one")
                try area.file("c/2", "two")
                try area.file("c/unseen", "hidden")
                for (name, redirect) in [("x", "/objects/1"), ("y", "/2"), ("lost", "/nothing")] {
                    try area.file("a/\(name)", "")
                    try truncateFile(area.path.appending("a/\(name)"), to: 3)
                    try area.root.setAttribute("trusted.overlay.metacopy", of: "a/\(name)", [])
                    try area.root.setAttribute("trusted.overlay.redirect", of: "a/\(name)", Array(redirect.utf8))
                }
            }
            let lower = [scratch.appending("a") + "::" + scratch.appending("b") + "::" + scratch.appending("c")]
            try withUnion(server, below: lower) { union throws in
                try Area.with(union.target) { area throws in
                    #expect(try area.names() == ["lost", "x", "y"])
                    #expect(try area.text("x") == "one" && area.text("y") == "two")
                    expectError(.EIO, .ENOENT) { _ = try area.text("lost") }
                    try area.setMode("x", 0o600)
                    try area.rename("x", "z")
                    #expect(try area.text("z") == "one")
                    try area.append("z", "!")
                    #expect(try area.text("z") == "one!")
                }
            }
        }
    }
}
