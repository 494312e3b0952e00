import Glibc
import Linux
import Testing

/// Reading directories in more demanding ways: positions, crowds, odd names, deep paths.
@Suite struct DirectoryStreamTests {
    /// Reads the next few entries of a directory, as a slow program would.
    private func next(_ listing: borrowing FileDescriptor, _ count: Int) throws -> [(name: [CChar], next: Int64)] {
        var result: [(name: [CChar], next: Int64)] = []
        try listing.forEachEntry { (entry: DirectoryEntry) throws(Errno) in
            result.append((entry.bytes, entry.nextOffset))
            return result.count < count
        }
        return result
    }

    private func text(_ name: [CChar]) -> String {
        String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    @Test("a position stays good while names come and go before and behind it", arguments: Subject.allCases)
    func positions(on subject: Subject) throws {
        let stable = Set((0..<300).map { "stable-\($0)" })
        try subject.run(given: { area in
            for name in stable { try area.file(name, "") }
            for number in 0..<300 { try area.file("old-\(number)", "") }
        }) { area throws in
            let listing = try area.open(".", [.directory])
            var seen: [String: Int] = [:]
            var (position, turn) = (Int64(0), 0)
            while true {
                // Each piece begins where telldir(3) said, in a directory that is no longer the same.
                _ = try listing.seek(position, from: .start)
                let piece = try next(listing, 7)
                guard let last = piece.last else { break }
                for entry in piece { seen[text(entry.name), default: 0] += 1 }
                position = last.next
                if turn < 300 {
                    try area.remove("old-\(turn)")
                    try area.file("new-\(turn)", "")
                    if turn % 3 == 0 { try area.rename("new-\(turn)", "moved-\(turn)") }
                }
                turn += 1
                if turn > 1000 { break }
            }
            #expect(stable.allSatisfy { seen[$0] == 1 })
            #expect(seen.values.allSatisfy { $0 == 1 })
            #expect(turn < 1000)
        }
    }

    @Test("two descriptors of one directory do not move each other, a duplicate does", arguments: Subject.allCases)
    func independent(on subject: Subject) throws {
        try subject.run(given: { area in for number in 0..<3000 { try area.file("entry-\(number)", "") } }) {
            area throws in
            let first = try area.open(".", [.directory])
            let second = try area.open(".", [.directory])
            let start = try next(first, 1)
            #expect(try second.sortedEntryNames().count == 3000)
            let copy = try first.duplicate()
            let rest = try copy.sortedEntryNames()
            #expect(!rest.isEmpty && rest.count < 3000)
            #expect(try first.sortedEntryNames().isEmpty)
            _ = try copy.seek(0, from: .start)
            #expect(try next(first, 1).first?.name == start.first?.name)
        }
    }

    @Test("a crowd: every name is listed once, found, and gone when it was deleted")
    func crowd() throws {
        // A million by hand.
        let count = getenv("STRATA_TEST_ENTRIES").flatMap { Int(String(cString: $0)) } ?? 100_000
        try withUnion(layers: [
            { area in
                let last = try area.open(".", [.directory])
                for number in 0..<count { try last.makeNode("\(number)", mode: S_IFREG | 0o644) }
            }, { _ in },
        ]) { union in
            try Area.with(union.target) { area throws in
                #expect(try numbers(in: area) == count)
                let step = max(count / 1000, 1)
                for number in stride(from: 0, to: count, by: step) { try area.remove("\(number)") }
                for number in stride(from: 1, to: count, by: step) { try area.setMode("\(number)", 0o600) }
                for number in 0..<1000 { try area.file("new-\(number)", "") }
                let removed = (count + step - 1) / step
                #expect(try numbers(in: area) == count - removed + 1000)
                #expect(try area.status("1").permissions == 0o600)
                #expect(try !area.exists("0"))
            }
        }
    }

    /// How many names a directory has; each must be told once.
    private func numbers(in area: Area) throws -> Int {
        var seen = Set<UInt64>()
        var count = 0
        try area.open(".", [.directory]).forEachEntry { (entry: DirectoryEntry) throws(Errno) in
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for byte in entry.bytes { hash = (hash ^ UInt64(UInt8(bitPattern: byte))) &* 0x100_0000_01b3 }
            seen.insert(hash)
            count += 1
            return true
        }
        #expect(seen.count == count)
        return count
    }

    @Test("every byte but zero and slash is good in a name", arguments: Subject.allCases)
    func everyByte(on subject: Subject) throws {
        let bytes = (1...255).filter { $0 != 47 }.map { CChar(bitPattern: UInt8($0)) }
        // Not "." alone.
        let names = bytes.filter { $0 != 46 }.map { [$0, 0] } + bytes.map { [120, $0, 0] }
        try subject.stage(given: { area in
            for name in names { try area.root.open(name, [.writeOnly, .create], mode: 0o644).writeAll("given") }
            // All of them at once: 254 bytes.
            try area.root.makeDirectory(bytes + [0], mode: 0o755)
        }) { stage in
            try stage.act { area throws in
                #expect(try area.open(".", [.directory]).sortedEntryNames().count == names.count + 1)
                for (index, name) in names.enumerated() {
                    switch index % 4 {
                    case 0: try area.root.unlink(name)
                    case 1: try area.root.open(name, [.writeOnly, .append]).writeAll("!")
                    case 2: try area.root.rename(name, to: area.root, [121] + name)
                    default: try area.root.open(bytes + [0], [.directory]).makeDirectory(name, mode: 0o755)
                    }
                }
                try area.root.rename(bytes + [0], to: area.root, [120] + bytes + [0])
            }
            try stage.beforeAndAfterRemount { area throws in
                let listed = Set(try area.open(".", [.directory]).sortedEntryNames())
                for (index, name) in names.enumerated() {
                    switch index % 4 {
                    case 0: #expect(!listed.contains(name), "\(name)")
                    case 1: #expect(try area.root.open(name).text() == "given!", "\(name)")
                    case 2: #expect(try !listed.contains(name) && area.root.open([121] + name).text() == "given")
                    default: #expect(listed.contains(name), "\(name)")
                    }
                }
                let below = try area.root.open([120] + bytes + [0], [.directory]).sortedEntryNames()
                #expect(below.count == names.indices.filter { $0 % 4 == 3 }.count)
            }
        }
    }

    /// The kernel's overlay cannot rename a directory whose path is longer than a redirect may be.
    @Test(
        "a tree deeper than any path is made, changed, renamed, listed and removed",
        arguments: Subject.allCases.filter { $0 != .kernelOverlay })
    func deep(on subject: Subject) throws {
        let name = String(repeating: "n", count: 250)
        let levels = 40
        func bottom(_ area: Area, making: Bool = false, _ body: (borrowing FileDescriptor) throws -> Void) throws {
            var current = try area.open(".", [.directory])
            for _ in 0..<levels {
                if making { try current.makeDirectory(name, mode: 0o755) }
                current = try current.open(name, [.directory])
            }
            try body(current)
        }
        try subject.stage(given: { area in
            try bottom(area, making: true) { directory in
                try directory.open("f", [.writeOnly, .create], mode: 0o644).writeAll("deep")
                try directory.makeDirectory("d", mode: 0o755)
            }
        }) { stage in
            try stage.act { area throws in
                try bottom(area) { directory throws in
                    try directory.rename("f", to: directory, "d/g")
                    try directory.open("d/g", [.writeOnly, .append]).writeAll("!")
                    try directory.makeLink(of: "d/g", in: directory, at: "h")
                    try directory.makeSymbolicLink("l", to: "h")
                    try directory.setAttribute("user.a", [1])
                    try directory.setMode(of: "d", 0o700)
                    expectError(.ENOENT) { try directory.unlink("f") }
                }
            }
            // The kernel's overlay composes no such paths for a lower part it has not seen.
            try stage.beforeAndAfterRemount { area throws in
                try bottom(area) { directory throws in
                    #expect(try directory.sortedEntryNames().map(text) == ["d", "h", "l"])
                    #expect(try directory.open("h").text() == "deep!")
                    #expect(try directory.status(of: "d/g").linkCount == 2)
                    #expect(try directory.attribute("user.a") == [1])
                    #expect(try directory.readLink("l") == Array("h".utf8))
                }
            }
            try stage.act { area throws in
                try area.root.removeTree(name)
                #expect(try area.names() == [])
            }
        }
    }
}
