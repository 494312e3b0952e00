import Linux

/// The end of what a program has printed, as lines that cannot disturb a terminal: control sequences are left out, other
/// control characters made visible.
package struct OutputTail {
    private var bytes: [UInt8] = []
    private static let limit = 1 << 18

    package init() {}

    /// Adds what was printed; what is too long ago is forgotten.
    package mutating func append(_ new: [UInt8]) {
        bytes += new
        if bytes.count > 2 * OutputTail.limit { bytes.removeFirst(bytes.count - OutputTail.limit) }
    }

    /// The last lines, at most so many. A line that was written over is shown as it was left.
    package func lines(_ count: Int) -> [String] {
        // Enough for what a terminal shows; all of it only for a log.
        let part = count == .max ? bytes[...] : bytes.suffix(16_384)
        var lines = part.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines.suffix(count == .max ? lines.count : count).map(OutputTail.clean)
    }

    private static func clean(_ line: ArraySlice<UInt8>) -> String {
        var rest = line
        while rest.last == UInt8(ascii: "\r") { rest = rest.dropLast() }
        if let last = rest.lastIndex(of: UInt8(ascii: "\r")) { rest = rest[(last + 1)...] }
        var text = ""
        var scalars = String(decoding: rest, as: UTF8.self).unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            switch scalar {
            case "\u{1b}": skipSequence(&scalars)
            case "\t": text += "    "
            default: text.unicodeScalars.append(scalar)
            }
        }
        return VisibleText.line(text)
    }

    /// Passes over a control sequence whose ESC was read (ECMA-48: CSI, OSC and the short ones).
    private static func skipSequence(_ scalars: inout Substring.UnicodeScalarView) {
        guard let kind = scalars.popFirst() else { return }
        if kind == "[" {
            while let next = scalars.popFirst(), !("\u{40}"..."\u{7e}").contains(next) {}
        } else if kind == "]" {
            while let next = scalars.popFirst(), next != "\u{7}" {
                if next == "\u{1b}" {
                    _ = scalars.popFirst()
                    return
                }
            }
        }
    }
}
