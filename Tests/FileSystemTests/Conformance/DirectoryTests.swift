import Glibc
import Linux
import TestSupport
import Testing

/// mkdir(2), rmdir(2), and what readdir(3) shows.
@Suite struct DirectoryTests {
    @Test("mkdir makes an empty directory with the mode asked for", arguments: Subject.allCases)
    func make(on subject: Subject) throws {
        try subject.run { area throws in
            try withMask(0) { try area.root.makeDirectory("d", mode: 0o751) }
            #expect(try area.status("d").permissions == 0o751)
            #expect(try area.status("d").isDirectory)
            #expect(try area.names("d") == [])
            expectError(.EEXIST) { try area.directory("d") }
            expectError(.ENOENT) { try area.directory("x/y") }
        }
    }

    @Test("the umask takes bits away from new files, directories and nodes", arguments: Subject.allCases)
    func mask(on subject: Subject) throws {
        try subject.run { area throws in
            try withMask(0o027) {
                try area.root.makeDirectory("d", mode: 0o777)
                _ = try area.open("f", [.writeOnly, .create], mode: 0o666)
                try area.root.makeNode("p", mode: S_IFIFO | 0o666)
            }
            #expect(try area.status("d").permissions == 0o750)
            #expect(try area.status("f").permissions == 0o640)
            #expect(try area.status("p").permissions == 0o640)
        }
    }

    @Test("a set-group-id directory passes its group on", arguments: Subject.allCases)
    func groupInheritance(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("d")
            try $0.setOwner("d", uid: 1000, gid: 2000)
            try $0.setMode("d", 0o2775)
        }) { area throws in
            try area.file("d/f")
            try area.root.makeDirectory("d/e", mode: 0o755)
            try area.symlink("d/l", to: "f")
            #expect(try area.status("d/f").gid == 2000 && area.status("d/l").gid == 2000)
            #expect(try area.status("d/f").uid == 0)
            #expect(try area.status("d/e").gid == 2000)
            #expect(try area.status("d/e").permissions == 0o2755)
        }
    }

    @Test("rmdir removes empty directories only", arguments: Subject.allCases)
    func remove(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("empty")
            try $0.directory("full")
            try $0.file("full/f")
            try $0.file("f")
        }) { area throws in
            try area.removeDirectory("empty")
            #expect(try !area.exists("empty"))
            expectError(.ENOTEMPTY, .EEXIST) { try area.removeDirectory("full") }
            expectError(.ENOTDIR) { try area.removeDirectory("f") }
            expectError(.ENOENT) { try area.removeDirectory("missing") }
            expectError(.EINVAL) { try area.removeDirectory("full/.") }
            expectError(.ENOTEMPTY, .EEXIST) { try area.removeDirectory("full/..") }
            try area.remove("full/f")
            try area.removeDirectory("full")
            #expect(try area.names() == ["f"])
        }
    }

    @Test("a directory made again where one was removed is empty", arguments: Subject.allCases)
    func makeAgain(on subject: Subject) throws {
        try subject.run(given: {
            try $0.directory("d")
            try $0.file("d/f", "old")
            try $0.directory("d/e")
        }) { area throws in
            for _ in 0..<3 {
                try area.root.removeTree("d")
                #expect(try !area.exists("d/f"))
                try area.directory("d")
                #expect(try area.names("d") == [])
                try area.file("d/f", "new")
                #expect(try area.text("d/f") == "new")
            }
        }
    }

    @Test("a removed directory that is open lists nothing and takes nothing", arguments: Subject.allCases)
    func removedWhileOpen(on subject: Subject) throws {
        try subject.run(given: { try $0.directory("d") }) { area throws in
            let held = try area.open("d", [.directory])
            try area.removeDirectory("d")
            do {
                #expect(try held.sortedEntryNames().isEmpty)
            } catch let error as Errno {
                // Linux has file systems that list nothing, and ones that refuse to list.
                #expect(error == .ENOENT)
            }
            expectError(.ENOENT) { _ = try held.open("f", [.writeOnly, .create], mode: 0o644) }
            expectError(.ENOENT) { try held.makeDirectory("e", mode: 0o755) }
        }
    }

    @Test("10,000 entries are listed once each, with their inode numbers", arguments: Subject.allCases)
    func manyEntries(on subject: Subject) throws {
        let wanted = (0..<10_000).map { "entry-\($0)" }.sorted()
        try subject.run(given: { area in
            for name in wanted { _ = try area.open(name, [.writeOnly, .create, .exclusive]) }
        }) { area throws in
            #expect(try area.names() == wanted)
            #expect(try TreeSnapshot(of: area.path).directoryFaults == [])
            for name in wanted where name.hasSuffix("7") { try area.remove(name) }
            #expect(try area.names() == wanted.filter { !$0.hasSuffix("7") })
        }
    }

    @Test("what is there is listed once, whatever is added and removed meanwhile", arguments: Subject.allCases)
    func changesWhileListing(on subject: Subject) throws {
        let stable = Set((0..<2000).map { "stable-\($0)" })
        try subject.run(given: { area in
            for name in stable { _ = try area.open(name, [.writeOnly, .create, .exclusive]) }
            for number in 0..<500 { try area.file("old-\(number)", "") }
        }) { area throws in
            let listing = try area.open(".", [.directory])
            var seen: [String: Int] = [:]
            var count = 0
            try listing.forEachEntry { (entry: DirectoryEntry) throws(Errno) in
                seen[String(cString: entry.name), default: 0] += 1
                if count % 20 == 0, count / 20 < 500 {
                    let number = count / 20
                    try area.remove("old-\(499 - number)")
                    _ = try area.open("new-\(number)", [.writeOnly, .create, .exclusive])
                }
                count += 1
                return true
            }
            #expect(stable.allSatisfy { seen[$0] == 1 })
            #expect(seen.values.allSatisfy { $0 == 1 })
        }
    }

    @Test("a position that was told can be gone back to", arguments: Subject.allCases)
    func positions(on subject: Subject) throws {
        try subject.run(given: { area in
            for number in 0..<1000 { try area.file("entry-\(number)", "") }
        }) { area throws in
            let listing = try area.open(".", [.directory])
            var entries: [(name: String, next: Int64)] = []
            try listing.forEachEntry { (entry: DirectoryEntry) throws(Errno) in
                entries.append((String(cString: entry.name), entry.nextOffset))
                return true
            }
            #expect(entries.count == 1000)
            for index in stride(from: 0, to: 999, by: 111) {
                _ = try listing.seek(entries[index].next, from: .start)
                #expect(try firstName(of: listing) == entries[index + 1].name)
            }
            // Back to the start shows what has been made in the meantime.
            try area.file("late", "")
            _ = try listing.seek(0, from: .start)
            #expect(try listing.sortedEntryNames().count == 1001)
        }
    }

    private func firstName(of listing: borrowing FileDescriptor) throws -> String? {
        var name: String?
        try listing.forEachEntry { (entry: DirectoryEntry) throws(Errno) in
            name = String(cString: entry.name)
            return false
        }
        return name
    }

    @Test("removing while listing, as rm -r does, leaves nothing", arguments: Subject.allCases)
    func removeWhileListing(on subject: Subject) throws {
        try subject.run(given: { area in
            try area.directory("d")
            for number in 0..<3000 { try area.file("d/entry-\(number)", "") }
        }) { area throws in
            let listing = try area.open("d", [.directory])
            try listing.forEachEntry { (entry: DirectoryEntry) throws(Errno) in
                try listing.unlink(entry.name)
                return true
            }
            #expect(try area.names("d") == [])
            try area.removeDirectory("d")
        }
    }

    @Test("every kind of file is listed with its type", arguments: Subject.allCases)
    func types(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f")
            try $0.directory("d")
            try $0.symlink("l", to: "f")
            try $0.root.makeNode("p", mode: S_IFIFO | 0o600)
            try $0.root.makeNode("s", mode: S_IFSOCK | 0o600)
            try $0.root.makeNode("b", mode: S_IFBLK | 0o600, device: DeviceNumber(major: 7, minor: 9).rawValue)
        }) { area throws in
            var types: [String: FileType?] = [:]
            try area.open(".", [.directory]).forEachEntry { (entry: DirectoryEntry) throws(Errno) in
                types[String(cString: entry.name)] = entry.type
                return true
            }
            let wanted: [String: FileType?] = [
                "f": .regular, "d": .directory, "l": .symbolicLink, "p": .fifo, "s": .socket, "b": .blockDevice,
            ]
            #expect(types == wanted)
        }
    }

    @Test("d_ino is st_ino, at the top, below, and after a copy-up", arguments: Subject.allCases)
    func inodeNumbers(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f")
            try $0.link("h", to: "f")
            try $0.directory("d")
            try $0.file("d/g")
            try $0.directory("d/e")
        }) { area throws in
            let before = try TreeSnapshot(of: area.path)
            #expect(before.directoryFaults == [])
            try area.append("f", "!")
            try area.setMode("d/g", 0o600)
            try area.setMode("d/e", 0o700)
            try area.file("d/new")
            let after = try TreeSnapshot(of: area.path)
            #expect(after.directoryFaults == [])
            #expect(after.changedInodes(since: before) == [])
        }
    }

    @Test("fsync of a file and of a directory", arguments: Subject.allCases)
    func synchronise(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f")
            try $0.directory("d")
        }) { area throws in
            let file = try area.open("f", .readWrite)
            try file.write("x", at: 0)
            try file.sync()
            try file.sync(dataOnly: true)
            try area.open("f").sync()
            let directory = try area.open("d", [.directory])
            try directory.sync()
            try area.file("d/g")
            try directory.sync(dataOnly: true)
            try area.root.sync()
            try area.root.syncFileSystem()
        }
    }

    @Test("statfs tells of a file system with room and names of 255 bytes", arguments: Subject.allCases)
    func fileSystem(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f") }) { area throws in
            let status = try FileSystemStatus(path: area.path)
            #expect(status.blocks > 0 && status.blocksFree > 0 && status.blocksFree <= status.blocks)
            #expect(status.nameLength == 255 && status.blockSize >= 512)
            #expect(try area.open("f").fileSystemStatus().type == status.type)
        }
    }
}
