import Linux

extension Value {
    /// JSON on one line, as Docker's `--format json` prints it.
    package var json: String {
        var text = ""
        write(to: &text, indent: nil, depth: 0)
        return text
    }

    /// JSON indented by four blanks, as `docker inspect` prints it.
    package var indentedJSON: String {
        var text = ""
        write(to: &text, indent: "    ", depth: 0)
        return text
    }

    /// JSON indented by some text.
    package func json(indent: String) -> String {
        var text = ""
        write(to: &text, indent: indent, depth: 0)
        return text
    }

    private func write(to text: inout String, indent: String?, depth: Int) {
        switch self {
        case .null, .absent: text += "null"
        case .bool, .integer: text += self.text
        case .number(let value): text += GoNumber.json(value)
        case .string(let value): Value.writeQuoted(value, to: &text)
        case .array(let values):
            Value.writeList(values, brackets: ("[", "]"), to: &text, indent: indent, depth: depth) { value, text in
                value.write(to: &text, indent: indent, depth: depth + 1)
            }
        case .object(let all), .dictionary(let all):
            let members = all.filter { $0.visibility == .all }
            Value.writeList(members, brackets: ("{", "}"), to: &text, indent: indent, depth: depth) { member, text in
                Value.writeQuoted(member.name, to: &text)
                text += indent == nil ? ":" : ": "
                member.value.write(to: &text, indent: indent, depth: depth + 1)
            }
        }
    }

    private static func writeList<Element>(
        _ list: [Element], brackets: (String, String), to text: inout String, indent: String?, depth: Int,
        element: (Element, inout String) -> Void
    ) {
        text += brackets.0
        for (index, item) in list.enumerated() {
            if index > 0 { text += "," }
            if let indent { text += "\n" + String(repeating: indent, count: depth + 1) }
            element(item, &text)
        }
        if let indent, !list.isEmpty { text += "\n" + String(repeating: indent, count: depth) }
        text += brackets.1
    }

    private static func writeQuoted(_ value: String, to text: inout String) {
        text += "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"": text += "\\\""
            case "\\": text += "\\\\"
            case _ where VisibleText.acts(scalar): text += VisibleText.escape(scalar)
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
