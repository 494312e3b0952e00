import Glibc
import Linux
import Testing

@testable import UnionFS

/// A server that ends ends every process of its container: no request, whatever it holds, may do that.
@Suite struct HostileRequestTests {
    /// Opcodes with their structure's words and what follows, as the kernel sends them.
    private static let valid: [(opcode: UInt32, words: [UInt32], tail: String)] = [
        (1, [], "file\0"), (3, [0, 0, 0, 0], ""), (4, [1, 0] + [UInt32](repeating: 0, count: 20), ""), (5, [], ""),
        (6, [], "new-link\0target\0"), (8, [0o100644, 0, 0, 0], "new-node\0"), (9, [0o755, 0], "new-directory\0"),
        (10, [], "upper\0"), (11, [], "empty\0"), (12, [1, 0], "upper\0moved\0"), (13, [2, 0], "new-name\0"),
        (14, [2, 0], ""), (15, [0, 0, 0, 0, 4096, 0, 0, 0, 0, 0], ""), (16, [0, 0, 0, 0, 4, 0, 0, 0, 0, 0], "text"),
        (17, [], ""), (18, [0, 0, 0, 0, 0, 0], ""), (20, [0, 0, 0, 0], ""), (21, [2, 0, 0, 0], "user.a\0bb"),
        (22, [64, 0], "user.a\0"), (23, [256, 0], ""), (24, [], "user.a\0"), (25, [0, 0, 0, 0, 0, 0], ""),
        (27, [0, 0], ""),
        (28, [0, 0, 0, 0, 4096, 0, 0, 0, 0, 0], ""), (29, [0, 0, 0, 0, 0, 0], ""), (30, [0, 0, 0, 0], ""),
        (31, [UInt32](repeating: 0, count: 12), ""), (34, [4, 0], ""), (35, [2, 0o644, 0, 0], "created\0"),
        (37, [0, 0, 0, 0], ""), (39, [UInt32](repeating: 0, count: 8), ""), (40, [UInt32](repeating: 0, count: 6), ""),
        (43, [0, 0, 0, 0, 4096, 0, 0, 0], ""), (44, [0, 0, 0, 0, 4096, 0, 0, 0, 0, 0], ""),
        (45, [1, 0, 0, 0], "moved\0upper\0"), (46, [0, 0, 0, 0, 3, 0], ""),
        (47, [0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 100, 0], ""), (51, [2, 0o644, 0, 0], ""),
        (52, [UInt32](repeating: 0, count: 6), ""),
    ]

    /// Runs the body with a union on a small file system of its own, over a layer that must not change.
    private func withWire(_ body: (Wire, _ path: String) throws -> Void) throws {
        let sandbox = try Sandbox()
        try Mount.mount(source: "tmpfs", target: sandbox.path, type: "tmpfs", options: "size=64m")
        defer { try? Mount.unmount(sandbox.path, flags: [.detach]) }
        for name in ["upper", "work", "lower", "lower/directory", "lower/empty", "upper/own"] {
            try sandbox.directory(name)
        }
        for name in ["lower/file", "lower/directory/inner", "upper/upper", "outside"] {
            try sandbox.file(name, "contents")
        }
        try FileDescriptor.currentDirectory.makeSymbolicLink("\(sandbox.path)/lower/link", to: "file")
        for name in ["lower/pipe", "upper/pipe-above"] {
            try FileDescriptor.currentDirectory.makeNode("\(sandbox.path)/\(name)", mode: S_IFIFO | 0o644)
        }
        do {
            let wire = try Wire(try sandbox.union("lower"))
            try body(wire, sandbox.path)
            // It is still there and in its right mind.
            #expect(try wire.ask(3, node: 1, [0, 0, 0, 0]).error == 0)
            #expect(try wire.ask(1, node: 1, [], Array("absent\0".utf8)).word(at: 0) == 0)
        }
        #expect(try sandbox.text("lower/file") == "contents" && sandbox.text("lower/directory/inner") == "contents")
        #expect(try sandbox.text("outside") == "contents")
        let names = try FileDescriptor.open(sandbox.path, [.directory]).sortedEntryNames()
        #expect(
            names.map { String(decoding: $0.dropLast().map(UInt8.init), as: UTF8.self) } == [
                "lower", "outside", "upper", "work",
            ])
    }

    private func isAnswered(_ opcode: UInt32) -> Bool { ![2, 36, 38, 41, 42].contains(opcode) }

    @Test func `requests that are cut short are answered with an error, at every length`() throws {
        try withWire { wire, _ throws in
            for (opcode, words, tail) in Self.valid where !(words.isEmpty && tail.isEmpty) {
                let whole = wire.request(opcode, node: 1, words, Array(tail.utf8))
                for length in 40..<whole.count {
                    var request = Array(whole[..<length])
                    request[0] = UInt8(truncatingIfNeeded: length)
                    let replies = try wire.send([request])
                    #expect(replies.count == 1, "request \(opcode) cut to \(length) bytes")
                    #expect(replies.allSatisfy { $0.error < 0 }, "request \(opcode) cut to \(length) bytes")
                }
            }
        }
    }

    @Test func `a length that is not that of the request`() throws {
        try withWire { wire, _ throws in
            for length in [0, 39, 41, 1 << 20, UInt32.max] {
                var request = wire.request(3, node: 1, [0, 0, 0, 0])
                for byte in 0..<4 { request[byte] = UInt8(truncatingIfNeeded: length >> (byte * 8)) }
                let replies = try wire.send([request])
                #expect(replies.count == 1 && replies.allSatisfy { $0.error == -EIO })
            }
            #expect(try wire.send([[1, 2, 3]]).isEmpty)
        }
    }

    @Test func `opcodes that nobody has heard of`() throws {
        try withWire { wire, _ throws in
            let known = Set(Self.valid.map(\.opcode)).union([2, 26, 36, 38, 41, 42])
            for opcode in Array(0...80 as ClosedRange<UInt32>) + [127, 255, 256, 4096, 1 << 31, .max]
            where !known.contains(opcode) {
                let reply = try wire.ask(opcode, node: 1, [UInt32](repeating: 0, count: 20))
                #expect(reply.error < 0, "request \(opcode)")
            }
            // A second INIT, and requests without a reply.
            #expect(try wire.ask(26, node: 0, [7, 38, 0, 0]).error < 0)
            for opcode in [36, 41] as [UInt32] {
                #expect(try wire.send([wire.request(opcode, node: 1, [9, 0])]).isEmpty)
            }
        }
    }

    @Test func `node numbers that were never given out`() throws {
        try withWire { wire, _ throws in
            let file = try wire.lookup("file")
            for node in [0, file + 1, file ^ 1 << 32, 1 << 31, 1 << 32, 1 << 63, .max, .max - 1] as [UInt64] {
                for (opcode, words, tail) in Self.valid where ![17, 18, 29].contains(opcode) {
                    let reply = try wire.ask(opcode, node: node, words, Array(tail.utf8))
                    #expect(reply.error < 0, "request \(opcode) of node \(node)")
                }
                // Given back although nobody ever had them, and more often than anybody had them.
                #expect(try wire.send([wire.request(2, node: node, [.max, .max])]).isEmpty)
            }
            for count in [0, 1, 2, 1 << 28, UInt32.max] {
                let forgets = wire.request(42, node: 0, [count, 0], [UInt8](repeating: 0xff, count: 16))
                #expect(try wire.send([forgets]).isEmpty)
            }
            #expect(
                try wire.send([wire.request(2, node: 1, [.max, .max]), wire.request(2, node: 1, [.max, .max])]).isEmpty)
        }
    }

    @Test func `an object that the kernel has by its number alone is asked for with a name that stands for it`() throws
    {
        try withWire { wire, _ throws in
            for node in [try wire.lookup("file"), try wire.lookup("directory"), 1] {
                for name in [".", "/"] {
                    let reply = try wire.ask(1, node: node, [], Array(name.utf8) + [0])
                    #expect(reply.error == 0 && reply.word(at: 0) == node, "\(name)")
                }
            }
        }
    }

    @Test func `names that are none`() throws {
        try withWire { wire, _ throws in
            let names = [
                "", "/", "a/b", "../outside", "../../etc", "/etc/passwd", ".", "..", String(repeating: "n", count: 256),
            ]
            for name in names + [String(repeating: "n", count: 100_000)] {
                for (opcode, words, tail) in Self.valid {
                    let count = tail.utf8.filter { $0 == 0 }.count
                    // The second one of a symbolic link is its target.
                    guard count > 0, ![21, 22, 24, 51].contains(opcode) else { continue }
                    for position in 0..<(opcode == 6 ? 1 : count) {
                        var parts = tail.utf8.split(separator: 0).map { Array($0) }
                        parts[position] = Array(name.utf8)
                        let isDot = opcode == 1 && [".", "..", "/"].contains(name)
                        let reply = try wire.ask(opcode, node: 1, words, parts.flatMap { $0 + [0] })
                        if !isDot { #expect(reply.error < 0, "request \(opcode) with the name \(name.prefix(20))") }
                    }
                }
            }
            for attribute in ["", "no-prefix", "user.", "trusted.overlay.", String(repeating: "a", count: 70_000)] {
                let name = Array(attribute.utf8) + [0]
                #expect(try wire.ask(22, node: 1, [64, 0], name).error < 0)
                #expect(try wire.ask(24, node: 1, [], name).error < 0)
                #expect(try wire.ask(21, node: 1, [0, 0, 0, 0], name).error < 0 || attribute == "trusted.overlay.")
            }
        }
    }

    @Test func `sizes and offsets at the ends of their range`() throws {
        try withWire { wire, _ throws in
            let extremes: [UInt64] = [0, 1, 1 << 31, (1 << 31) - 1, 1 << 32, (1 << 63) - 1, 1 << 63, .max - 1, .max]
            func halves(_ value: UInt64) -> [UInt32] {
                [UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32)]
            }
            for name in ["file", "upper", "directory", "link", "pipe", "pipe-above"] {
                let node = try wire.lookup(name)
                for value in extremes {
                    for size in [0, 4096, UInt32.max] {
                        for opcode in [15, 28, 44] as [UInt32] {
                            _ = try wire.ask(opcode, node: node, [0, 0] + halves(value) + [size, 0, 0, 0, 0, 0])
                        }
                    }
                    _ = try wire.ask(16, node: node, [0, 0] + halves(value) + [4, 0, 0, 0, 0, 0], Array("text".utf8))
                    #expect(
                        try wire.ask(16, node: node, [0, 0] + halves(value) + [5, 0, 0, 0, 0, 0], [1, 2]).error == -EIO)
                    for whence in [0, 3, 4, UInt32.max] {
                        _ = try wire.ask(46, node: node, [0, 0] + halves(value) + [whence, 0])
                    }
                    for other in extremes {
                        _ = try wire.ask(43, node: node, [0, 0] + halves(value) + halves(other) + [0, 0])
                        let copy =
                            [0, 0] + halves(value) + halves(node) + [0, 0] + halves(other) + halves(value) + [0, 0]
                        _ = try wire.ask(47, node: node, copy)
                    }
                    // SETATTR of the size; and of everything at once.
                    for valid in [1 << 3, 0x7ff, UInt32.max] {
                        let rest = halves(value) + halves(0) + halves(value) + halves(value) + halves(value)
                        _ = try wire.ask(
                            4, node: node, [valid, 0, 0, 0] + rest + [.max, .max, .max, 0o7777, 0, 0, 0, 0])
                    }
                }
                for size in [1, 65536, 65537, UInt32.max] {
                    _ = try wire.ask(22, node: node, [size, 0], Array("user.a\0".utf8))
                    _ = try wire.ask(23, node: node, [size, 0])
                }
            }
        }
    }

    @Test func `what is no file is not opened`() throws {
        try withWire { wire, _ throws in
            for name in ["pipe", "pipe-above", "link", "directory", "own"] {
                let node = try wire.lookup(name)
                try #require(node != 0)
                for flags in [0, 1, 2] as [UInt32] {
                    #expect(try wire.ask(14, node: node, [flags, 0]).error < 0, "\(name)")
                }
                #expect(try wire.ask(15, node: node, [0, 0, 0, 0, 4096, 0, 0, 0, 0, 0]).error < 0, "\(name)")
                #expect(try wire.ask(4, node: node, [8, 0] + [UInt32](repeating: 0, count: 20)).error < 0, "\(name)")
            }
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `requests changed at random`(seed: UInt64) throws {
        // `STRATA_TEST_HOSTILE` makes it more of them.
        let count = getenv("STRATA_TEST_HOSTILE").flatMap { Int(String(cString: $0)) } ?? 5000
        try withWire { wire, _ throws in
            var mutator = Mutator(seed: seed)
            for _ in 0..<(count / 10) {
                let nodes =
                    try ["file", "upper", "directory", "own", "link", "pipe-above"].map { try wire.lookup($0) } + [1]
                var batch: [[UInt8]] = []
                for _ in 0..<10 {
                    let (opcode, words, tail) = Self.valid[mutator.below(Self.valid.count)]
                    let node = nodes[mutator.below(nodes.count)]
                    batch.append(mutator.change(wire.request(opcode, node: node, words, Array(tail.utf8))))
                }
                let replies = try wire.send(batch)
                for request in batch where request.count >= 40 {
                    let (opcode, unique) = request.withUnsafeBytes {
                        (
                            $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self),
                            $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                        )
                    }
                    let answers = replies.filter { $0.unique == unique }.count
                    #expect(answers == (isAnswered(opcode) ? 1 : 0) || unique == 0, "seed \(seed), request \(request)")
                }
            }
        }
    }
}

/// Changes requests in ways that the kernel never would.
private struct Mutator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(max(limit, 1))) }

    private static let numbers: [UInt64] = [
        0, 1, 2, 0x7f, 0xff, 0xfff, 0x1000, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 1 << 62, 1 << 63, .max,
    ]

    mutating func change(_ request: [UInt8]) -> [UInt8] {
        var request = request
        for _ in 0...below(3) {
            switch below(7) {
            case 0: request = Array(request.prefix(40 + below(request.count - 40 + 1)))
            case 1: request += (0..<below(64)).map { _ in UInt8(truncatingIfNeeded: next()) }
            case 2:
                if request.count > 40 { request[40 + below(request.count - 40)] = UInt8(truncatingIfNeeded: next()) }
            case 3: if request.count > 40 { request[40 + below(request.count - 40)] ^= 1 << UInt8(below(8)) }
            case 4: put(Self.numbers[below(Self.numbers.count)], at: 16, 8, &request)
            case 5: put(UInt64(below(60)), at: 4, 4, &request)
            default:
                let place = 40 + below(max(request.count - 40, 1)) / 4 * 4
                put(Self.numbers[below(Self.numbers.count)], at: place, below(2) == 0 ? 4 : 8, &request)
            }
        }
        // No second INIT and no DESTROY: they would end the session, as they should.
        if request[4] == 26 || request[4] == 38 { request[4] = 1 }
        if below(50) != 0 { put(UInt64(request.count), at: 0, 4, &request) }
        return request
    }

    private func put(_ value: UInt64, at place: Int, _ size: Int, _ request: inout [UInt8]) {
        for byte in 0..<size where place + byte < request.count {
            request[place + byte] = UInt8(truncatingIfNeeded: value >> (byte * 8))
        }
    }
}
