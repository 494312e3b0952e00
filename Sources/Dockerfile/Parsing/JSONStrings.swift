/// The JSON form of arguments: an array of strings (RFC 8259), and nothing else.
enum JSONStrings {
    /// What an argument text is, seen as JSON.
    enum Outcome: Equatable {
        /// An array of strings.
        case strings([String])
        /// A well-formed array that holds something else than strings.
        case otherValues
        /// Not a JSON array.
        case notJSON
    }

    /// Whether the text is a JSON array.
    static func isArray(_ bytes: ArraySlice<UInt8>) -> Bool { read(bytes) != .notJSON }

    /// Reads a text that should be one array of strings. Blanks around it are allowed.
    static func read(_ bytes: ArraySlice<UInt8>) -> Outcome {
        var reader = Reader(rest: bytes)
        reader.skipBlanks()
        guard reader.take(ASCII.openBracket) else { return .notJSON }
        var strings: [String] = []
        var others = false
        reader.skipBlanks()
        if !reader.take(ASCII.closeBracket) {
            repeat {
                reader.skipBlanks()
                if reader.rest.first == ASCII.quote {
                    guard let string = reader.string() else { return .notJSON }
                    strings.append(string)
                } else {
                    guard reader.skipScalar() else { return .notJSON }
                    others = true
                }
                reader.skipBlanks()
            } while reader.take(ASCII.comma)
            guard reader.take(ASCII.closeBracket) else { return .notJSON }
        }
        reader.skipBlanks()
        guard reader.rest.isEmpty else { return .notJSON }
        return others ? .otherValues : .strings(strings)
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func skipBlanks() { rest = rest.drop(while: ASCII.isBlank) }

        mutating func take(_ byte: UInt8) -> Bool {
            guard rest.first == byte else { return false }
            rest = rest.dropFirst()
            return true
        }

        /// Numbers and the three words; arrays and objects inside an array are never what was meant.
        mutating func skipScalar() -> Bool {
            let word = rest.prefix {
                ASCII.isName($0) || $0 == ASCII.dash || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: ".")
            }
            guard let first = word.first else { return false }
            rest = rest[word.endIndex...]
            if ASCII.isDigit(first) || first == ASCII.dash { return Double(word.text) != nil }
            return ["true", "false", "null"].contains(word.text)
        }

        /// A string whose opening quote is next; nil if it is not well formed.
        mutating func string() -> String? {
            var bytes: [UInt8] = []
            rest = rest.dropFirst()
            while let byte = rest.first {
                rest = rest.dropFirst()
                switch byte {
                case ASCII.quote: return bytes.text
                case 0..<0x20: return nil
                case ASCII.backslash:
                    guard let unescaped = escaped() else { return nil }
                    bytes += unescaped
                default: bytes.append(byte)
                }
            }
            return nil
        }

        private mutating func escaped() -> [UInt8]? {
            guard let byte = rest.first else { return nil }
            rest = rest.dropFirst()
            switch byte {
            case ASCII.quote, ASCII.backslash, ASCII.slash: return [byte]
            case UInt8(ascii: "b"): return [0x08]
            case UInt8(ascii: "f"): return [0x0C]
            case UInt8(ascii: "n"): return [ASCII.lineFeed]
            case UInt8(ascii: "r"): return [ASCII.carriageReturn]
            case UInt8(ascii: "t"): return [ASCII.tab]
            case UInt8(ascii: "u"):
                guard var unit = hexadecimal() else { return nil }
                if unit >= 0xD800, unit < 0xDC00, rest.starts(with: "\\u".utf8) {
                    let saved = rest
                    rest = rest.dropFirst(2)
                    if let low = hexadecimal(), low >= 0xDC00, low < 0xE000 {
                        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)
                    } else {
                        rest = saved
                    }
                }
                // A surrogate on its own becomes the replacement character, as in Go.
                return Array(String(Unicode.Scalar(unit) ?? "\u{FFFD}").utf8)
            default: return nil
            }
        }

        private mutating func hexadecimal() -> UInt32? {
            let digits = rest.prefix(4)
            guard digits.count == 4, digits.allSatisfy({ ASCII.isDigit($0) || ASCII.isLetter($0) }) else { return nil }
            rest = rest.dropFirst(4)
            return UInt32(digits.text, radix: 16)
        }
    }
}
