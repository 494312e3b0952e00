import Glibc
import Linux
import TestSupport
import Testing

/// name_to_handle_at(2) and open_by_handle_at(2), as an NFS server uses them.
///
/// As the kernel's overlay, the union has no handles that can be opened unless it is told to be exported.
@Suite(.mountOptions("nfs_export=on")) struct FileHandleTests {
    static let subjects = Subject.allCases.filter { $0 != .kernelOverlay }

    private static func layOut(_ area: Area) throws {
        try area.directory("d")
        try area.directory("d/e")
        try area.file("d/e/f", "text")
        try area.symlink("d/l", to: "nowhere")
        for number in 0..<200 { try area.file("d/n\(number)", String(number)) }
    }

    @Test("a handle leads back to its object, whatever has been forgotten", arguments: subjects)
    func roundTrip(on subject: Subject) throws {
        try subject.run(given: Self.layOut) { area throws in
            let names = [".", "d", "d/e", "d/e/f", "d/l"] + (0..<200).map { "d/n\($0)" }
            let handles = try names.map { (try area.root.fileHandle(of: $0), try area.status($0).inode) }
            for _ in 0..<2 {
                try dropCaches()
                for (name, (handle, inode)) in zip(names, handles) {
                    let file = try area.root.open(handle, .path)
                    #expect(try file.status().inode == inode, "\(name)")
                }
            }
            try dropCaches()
            let file = try area.root.open(handles[3].0, .readWrite)
            try file.write("T", at: 0)
            #expect(try area.text("d/e/f") == "Text")
            try dropCaches()
            #expect(try area.root.open(handles[3].0, .readOnly).text() == "Text")
            let directory = try area.root.open(handles[2].0, [.readOnly, .directory])
            #expect(try directory.sortedEntryNames().count == 1)
            #expect(try directory.status(of: "..").inode == area.status("d").inode)
            try directory.open("new", [.writeOnly, .create], mode: 0o600).writeAll("new")
            #expect(try area.text("d/e/new") == "new")
        }
    }

    @Test("a handle stays right through copy-up, rename and link", arguments: subjects)
    func changes(on subject: Subject) throws {
        try subject.run(given: Self.layOut) { area throws in
            let file = try area.root.fileHandle(of: "d/e/f")
            let directory = try area.root.fileHandle(of: "d/e")
            try area.append("d/e/f", "!")
            try area.rename("d/e", "e")
            try area.rename("e/f", "g")
            try area.link("h", to: "g")
            try dropCaches()
            #expect(try area.root.open(file, .readOnly).text() == "text!")
            #expect(try area.root.open(directory, [.readOnly, .directory]).sortedEntryNames().isEmpty)
            try area.remove("g")
            try dropCaches()
            #expect(try area.root.open(file, .readOnly).text() == "text!")
        }
    }

    @Test("the handle of what has been deleted is ESTALE, also when the name is made again", arguments: subjects)
    func deleted(on subject: Subject) throws {
        try subject.run(given: Self.layOut) { area throws in
            let file = try area.root.fileHandle(of: "d/e/f")
            let directory = try area.root.fileHandle(of: "d/e")
            let held = try area.open("d/e/f")
            try area.remove("d/e/f")
            // As long as somebody has it open it is there.
            #expect(try area.root.open(file, .readOnly).text() == "text")
            try held.close()
            try area.removeDirectory("d/e")
            try area.directory("d/e")
            try area.file("d/e/f", "other")
            try dropCaches()
            expectError(.ESTALE) { _ = try area.root.open(file, .readOnly) }
            expectError(.ESTALE) { _ = try area.root.open(directory, [.readOnly, .directory]) }
            #expect(try area.text("d/e/f") == "other")
        }
    }

    @Test("a handle of another mount is ESTALE", arguments: subjects.filter(\.isUnion))
    func otherMount(on subject: Subject) throws {
        try subject.stage(given: Self.layOut) { stage in
            let handles = try stage.act { area throws in
                try (0..<200).map { try area.root.fileHandle(of: "d/n\($0)") }
            }
            try stage.remount()
            try stage.act { area throws in
                _ = try TreeSnapshot(of: area.path)
                for handle in handles { expectError(.ESTALE) { _ = try area.root.open(handle, .path) } }
            }
        }
    }
}
