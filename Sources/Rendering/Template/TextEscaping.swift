/// Texts as Go's templates put them into other languages.
enum TextEscaping {
    /// For HTML.
    static func html(_ text: String) -> String {
        let names: [Unicode.Scalar: String] = [
            "<": "&lt;", ">": "&gt;", "&": "&amp;", "'": "&#39;", "\"": "&#34;", "\0": "\u{fffd}",
        ]
        return text.unicodeScalars.map { names[$0] ?? String($0) }.joined()
    }

    /// For a text of JavaScript.
    static func script(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "\\", "'", "\"": "\\\(scalar)"
            case "<", ">", "&", "=": "\\u" + hexadecimal(scalar.value, digits: 4)
            case _ where scalar.value < 0x20 || scalar.value == 0x7f || isHidden(scalar):
                "\\u" + hexadecimal(scalar.value, digits: 4)
            default: String(scalar)
            }
        }.joined()
    }

    /// For the query of a URL.
    static func query(_ text: String) -> String {
        text.utf8.map { byte in
            let scalar = Unicode.Scalar(byte)
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "-", "_", ".", "~": return String(scalar)
            case " ": return "+"
            default: return "%" + hexadecimal(UInt32(byte), digits: 2)
            }
        }.joined()
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
    }
}
