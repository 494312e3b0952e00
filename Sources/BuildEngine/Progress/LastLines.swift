import Linux

/// The last lines that a command has printed, for the error that it may end with.
struct LastLines {
    /// As many as BuildKit shows.
    private static let count = 10
    /// No line is kept beyond that many bytes.
    private static let length = 1 << 12

    private let began = MonotonicClock.milliseconds
    private var lines: [String] = []
    private var rest: [UInt8] = []

    /// Takes what was printed.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") { endLine() } else if rest.count < Self.length { rest.append(byte) }
        }
    }

    /// The lines, an unfinished one included.
    mutating func finish() -> [String] {
        if !rest.isEmpty { endLine() }
        return lines
    }

    private mutating func endLine() {
        let seconds = PlainProgress.decimal(Double(MonotonicClock.milliseconds - began) / 1000, places: 3)
        let text = VisibleText.output(PlainProgress.withoutReturns(rest[...]))
        rest.removeAll(keepingCapacity: true)
        if lines.count == Self.count { lines.removeFirst() }
        lines.append("\(seconds) \(text)")
    }
}
