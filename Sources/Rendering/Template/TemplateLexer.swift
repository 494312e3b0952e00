import OCI

/// Splits a template as Go's lexer does: delimiters inside of texts are none, and blanks matter.
struct TemplateLexer {
    private var rest: Substring.UnicodeScalarView
    private var tokens: [TemplateToken] = []

    /// All tokens of a template.
    static func tokens(of source: String) throws(RenderingError) -> [TemplateToken] {
        var lexer = TemplateLexer(rest: Substring(source).unicodeScalars)
        try lexer.split(source)
        return lexer.tokens
    }

    private init(rest: Substring.UnicodeScalarView) { self.rest = rest }

    private mutating func split(_ source: String) throws(RenderingError) {
        var trims = false
        while true {
            var text = String(String.UnicodeScalarView(upTo("{{")))
            if trims { text = String(text.unicodeScalars.drop(while: Self.isSpace)) }
            let isLast = rest.isEmpty
            if !isLast, rest.dropFirst(2).first == "-", rest.dropFirst(3).first.map(Self.isSpace) == true {
                rest.removeFirst(1)
                while let last = text.unicodeScalars.last, Self.isSpace(last) { text.unicodeScalars.removeLast() }
            }
            if !text.isEmpty { tokens.append(.text(text)) }
            if isLast { return }
            rest.removeFirst(2)
            trims = try action(source)
        }
    }

    /// Reads up to a text, which stays, or to the end.
    private mutating func upTo(_ mark: String) -> Substring.UnicodeScalarView {
        let before = rest
        while !rest.isEmpty, !rest.starts(with: mark.unicodeScalars) { rest.removeFirst() }
        return before[before.startIndex..<rest.startIndex]
    }

    /// Reads an action behind `{{`; returns whether blanks behind it are left out.
    private mutating func action(_ source: String) throws(RenderingError) -> Bool {
        let before = rest
        while let first = rest.first, Self.isSpace(first) { rest.removeFirst() }
        if rest.starts(with: "/*".unicodeScalars) {
            _ = upTo("*/")
            rest = rest.dropFirst(2)
            let trims = rest.first.map(Self.isSpace) == true && rest.dropFirst().starts(with: "-}}".unicodeScalars)
            if trims { rest.removeFirst(2) }
            guard rest.starts(with: "}}".unicodeScalars) else {
                throw Self.failure("comment ends before closing delimiter")
            }
            rest.removeFirst(2)
            return trims
        }
        rest = before
        tokens.append(.begin)
        while !rest.isEmpty {
            if rest.starts(with: "}}".unicodeScalars) {
                rest.removeFirst(2)
                tokens.append(.end)
                return false
            }
            if Self.isSpace(rest[rest.startIndex]), rest.dropFirst().starts(with: "-}}".unicodeScalars) {
                rest.removeFirst(4)
                tokens.append(.end)
                return true
            }
            try tokens.append(next())
        }
        throw Self.failure("unclosed action in \"\(source)\"")
    }

    private mutating func next() throws(RenderingError) -> TemplateToken {
        let first = rest.removeFirst()
        switch first {
        case _ where Self.isSpace(first):
            while let next = rest.first, Self.isSpace(next), !rest.dropFirst().starts(with: "-}}".unicodeScalars) {
                rest.removeFirst()
            }
            return .space
        case "|": return .pipe
        case "(": return .open
        case ")": return .close
        case ",": return .comma
        case "=": return .assign
        case ":":
            guard rest.first == "=" else { throw Self.failure("expected :=") }
            rest.removeFirst()
            return .declare
        case "\"": return .literal(.string(try TemplateLiteral.text(&rest)))
        case "'": return .literal(.integer(try TemplateLiteral.character(&rest)))
        case "`":
            let text = String(String.UnicodeScalarView(upTo("`")))
            if rest.isEmpty { throw Self.failure("unterminated raw quoted string") }
            rest.removeFirst()
            return .literal(.string(text))
        case "$": return .variable(word())
        case ".":
            if rest.first.map({ ("0"..."9").contains($0) }) == true { return .literal(try number(first)) }
            let name = word()
            return name.isEmpty ? .dot : .member(name)
        case "0"..."9", "-", "+": return .literal(try number(first))
        default: break
        }
        guard Self.isLetter(first) else { throw Self.failure("unexpected \"\(first)\"") }
        return .word(String(first) + word())
    }

    private mutating func word() -> String {
        var word = ""
        while let next = rest.first, Self.isLetter(next) {
            word.unicodeScalars.append(next)
            rest.removeFirst()
        }
        return word
    }

    private mutating func number(_ first: Unicode.Scalar) throws(RenderingError) -> Value {
        var text = String(first)
        while let next = rest.first {
            let isSign =
                (next == "-" || next == "+") && text.last.map { "eEpP".contains($0) } == true
                && !text.lowercased().hasPrefix("0x")
            guard Self.isLetter(next) || next == "." || isSign else { break }
            text.unicodeScalars.append(next)
            rest.removeFirst()
        }
        guard let value = TemplateLiteral.number(text) else { throw Self.failure("bad number syntax: \"\(text)\"") }
        return value
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar == " " || scalar == "\t" || scalar == "\r" || scalar == "\n"
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar.properties.isAlphabetic || scalar.properties.numericType == .decimal
    }

    static func failure(_ reason: String) -> RenderingError {
        RenderingError(.template, "template parsing error: \(reason)")
    }
}
