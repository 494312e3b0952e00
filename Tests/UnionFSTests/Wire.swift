import Glibc
import Linux
import Testing

@testable import FUSE
@testable import UnionFS

/// The kernel's side of the protocol, played by a test: requests of any shape for a union, without a mount.
final class Wire {
    /// What came back.
    struct Reply {
        let unique: UInt64
        /// 0 or a negative error number.
        let error: Int32
        let body: [UInt8]

        /// A number in the body.
        func word(at offset: Int) -> UInt64 {
            offset + 8 > body.count
                ? 0 : body.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self) }
        }
    }

    private let kernel: FileDescriptor
    private let session: Session
    private var buffer = [UInt8](repeating: 0, count: 1 << 21)
    private var unique: UInt64 = 2

    init(_ union: Union) throws {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Errno.current }
        let server = FileDescriptor(owning: ends[1])
        kernel = FileDescriptor(owning: ends[0])
        // Room for the replies to a batch.
        var room: Int32 = 32 << 20
        for end in ends { setsockopt(end, SOL_SOCKET, 32, &room, socklen_t(MemoryLayout<Int32>.size)) }
        var options = Session.Options()
        // Each reply is to be one message.
        options.spliceReplies = false
        session = try Session(UnionFileSystem(union), channel: server, options: options)
        // INIT of protocol 7.38: readahead, and every capability there is but the last bit.
        let replies = try send([
            request(26, node: 0, [7, 38, 1 << 20, 0x7fff_ffff, 0xffff] + [UInt32](repeating: 0, count: 11))
        ])
        try #require(replies.count == 1 && replies[0].error == 0)
    }

    /// A whole request: header, numbers, and what follows them.
    func request(_ opcode: UInt32, node: UInt64, _ words: [UInt32] = [], _ tail: [UInt8] = []) -> [UInt8] {
        unique += 2
        let body = words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } } + tail
        func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        }
        return bytes(UInt64(40 + body.count), 4) + bytes(UInt64(opcode), 4) + bytes(unique, 8) + bytes(node, 8)
            + bytes(0, 8) + bytes(1, 4) + bytes(0, 4) + body
    }

    /// Sends requests, has them served, and returns the replies in order.
    func send(_ requests: [[UInt8]]) throws -> [Reply] {
        for request in requests { try kernel.writeAll(request) }
        _ = session.servePending()
        var replies: [Reply] = []
        while true {
            let count = buffer.withUnsafeMutableBytes { Glibc.read(kernel.rawValue, $0.baseAddress, $0.count) }
            if count <= 0 { break }
            try #require(count >= 16)
            let (length, error, unique) = buffer.withUnsafeBytes { bytes in
                (
                    bytes.loadUnaligned(as: UInt32.self), bytes.loadUnaligned(fromByteOffset: 4, as: Int32.self),
                    bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
                )
            }
            try #require(Int(length) == count && error <= 0 && error > -512)
            replies.append(Reply(unique: unique, error: error, body: Array(buffer[16..<count])))
        }
        return replies
    }

    /// Sends one request that gets one reply.
    func ask(_ opcode: UInt32, node: UInt64, _ words: [UInt32] = [], _ tail: [UInt8] = []) throws -> Reply {
        let request = request(opcode, node: node, words, tail)
        let replies = try send([request])
        try #require(replies.count == 1 && replies[0].unique == unique, "request \(opcode): \(replies.count) replies")
        return replies[0]
    }

    /// The node of a name; 0 where there is none.
    func lookup(_ name: String, in node: UInt64 = 1) throws -> UInt64 {
        let reply = try ask(1, node: node, [], Array(name.utf8) + [0])
        return reply.error == 0 ? reply.word(at: 0) : 0
    }
}
