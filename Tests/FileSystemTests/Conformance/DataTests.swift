import Glibc
import Linux
import TestSupport
import Testing

/// Reading and writing beyond the plain: sizes, holes, space, copies.
@Suite struct DataTests {
    private static let block: Int64 = 4096

    @Test("truncate shrinks, and grows with zeros", arguments: Subject.allCases)
    func truncate(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("f", "0123456789")
            try $0.directory("d")
        }) { area throws in
            let path = area.path.appending("f")
            try truncateFile(path, to: 4)
            #expect(try area.text("f") == "0123")
            try truncateFile(path, to: 6)
            #expect(try area.text("f") == "0123\0\0")
            try area.open("f", .readWrite).truncate(to: 1)
            #expect(try area.text("f") == "0")
            try truncateFile(path, to: 0)
            #expect(try area.status("f").size == 0)
            expectError(.EISDIR) { try truncateFile(area.path.appending("d"), to: 0) }
            expectError(.EINVAL) { try truncateFile(path, to: -1) }
        }
    }

    @Test("truncating by path shows through descriptors that are open", arguments: Subject.allCases)
    func truncateOpen(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "0123456789") }) { area throws in
            let file = try area.open("f", .readWrite)
            try truncateFile(area.path.appending("f"), to: 3)
            #expect(try file.status().size == 3)
            #expect(try file.text() == "012")
            try file.write("z", at: 5)
            #expect(try area.text("f") == "012\0\0z")
        }
    }

    @Test("a write beyond the end leaves a hole that reads as zeros", arguments: Subject.allCases)
    func writeBeyondEnd(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "a") }) { area throws in
            let file = try area.open("f", .readWrite)
            try file.write("z", at: 1 << 32)
            #expect(try file.status().size == (1 << 32) + 1)
            #expect(try file.status().allocatedSize < 1 << 20)
            #expect(try file.bytes(at: (1 << 31), count: 3) == [0, 0, 0])
            #expect(try file.text(at: 1 << 32) == "z")
            #expect(try file.bytes(at: (1 << 32) + 1, count: 1) == [])
        }
    }

    @Test("SEEK_DATA and SEEK_HOLE find the data", arguments: Subject.allCases)
    func seekData(on subject: Subject) throws {
        let far = Self.block * 256
        try subject.run(given: { area in
            try area.file("f", "")
            try area.open("f", .readWrite).write("data", at: far)
        }) { area throws in
            for flags: OpenFlags in [.readOnly, .readWrite] {
                let file = try area.open("f", flags)
                #expect(try file.seek(0, from: .data) == far)
                #expect(try file.seek(0, from: .hole) == 0)
                #expect(try file.seek(far, from: .hole) == far + 4)
                expectError(.ENXIO) { _ = try file.seek(far + 4, from: .data) }
                #expect(try file.seek(0, from: .end) == far + 4)
            }
        }
    }

    @Test("a copy-up keeps holes", arguments: Subject.allCases)
    func copyUpKeepsHoles(on subject: Subject) throws {
        let far: Int64 = 1 << 24
        try subject.run(given: { area in
            try area.file("f", "start")
            let file = try area.open("f", .readWrite)
            try file.write("middle", at: far)
            try file.truncate(to: 2 * far)
        }) { area throws in
            try area.append("f", "!")
            let status = try area.status("f")
            #expect(status.size == 2 * far + 1)
            // Around each piece of data up to a chunk of a megabyte or two may be filled, as the kernel does.
            #expect(status.allocatedSize < far / 2)
            let file = try area.open("f")
            #expect(try file.text(count: 5) == "start")
            #expect(try file.text(at: far, count: 6) == "middle")
            #expect(try file.text(at: 2 * far) == "!")
        }
    }

    @Test("fallocate reserves, with and without a new size", arguments: Subject.allCases)
    func allocate(on subject: Subject) throws {
        let keepSize: Int32 = 1
        try subject.run(given: { try $0.file("f", "text") }) { area throws in
            let file = try area.open("f", .readWrite)
            try file.allocate(mode: keepSize, offset: 0, length: 1 << 20)
            #expect(try file.status().size == 4)
            #expect(try file.status().allocatedSize >= 1 << 20)
            try file.allocate(offset: 0, length: 1 << 16)
            #expect(try area.status("f").size == 1 << 16)
            #expect(try file.text(count: 6) == "text\0\0")
            expectError(.EBADF) { try area.open("f").allocate(offset: 0, length: 1) }
            expectError(.EINVAL) { try file.allocate(offset: 0, length: 0) }
        }
    }

    @Test("fallocate punches holes and zeroes ranges", arguments: Subject.allCases)
    func punch(on subject: Subject) throws {
        let (keepSize, punchHole, zeroRange): (Int32, Int32, Int32) = (1, 2, 16)
        let block = Int(Self.block)
        try subject.run(given: { try $0.file("f", String(repeating: "a", count: 4 * block)) }) { area throws in
            let file = try area.open("f", .readWrite)
            _ = try file.bytes(at: 0, count: 4 * block)
            try file.allocate(mode: punchHole | keepSize, offset: Self.block, length: Self.block)
            #expect(try file.status().size == 4 * Self.block)
            #expect(try file.bytes(at: Self.block, count: block).allSatisfy { $0 == 0 })
            #expect(try file.bytes(at: 0, count: block).allSatisfy { $0 == UInt8(ascii: "a") })
            try file.allocate(mode: zeroRange, offset: 2 * Self.block + 1, length: 10)
            #expect(try file.bytes(at: 2 * Self.block, count: 12) == [97] + [UInt8](repeating: 0, count: 10) + [97])
            expectError(.EOPNOTSUPP, .EINVAL) { try file.allocate(mode: punchHole, offset: 0, length: 1) }
        }
    }

    @Test("copy_file_range copies between files and within one", arguments: Subject.allCases)
    func copyRange(on subject: Subject) throws {
        try subject.run(given: {
            try $0.file("a", "0123456789")
            try $0.file("b", "----------")
        }) { area throws in
            let source = try area.open("a")
            let sink = try area.open("b", .readWrite)
            #expect(try source.copyRange(from: 2, to: sink, at: 1, length: 3) == 3)
            #expect(try area.text("b") == "-234------")
            #expect(try source.copyRange(from: 8, to: sink, at: 8, length: 100) == 2)
            #expect(try source.copyRange(from: 10, to: sink, at: 0, length: 5) == 0)
            #expect(try sink.copyRange(from: 1, to: sink, at: 20, length: 3) == 3)
            #expect(try sink.status().size == 23)
            #expect(try area.open("b").text(at: 20) == "234")
            #expect(try area.text("a") == "0123456789")
        }
    }

    @Test("a megabyte in odd pieces comes back as it went", arguments: Subject.allCases)
    func oddPieces(on subject: Subject) throws {
        let bytes = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        try subject.run { area in
            let file = try area.open("f", [.readWrite, .create])
            var position = 0
            for length in [1, 4095, 4097, 65_537, 131_072, 300_001, 1 << 20] {
                let end = min(position + length, bytes.count)
                let written = try bytes[position..<end].withUnsafeBytes { try file.write($0, at: Int64(position)) }
                #expect(written == end - position)
                position = end
            }
            #expect(position == bytes.count)
            #expect(hash(try area.open("f").readAll()) == hash(bytes))
            #expect(try file.bytes(at: 70_000, count: 5) == Array(bytes[70_000..<70_005]))
        }
    }

    @Test("a file of many megabytes survives its copy-up", arguments: Subject.allCases)
    func largeCopyUp(on subject: Subject) throws {
        let chunk = (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 10) }
        try subject.run(given: { area in
            try area.file("f", "")
            let file = try area.open("f", .writeOnly)
            for _ in 0..<8 { try file.writeAll(chunk) }
        }) { area throws in
            try area.open("f", .writeOnly).write("!", at: 5 << 20)
            var wanted = Array([[UInt8]](repeating: chunk, count: 8).joined())
            wanted[5 << 20] = UInt8(ascii: "!")
            #expect(hash(try area.open("f").readAll()) == hash(wanted))
        }
    }

    @Test("the size is right at once after every kind of write", arguments: Subject.allCases)
    func sizeAfterWrite(on subject: Subject) throws {
        try subject.run(given: { try $0.file("f", "") }) { area throws in
            let file = try area.open("f", .readWrite)
            for step in 1...50 {
                try file.write("x", at: Int64(step - 1))
                #expect(try file.status().size == Int64(step))
                #expect(try area.status("f").size == Int64(step))
            }
            try area.append("f", "yy")
            #expect(try file.status().size == 52)
            try area.overwrite("f", "z")
            #expect(try file.status().size == 1)
        }
    }

    @Test("pipes, and lseek where it makes no sense", arguments: Subject.allCases)
    func fifo(on subject: Subject) throws {
        try subject.run(given: {
            for name in ["p", "unread"] { try $0.root.makeNode(name, mode: S_IFIFO | 0o644) }
        }) { area throws in
            let end = try area.open("p", [.readWrite, .nonBlocking])
            try end.writeAll("through")
            var buffer = [UInt8](repeating: 0, count: 16)
            #expect(try buffer.withUnsafeMutableBytes { try end.read(into: $0) } == 7)
            expectError(.ESPIPE) { _ = try end.seek(0, from: .start) }
            expectError(.ENXIO) { _ = try area.open("unread", [.writeOnly, .nonBlocking]) }
        }
    }
}
