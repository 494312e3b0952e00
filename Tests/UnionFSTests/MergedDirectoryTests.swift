import FUSE
import Linux
import Testing

@testable import UnionFS

/// Entries of a directory in a lasting order.
@Suite struct MergedDirectoryTests {
    private func build(_ parts: [[(name: String, isWhiteout: Bool)]]) -> MergedDirectory {
        var builder = MergedDirectoryBuilder(partCount: parts.count)
        for (part, names) in parts.enumerated() {
            for (number, entry) in names.enumerated() {
                named(entry.name) {
                    builder.add(
                        $0, inode: UInt64(part * 10_000 + number), type: 8, part: part, isWhiteout: entry.isWhiteout)
                }
            }
        }
        return builder.finish()
    }

    private func list(_ directory: MergedDirectory, after offset: Int64 = 0) throws -> [(name: String, offset: Int64)] {
        var result: [(name: String, offset: Int64)] = []
        try directory.forEach(after: offset) { (item, name) throws(Errno) in
            result.append((String(decoding: name.bytes, as: UTF8.self), item.offset))
            return true
        }
        return result
    }

    @Test func `higher parts hide lower ones`() throws {
        let directory = build([
            [("both", false), ("gone", true)], [("both", false), ("gone", false), ("low", false)],
        ])
        #expect(try list(directory).map(\.name).sorted() == ["both", "low"])
        #expect(directory.count == 2)
    }

    @Test func `offsets do not depend on what else there is`() throws {
        let names = (0..<2000).map { "entry-\($0)" }
        let all = build([names.map { ($0, false) }])
        let half = build([names.enumerated().filter { $0.offset % 2 == 0 }.map { ($0.element, false) }])
        let offsets = Dictionary(uniqueKeysWithValues: try list(all).map { ($0.name, $0.offset) })
        #expect(offsets.count == 2000)
        for entry in try list(half) { #expect(offsets[entry.name] == entry.offset) }
    }

    @Test func `reading on from any offset neither skips nor repeats`() throws {
        let directory = build([(0..<500).map { ("n\($0)", false) }])
        let whole = try list(directory).map(\.name)
        for cut in stride(from: 0, to: 500, by: 37) {
            let offset = try list(directory)[cut].offset
            #expect(try list(directory, after: offset).map(\.name) == Array(whole[(cut + 1)...]))
        }
        #expect(try list(directory).allSatisfy { $0.offset > 2 })
    }

    @Test func `a removed name is gone and the others stay where they are`() throws {
        let directory = build([(0..<100).map { ("n\($0)", false) }])
        let before = try list(directory)
        let smaller = named("n50") { directory.removing($0) }
        let same = try #require(named("not there") { smaller?.removing($0) })
        let after = try list(same)
        #expect(same.count == 99 && after.count == 99)
        #expect(after.map(\.name) == before.map(\.name).filter { $0 != "n50" })
        #expect(try list(directory).count == 100)
    }

    /// Against a directory that is read anew each time.
    @Test func `names that come and go leave what reading the directory again would show`() throws {
        var dice = Dice(state: 1)
        var names = Set((0..<700).map { "n\($0)" })
        var directory = build([names.map { ($0, false) }])
        for round in 0..<5000 {
            let name = "n\(dice.next() % 1400)"
            if dice.next() % 2 == 0 {
                directory = try #require(named(name) { directory.adding($0, inode: UInt64(round), type: 4) })
                names.insert(name)
            } else {
                directory = try #require(named(name) { directory.removing($0) })
                names.remove(name)
            }
            if round % 250 != 0 { continue }
            let (now, fresh) = (try list(directory), try list(build([names.map { ($0, false) }])))
            #expect(now.map(\.name) == fresh.map(\.name))
            #expect(now.map(\.offset) == fresh.map(\.offset))
            #expect(directory.count == names.count)
            let middle = fresh[fresh.count / 2].offset
            #expect(
                try list(directory, after: middle).map(\.name)
                    == list(build([names.map { ($0, false) }]), after: middle).map(\.name))
        }
    }

    private struct Dice {
        var state: UInt64

        mutating func next() -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33)
        }
    }
}
