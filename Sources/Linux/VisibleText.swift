/// Text that came from elsewhere, such as an image, a registry or a program, made fit for a person's terminal.
///
/// Characters that would act on the terminal, or on the order in which others are shown, are written as JSON writes
/// them: `\n`, `\t`, `\r`, and four hexadecimal digits for every other one, `\u001b`. A byte that is no UTF-8 is
/// `\xff`. All else stays as it is, a backslash too: the text is to be looked at, not to be read back.
///
/// These are the control characters C0, DEL and C1 (ECMA-48), the ends of lines and paragraphs of Unicode, and the marks,
/// embeddings, overrides and isolates of its bidirectional algorithm (UAX #9).
public enum VisibleText {
    /// Whether a character acts instead of being seen.
    public static func acts(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x1f, 0x7f...0x9f, 0x61c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }

    /// The text in one line: line feeds and tabs are made visible too.
    public static func line(_ text: String) -> String { made(text) { _ in false } }

    /// The text with its lines and tabs as they are.
    public static func lines(_ text: String) -> String { made(text) { $0 == "\n" || $0 == "\t" } }

    /// A line that a program has printed, with its tabs as they are.
    ///
    /// - Parameter colours: whether sequences that only choose colours and weight (ECMA-48, SGR) stay as they are; what
    ///   they have chosen ends with the line.
    public static func output(_ line: some Collection<UInt8>, colours: Bool = false) -> String {
        guard let text = String(validating: line, as: UTF8.self) else {
            return output(decoded(Array(line)), colours: colours)
        }
        return output(text, colours: colours)
    }

    private static func output(_ text: String, colours: Bool) -> String {
        guard colours, text.utf8.contains(0x1b) else { return made(text) { $0 == "\t" } }
        var result = ""
        var isColoured = false
        var rest = Substring(text)
        while let escape = rest.unicodeScalars.firstIndex(of: "\u{1b}") {
            result += made(String(rest[..<escape])) { $0 == "\t" }
            rest = rest[escape...]
            if let end = endOfColour(rest.unicodeScalars) {
                result += rest[..<end]
                rest = rest[end...]
                isColoured = true
            } else {
                result += "\\u001b"
                rest = Substring(rest.unicodeScalars.dropFirst())
            }
        }
        return result + made(String(rest)) { $0 == "\t" } + (isColoured ? "\u{1b}[0m" : "")
    }

    /// Where a sequence `ESC [ … m` at the start ends; nil where there is another.
    private static func endOfColour(_ text: Substring.UnicodeScalarView) -> Substring.Index? {
        let body = text.dropFirst()
        guard body.first == "[" else { return nil }
        let parameters = body.dropFirst().prefix { ("0"..."9").contains($0) || $0 == ";" || $0 == ":" }
        guard parameters.endIndex < text.endIndex, text[parameters.endIndex] == "m" else { return nil }
        return text.index(after: parameters.endIndex)
    }

    // MARK: Escapes

    private static func made(_ text: String, keeping isKept: (Unicode.Scalar) -> Bool) -> String {
        if !mayAct(text) { return text }
        var result = ""
        result.reserveCapacity(text.utf8.count + 16)
        for scalar in text.unicodeScalars {
            if acts(scalar) && !isKept(scalar) {
                result += escape(scalar)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// False for nearly all texts: nothing in them acts.
    private static func mayAct(_ text: String) -> Bool {
        text.utf8.contains { $0 < 0x20 || $0 == 0x7f || $0 == 0xc2 || $0 == 0xd8 || $0 == 0xe2 }
    }

    /// One character as JSON escapes it.
    public static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default:
            let digits = String(scalar.value, radix: 16)
            return "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
        }
    }

    /// Bytes as text, those that are no UTF-8 made visible.
    private static func decoded(_ bytes: [UInt8]) -> String {
        var text = ""
        var position = 0
        while position < bytes.count {
            let lengths = 1...min(4, bytes.count - position)
            if let scalar = lengths.lazy.compactMap({
                String(validating: bytes[position..<position + $0], as: UTF8.self)
            }).first {
                text += scalar
                position += scalar.utf8.count
            } else {
                text += "\\x" + String(bytes[position], radix: 16)
                position += 1
            }
        }
        return text
    }
}
