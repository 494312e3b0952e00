/// A piece of an argument text with its place in the logical line.
struct Word: Sendable, Equatable {
    let text: String
    let offset: Int
}

/// Cuts argument texts into words. Nothing is expanded and no quote removed here.
enum WordSplitter {
    /// At blanks, whatever is around them.
    static func atBlanks(_ bytes: ArraySlice<UInt8>) -> [Word] {
        bytes.split(whereSeparator: ASCII.isBlank).map { Word(text: $0.text, offset: $0.startIndex) }
    }

    /// At blanks outside quotes, for `name=value` lists. An escape character keeps the next one in the word.
    static func outsideQuotes(_ bytes: ArraySlice<UInt8>, escape: UInt8) -> [Word] {
        var words: [Word] = []
        var rest = bytes
        while true {
            rest = rest.drop(while: ASCII.isBlank)
            guard !rest.isEmpty else { return words }
            let start = rest.startIndex
            var quote: UInt8?
            while let byte = rest.first {
                if quote == nil, ASCII.isBlank(byte) { break }
                rest = rest.dropFirst()
                if byte == escape, quote != ASCII.apostrophe {
                    rest = rest.dropFirst()
                } else if byte == quote {
                    quote = nil
                } else if quote == nil, byte == ASCII.quote || byte == ASCII.apostrophe {
                    quote = byte
                }
            }
            words.append(Word(text: bytes[start..<rest.startIndex].text, offset: start))
        }
    }
}
