import Linux

/// What the process that tends a container and those who attach to it say to each other, over the unix socket `control` in the
/// container's directory.
///
/// A frame is a byte for its kind, the length of its content as four bytes, the highest first, and the content. Who connects
/// says `attach` to be sent what the container prints from then on; `input` goes to its standard input, `resize` gives its
/// terminal a size. Who tends the container sends `output` and `error`, and `end` when it has ended; a connection that is
/// closed without `end` was dropped, or the process was killed.
struct ControlFrame: Equatable {
    enum Kind: UInt8 {
        /// Without content.
        case attach = 0x61
        /// Bytes for standard input.
        case input = 0x69
        /// Rows and columns, two bytes each, the higher first.
        case resize = 0x72
        /// What was printed to standard output, or to the terminal.
        case output = 0x6F
        /// What was printed to standard error.
        case error = 0x65
        /// The exit code, four bytes, the highest first.
        case end = 0x78
    }

    var kind: Kind
    var content: [UInt8] = []

    /// More than anybody sends at once.
    static let maximumLength = 1 << 20

    /// The frame as it is sent.
    var encoded: [UInt8] { [kind.rawValue] + Self.bytes(UInt32(content.count)) + content }

    /// The size of a terminal.
    static func resize(to size: TerminalSize) -> ControlFrame {
        ControlFrame(
            kind: .resize,
            content: [size.rows, size.columns].flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] })
    }

    /// What a frame of the kind `resize` says; nil when it makes no sense.
    var size: TerminalSize? {
        guard kind == .resize, content.count == 4 else { return nil }
        let numbers = content.map(UInt16.init)
        return TerminalSize(rows: numbers[0] << 8 | numbers[1], columns: numbers[2] << 8 | numbers[3])
    }

    /// The end of a container.
    static func end(exitCode: Int32) -> ControlFrame {
        ControlFrame(kind: .end, content: bytes(UInt32(bitPattern: exitCode)))
    }

    /// What a frame of the kind `end` says; nil when it makes no sense.
    var exitCode: Int32? {
        guard kind == .end, content.count == 4 else { return nil }
        return Int32(bitPattern: content.reduce(0) { $0 << 8 | UInt32($1) })
    }

    private static func bytes(_ number: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}

/// Puts frames together from the pieces in which they come.
struct ControlParser {
    private var pending: [UInt8] = []

    /// Takes the next bytes and returns the frames that are whole by now; nil for bytes that are no frames.
    mutating func read(_ bytes: UnsafeRawBufferPointer) -> [ControlFrame]? {
        pending.append(contentsOf: bytes)
        var frames: [ControlFrame] = []
        var rest = pending[...]
        while rest.count >= 5, let first = rest.first {
            let length = rest.dropFirst().prefix(4).reduce(0) { $0 << 8 | Int($1) }
            guard let kind = ControlFrame.Kind(rawValue: first), length <= ControlFrame.maximumLength else {
                return nil
            }
            if rest.count < 5 + length { break }
            frames.append(ControlFrame(kind: kind, content: Array(rest.dropFirst(5).prefix(length))))
            rest = rest.dropFirst(5 + length)
        }
        pending = Array(rest)
        return frames
    }
}
