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
        named("n50") { directory.remove($0) }
        named("not there") { directory.remove($0) }
        let after = try list(directory)
        #expect(directory.count == 99 && after.count == 99)
        #expect(after.map(\.name) == before.map(\.name).filter { $0 != "n50" })
    }
}
