internal import CFuse
internal import Glibc
internal import Linux

/// The obligation to answer one request. Each typed reply holds one; dropped unanswered, it answers EIO.
struct ReplyCore: ~Copyable {
    private var request: cfuse_request

    init(_ request: UnsafePointer<cfuse_request>) { self.request = request.pointee }

    deinit {
        var request = request
        _ = cfuse_reply_error(&request, EIO)
    }

    /// Answers with an error, or with plain success for 0. Numbers that the protocol does not carry become EIO; EMFILE
    /// becomes ENFILE, because the descriptors that ran out are not the caller's.
    consuming func status(_ number: Int32) -> Bool {
        let number = number == EMFILE ? ENFILE : number
        let taken = cfuse_reply_error(&request, number) == 0
        discard self
        return taken
    }

    consuming func bytes(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let taken = cfuse_reply_bytes(&request, bytes.baseAddress, bytes.count) == 0
        discard self
        return taken
    }

    /// Answers with the bytes of a structure of the protocol.
    @inline(__always)
    consuming func structure<Wire: BitwiseCopyable>(_ value: Wire) -> Bool {
        var value = value
        let taken = cfuse_reply_bytes(&request, &value, MemoryLayout<Wire>.size) == 0
        discard self
        return taken
    }

    /// Answers with a structure of the protocol and bytes after it.
    @inline(__always)
    consuming func pieces<Wire: BitwiseCopyable>(_ value: Wire, _ bytes: UnsafeRawBufferPointer) -> Bool {
        var value = value
        let taken =
            cfuse_reply_pieces(&request, &value, MemoryLayout<Wire>.size, bytes.baseAddress, bytes.count) == 0
        discard self
        return taken
    }

    consuming func file(_ descriptor: Int32, offset: Int64, count: Int) -> Bool {
        let taken = cfuse_reply_file(&request, descriptor, offset, count) == 0
        discard self
        return taken
    }
}
