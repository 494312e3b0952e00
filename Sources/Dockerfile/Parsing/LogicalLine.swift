/// One instruction as the parser sees it: physical lines joined where they were continued, comments between them
/// left out, and the here-documents that follow.
struct LogicalLine: Sendable {
    /// A run of bytes that stands in one piece in the file. Offsets and indices from zero.
    struct Piece: Sendable {
        /// Where the run starts in `bytes`.
        let offset: Int
        /// The physical line it is from.
        let line: Int
        /// Where it starts in that line.
        let byte: Int
    }

    /// The joined text, without leading blanks.
    var bytes: [UInt8] = []
    /// Where the bytes come from, in order.
    var pieces: [Piece] = []
    /// The physical lines this instruction takes up, here-documents included.
    var lines: Range<Int>
    /// The here-documents, in the order of their marks.
    var heredocs: [Heredoc] = []
    /// The comments above; see `WrittenForm`.
    var comments: [String] = []
    var isCommentAdjacent = false
    /// The line, from one, in which the joined text ends, if blank lines were left out of it.
    var emptyContinuation: Int?

    /// Adds a run of bytes of a physical line.
    mutating func append(_ run: ArraySlice<UInt8>, line: Int, byte: Int) {
        pieces.append(Piece(offset: bytes.count, line: line, byte: byte))
        bytes += run
    }

    /// The physical line and the byte in it that an offset into `bytes` comes from.
    func place(of offset: Int) -> (line: Int, byte: Int) {
        guard let piece = pieces.last(where: { $0.offset <= offset }) else { return (lines.lowerBound, 0) }
        return (piece.line, piece.byte + offset - piece.offset)
    }
}
