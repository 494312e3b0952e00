/// Numbers and texts as Go's source has them.
enum TemplateLiteral {
    /// `12`, `-0x1f`, `0b11`, `0o17`, `1_000`, `1.5e3`; nil for what is no number.
    static func number(_ text: String) -> Value? {
        var digits = Substring(text.lowercased())
        let isNegative = digits.first == "-"
        if isNegative || digits.first == "+" { digits.removeFirst() }
        if digits.hasPrefix("_") || digits.hasSuffix("_") || digits.contains("__") { return nil }
        digits = Substring(digits.filter { $0 != "_" })
        var radix = 10
        for (prefix, base) in [("0x", 16), ("0b", 2), ("0o", 8)] where digits.hasPrefix(prefix) {
            radix = base
            digits = digits.dropFirst(2)
        }
        if radix == 10, digits.count > 1, digits.first == "0", digits.allSatisfy({ $0.isNumber }) { radix = 8 }
        guard let first = digits.first, first.isHexDigit || first == "." else { return nil }
        if let number = Int64((isNegative ? "-" : "") + digits, radix: radix) { return .integer(number) }
        guard radix == 10, digits.allSatisfy({ $0.isNumber || ".e+-".contains($0) }),
            let number = Double(digits.hasPrefix(".") ? "0" + digits : String(digits))
        else { return nil }
        return number.isFinite ? .number(isNegative ? -number : number) : nil
    }

    /// A text behind its opening quotation mark.
    static func text(_ rest: inout Substring.UnicodeScalarView) throws(RenderingError) -> String {
        var bytes: [UInt8] = []
        while let scalar = rest.popFirst() {
            if scalar == "\"" { return String(decoding: bytes, as: UTF8.self) }
            if scalar == "\n" { break }
            if scalar != "\\" {
                bytes += Array(String(scalar).utf8)
                continue
            }
            switch try escape(&rest, quote: "\"") {
            case .byte(let byte): bytes.append(byte)
            case .scalar(let scalar): bytes += Array(String(scalar).utf8)
            }
        }
        throw TemplateLexer.failure("unterminated quoted string")
    }

    /// The number of a character behind its opening apostrophe.
    static func character(_ rest: inout Substring.UnicodeScalarView) throws(RenderingError) -> Int64 {
        guard let first = rest.popFirst(), first != "'" else {
            throw TemplateLexer.failure("malformed character constant")
        }
        var value = Int64(first.value)
        if first == "\\" {
            switch try escape(&rest, quote: "'") {
            case .byte(let byte): value = Int64(byte)
            case .scalar(let scalar): value = Int64(scalar.value)
            }
        }
        guard rest.popFirst() == "'" else { throw TemplateLexer.failure("malformed character constant") }
        return value
    }

    private enum Escaped {
        case byte(UInt8)
        case scalar(Unicode.Scalar)
    }

    private static let simple: [Unicode.Scalar: UInt8] = [
        "a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92,
    ]

    private static func escape(
        _ rest: inout Substring.UnicodeScalarView, quote: Unicode.Scalar
    ) throws(RenderingError) -> Escaped {
        guard let kind = rest.popFirst() else { throw TemplateLexer.failure("unterminated quoted string") }
        if kind == quote { return .scalar(quote) }
        if let byte = simple[kind] { return .byte(byte) }
        let lengths: [Unicode.Scalar: Int] = ["x": 2, "u": 4, "U": 8]
        if let length = lengths[kind], rest.count >= length {
            let digits = String(String.UnicodeScalarView(rest.prefix(length)))
            rest.removeFirst(length)
            if let number = UInt32(digits, radix: 16) {
                if kind == "x" { return .byte(UInt8(truncatingIfNeeded: number)) }
                if let scalar = Unicode.Scalar(number) { return .scalar(scalar) }
            }
        }
        if ("0"..."7").contains(kind), rest.count >= 2 {
            let digits = String(kind) + String(String.UnicodeScalarView(rest.prefix(2)))
            rest.removeFirst(2)
            if let byte = UInt8(digits, radix: 8) { return .byte(byte) }
        }
        throw TemplateLexer.failure("invalid escape \"\\\(kind)\" in a quoted string")
    }
}
