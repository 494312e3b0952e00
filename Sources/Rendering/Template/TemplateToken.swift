/// The parts of an action between `{{` and `}}`.
enum TemplateToken: Hashable {
    /// A function or keyword.
    case word(String)
    /// `.A.B`, `.` alone as no names.
    case field([String])
    /// `$` or `$name`, with the fields that follow.
    case variable(String, [String])
    case string(String)
    case integer(Int64)
    case pipe
    case open
    case close
    case comma
    /// `:=` or `=`.
    case assign

    /// Splits the text of an action.
    static func scan(_ text: String) throws(RenderingError) -> [TemplateToken] {
        var scanner = TemplateScanner(text)
        var tokens: [TemplateToken] = []
        while let token = try scanner.next() { tokens.append(token) }
        return tokens
    }
}

/// Reads tokens one by one.
private struct TemplateScanner {
    private let characters: [Character]
    private var position = 0
    private let text: String

    init(_ text: String) {
        self.text = text
        characters = Array(text)
    }

    private var current: Character? { position < characters.count ? characters[position] : nil }

    mutating func next() throws(RenderingError) -> TemplateToken? {
        while let character = current, character.isWhitespace { position += 1 }
        guard let character = current else { return nil }
        switch character {
        case "|": return single(.pipe)
        case "(": return single(.open)
        case ")": return single(.close)
        case ",": return single(.comma)
        case "=": return single(.assign)
        case ":":
            position += 1
            guard current == "=" else { throw failure("unexpected \":\"") }
            return single(.assign)
        case "\"": return .string(try quoted())
        case "`":
            position += 1
            return .string(try raw())
        case ".": return .field(fields())
        case "$":
            position += 1
            let name = word()
            return .variable(name, current == "." ? fields() : [])
        default: break
        }
        if character.isNumber || character == "-" {
            position += 1
            let digits = String(character) + word()
            guard let number = Int64(digits) else { throw failure("bad number \"\(digits)\"") }
            return .integer(number)
        }
        let name = word()
        if name.isEmpty { throw failure("unexpected \"\(character)\"") }
        return .word(name)
    }

    private mutating func single(_ token: TemplateToken) -> TemplateToken {
        position += 1
        return token
    }

    private mutating func word() -> String {
        let start = position
        while let character = current, character.isLetter || character.isNumber || character == "_" { position += 1 }
        return String(characters[start..<position])
    }

    private mutating func fields() -> [String] {
        var names: [String] = []
        while current == "." {
            position += 1
            let name = word()
            if !name.isEmpty { names.append(name) }
        }
        return names
    }

    private mutating func raw() throws(RenderingError) -> String {
        let start = position
        while let character = current, character != "`" { position += 1 }
        if current == nil { throw failure("unterminated raw quoted string") }
        defer { position += 1 }
        return String(characters[start..<position])
    }

    private mutating func quoted() throws(RenderingError) -> String {
        position += 1
        var result = ""
        while let character = current, character != "\"" {
            position += 1
            guard character == "\\" else {
                result.append(character)
                continue
            }
            switch current {
            case "n": result.append("\n")
            case "t": result.append("\t")
            case .some(let escaped): result.append(escaped)
            case nil: break
            }
            position += 1
        }
        if current == nil { throw failure("unterminated quoted string") }
        position += 1
        return result
    }

    private func failure(_ reason: String) -> RenderingError {
        RenderingError(.template, "template parsing error: \(reason) in {{\(text)}}")
    }
}
