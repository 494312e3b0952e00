import OCI

/// The functions of Go's templates and of Docker's that `--format` may call.
enum TemplateFunctions {
    /// All of them; `and` and `or` are the evaluation's, which looks at no more arguments than it has to.
    static let names: Set<String> = [
        "and", "or", "call", "html", "index", "js", "len", "not", "print", "printf", "println", "slice", "urlquery",
        "eq", "ge", "gt", "le", "lt", "ne", "json", "split", "join", "title", "lower", "upper", "pad", "truncate",
    ]
    /// Functions of Docker's that leave a heading as it is; `pad` moves headings, too.
    static let keepingHeadings: Set<String> = ["json", "split", "join", "title", "lower", "upper", "truncate"]

    /// How many arguments those functions take that do not take any number.
    private static let counts: [String: Int] = [
        "not": 1, "len": 1, "ne": 2, "lt": 2, "le": 2, "gt": 2, "ge": 2, "json": 1, "split": 2, "join": 2, "title": 1,
        "lower": 1, "upper": 1, "pad": 3, "truncate": 2,
    ]

    static func failure(_ reason: String) -> RenderingError {
        RenderingError(.template, "template execution error: \(reason)")
    }

    static func call(_ name: String, _ arguments: [Value]) throws(RenderingError) -> Value {
        if let count = counts[name], count != arguments.count {
            throw failure("wrong number of args for \(name): want \(count) got \(arguments.count)")
        }
        switch name {
        case "print": return .string(GoFormat.print(arguments))
        case "println": return .string(GoFormat.printLine(arguments))
        case "printf":
            guard case .string(let format)? = arguments.first else { throw failure("printf needs a format") }
            return .string(GoFormat.printf(format, Array(arguments.dropFirst())))
        case "html": return .string(TextEscaping.html(words(arguments)))
        case "js": return .string(TextEscaping.script(words(arguments)))
        case "urlquery": return .string(TextEscaping.query(words(arguments)))
        case "index": return try TemplateLists.index(arguments)
        case "slice": return try TemplateLists.slice(arguments)
        case "eq", "ne", "lt", "le", "gt", "ge": return .bool(try TemplateComparison.compare(name, arguments))
        case "not": return .bool(!arguments[0].isTrue)
        case "len": return .integer(try TemplateLists.length(arguments[0]))
        case "json": return .string(arguments[0].json)
        case "split", "join", "title", "lower", "upper", "pad", "truncate": return try docker(name, arguments)
        default: throw failure("there is no function that \"\(name)\" could call")
        }
    }

    /// Docker's functions for texts, which take nothing else.
    private static func docker(_ name: String, _ arguments: [Value]) throws(RenderingError) -> Value {
        if name == "join" {
            let texts = try TemplateLists.items(arguments[0]).map { item throws(RenderingError) in try string(item) }
            return .string(texts.joined(separator: try string(arguments[1])))
        }
        let text = try string(arguments[0])
        switch name {
        case "split":
            let separator = try string(arguments[1])
            if separator.isEmpty { return .strings(text.unicodeScalars.map { String($0) }) }
            return .strings(text.split(separator: separator, omittingEmptySubsequences: false).map(String.init))
        case "title": return .string(titled(text))
        case "lower": return .string(text.lowercased())
        case "upper": return .string(text.uppercased())
        case "pad":
            let (before, behind) = (try count(arguments[1]), try count(arguments[2]))
            if text.isEmpty { return .string("") }
            return .string(String(repeating: " ", count: before) + text + String(repeating: " ", count: behind))
        default: return .string(TemplateLists.prefix(text, bytes: try count(arguments[1])))
        }
    }

    private static func string(_ value: Value) throws(RenderingError) -> String {
        guard case .string(let text) = value else {
            throw failure("wrong type for value; expected string; got \(GoFormat.type(value))")
        }
        return text
    }

    private static func count(_ value: Value) throws(RenderingError) -> Int {
        guard case .integer(let number) = value else {
            throw failure("wrong type for value; expected int; got \(GoFormat.type(value))")
        }
        guard number >= 0, number <= GoFormat.limit else { throw failure("\(number) is no sensible length") }
        return Int(number)
    }

    /// Each word with a capital at its beginning.
    private static func titled(_ text: String) -> String {
        var result = ""
        var isInside = false
        for character in text {
            result += isInside ? String(character) : character.uppercased()
            isInside = character.isLetter || character.isNumber || character == "_" || character == "'"
        }
        return result
    }

    /// What functions that escape make their text of.
    private static func words(_ arguments: [Value]) -> String { GoFormat.print(arguments) }
}
