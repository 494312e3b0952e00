import Archive
import Linux
import OCI
import Testing

/// Reading and writing of single archives, in memory.
@Suite struct TarTests {
    private final class Bytes: ByteSource, @unchecked Sendable {
        private var rest: ArraySlice<UInt8>

        init(_ bytes: [UInt8]) { rest = bytes[...] }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
            let piece = rest.prefix(min(buffer.count, 1000))
            buffer.copyBytes(from: piece)
            rest = rest.dropFirst(piece.count)
            return piece.count
        }
    }

    private func reader(_ bytes: [UInt8], allowsNothing: Bool = false) throws -> TarReader {
        let limits = StreamLimits(maximumBytes: 1 << 30, maximumRatio: 1000)
        return TarReader(
            try DecompressedStream(Bytes(bytes), limits: limits), maximumEntries: 100, allowsNothing: allowsNothing)
    }

    @Test("what the writer of headers says, the reader reads, however long or odd")
    func roundTrip() throws {
        let long = Array(repeating: UInt8(ascii: "n"), count: 200)
        let header = TarHeaderWriter(
            typeFlag: UInt8(ascii: "0"), path: long + [0xFF], permissions: 0o4751, uid: 3_000_000, gid: 7, size: 5,
            modificationTime: TimeSpec(seconds: -5, nanoseconds: 250_000_000),
            attributes: [TarEntry.Attribute(name: Array("user.a=b".utf8), value: [0, 10, 61])])
        let content: [UInt8] = Array("hello".utf8)
        let bytes = header.encoded() + content + [UInt8](repeating: 0, count: 507 + 1024)
        let reader = try reader(bytes)
        let entry = try #require(try reader.next())
        #expect(entry.path == long + [0xFF] && entry.permissions == 0o4751 && entry.uid == 3_000_000 && entry.gid == 7)
        #expect(entry.modificationTime.seconds == -5 && entry.modificationTime.nanoseconds == 250_000_000)
        #expect(entry.attributes == header.attributes)
        var pieces = reader.content(of: entry)
        var read: [UInt8] = []
        while let piece = try pieces.next() { read += Array(piece.bytes) }
        #expect(read == content)
        #expect(try reader.next() == nil)
        #expect(try reader.finish() == .sha256(of: bytes))
    }

    @Test("paths are cleaned and never lead out")
    func paths() throws {
        func clean(_ text: String) throws -> String { try ArchivePath(Array(text.utf8)).description }
        #expect(try clean("/a//b/./c/") == "a/b/c")
        #expect(try clean("d/./e/../f") == "d/f")
        #expect(try clean("a/..") == "")
        for text in ["..", "a/../..", "/../x", "../a"] {
            #expect(throws: ArchiveError.self, "\(text)") { try clean(text) }
        }
    }

    @Test("no bytes are an archive only where that is allowed; half an entry never is")
    func nothing() throws {
        #expect(throws: ArchiveError.self) { try reader([]).next() }
        #expect(try reader([], allowsNothing: true).next() == nil)
        let header = TarHeaderWriter(typeFlag: UInt8(ascii: "0"), path: Array("f".utf8), size: 900).encoded()
        let half = try reader(header + [1, 2, 3], allowsNothing: true)
        let entry = try #require(try half.next())
        var pieces = half.content(of: entry)
        #expect(throws: ArchiveError.self) { while try pieces.next() != nil {} }
        #expect(throws: ArchiveError.self) { try reader(Array(header.prefix(100)), allowsNothing: true).next() }
    }
}
