/// A `--name` or `--name=value` in front of the arguments.
struct Flag: Sendable {
    let name: String
    /// Nil if there is no `=`.
    let value: String?
    /// Where the flag starts in the logical line.
    let offset: Int
}

/// Takes the flags from the front of the arguments. `--` alone ends them. Quotes keep blanks in a value together
/// and are not part of it.
struct FlagReader {
    /// The arguments behind the flags.
    private(set) var rest: ArraySlice<UInt8>
    private(set) var flags: [Flag] = []

    init(_ arguments: ArraySlice<UInt8>, escape: UInt8) {
        rest = arguments
        while rest.starts(with: "--".utf8) {
            let start = rest.startIndex
            let word = takeWord(escape: escape)
            let body = word.dropFirst(2)
            guard !body.isEmpty else { break }
            let name = body.prefix { $0 != ASCII.equals }
            let value = name.endIndex < body.endIndex ? body[(name.endIndex + 1)...].text : nil
            flags.append(Flag(name: name.text, value: value, offset: start))
        }
    }

    private mutating func takeWord(escape: UInt8) -> [UInt8] {
        var word: [UInt8] = []
        var quote: UInt8?
        while let byte = rest.first {
            if quote == nil, ASCII.isBlank(byte) { break }
            rest = rest.dropFirst()
            if byte == quote {
                quote = nil
            } else if quote == nil, byte == ASCII.quote || byte == ASCII.apostrophe {
                quote = byte
            } else if byte == escape, let next = rest.first {
                // Kept for a `$`, so that the expansion which comes later still sees that it is escaped.
                if next == ASCII.dollar { word.append(byte) }
                word.append(next)
                rest = rest.dropFirst()
            } else {
                word.append(byte)
            }
        }
        rest = rest.drop(while: ASCII.isBlank)
        return word
    }
}
