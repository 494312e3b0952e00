/// Texts cut for tables.
package enum ShortText {
    /// The first twelve digits of an ID, without the name of its algorithm.
    package static func id(_ text: String) -> String {
        let digits = text.split(separator: ":", maxSplits: 1).last ?? ""
        return String(digits.prefix(12))
    }

    /// A text cut to so many columns of a terminal, the last one an ellipsis; nothing where there are none.
    package static func ellipsis(_ text: String, _ columns: Int) -> String {
        if DisplayWidth.of(text) <= columns { return text }
        return columns < 1 ? "" : DisplayWidth.prefix(of: text, columns: columns - 1) + "…"
    }

    /// A command as `ps` shows it: arguments joined, cut to 20 columns unless told otherwise, in quotes.
    package static func command(_ arguments: [String], truncated: Bool = true) -> String {
        let text = arguments.joined(separator: " ")
        return quoted(truncated ? ellipsis(text, 20) : text)
    }

    /// A text in quotes with the escapes of Go's `strconv.Quote`.
    package static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0}"..<"\u{20}", "\u{7f}":
                let digits = String(scalar.value, radix: 16)
                result += "\\x" + (digits.count == 1 ? "0" : "") + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
