/// The functions of Go's templates and of Docker's that `--format` may call.
enum TemplateFunctions {
    static func failure(_ reason: String) -> RenderingError {
        RenderingError(.template, "template execution error: \(reason)")
    }

    static func call(_ name: String, _ arguments: [Value]) throws(RenderingError) -> Value {
        switch name {
        case "and": return arguments.first { !$0.isTrue } ?? arguments.last ?? .null
        case "or": return arguments.first { $0.isTrue } ?? arguments.last ?? .null
        case "print": return .string(arguments.map(\.text).joined(separator: " "))
        case "println": return .string(arguments.map(\.text).joined(separator: " ") + "\n")
        case "printf": return try printf(arguments)
        case "index":
            guard var value = arguments.first else { throw failure("index needs an argument") }
            for key in arguments.dropFirst() { value = try index(value, key) }
            return value
        case "eq":
            guard let first = arguments.first else { throw failure("eq needs arguments") }
            return .bool(arguments.dropFirst().contains(first))
        case "ne", "lt", "le", "gt", "ge":
            guard arguments.count == 2 else { throw failure("\(name) needs two arguments") }
            return .bool(try compare(name, arguments[0], arguments[1]))
        case "join", "split", "truncate":
            guard arguments.count == 2 else { throw failure("\(name) needs two arguments") }
            return try two(name, arguments[0], arguments[1])
        default:
            guard arguments.count == 1 else {
                throw failure(
                    one(name, .null) == nil
                        ? "function \"\(name)\" not defined" : "wrong number of arguments for \(name)")
            }
            guard let result = one(name, arguments[0]) else { throw failure("function \"\(name)\" not defined") }
            return result
        }
    }

    private static func one(_ name: String, _ value: Value) -> Value? {
        switch name {
        case "json": .string(value.json)
        case "len": .integer(length(value))
        case "lower": .string(value.text.lowercased())
        case "upper": .string(value.text.uppercased())
        case "title": .string(value.text.prefix(1).uppercased() + value.text.dropFirst())
        case "not": .bool(!value.isTrue)
        case "html", "js", "urlquery": .string(value.text)
        default: nil
        }
    }

    private static func two(_ name: String, _ first: Value, _ second: Value) throws(RenderingError) -> Value {
        switch name {
        case "join":
            guard case .array(let items) = first else { throw failure("join needs a list") }
            return .string(items.map(\.text).joined(separator: second.text))
        case "split":
            let parts = first.text.split(separator: second.text, omittingEmptySubsequences: false)
            return .strings(parts.map(String.init))
        default:
            guard case .integer(let length) = second, length >= 0 else { throw failure("truncate needs a length") }
            return .string(String(first.text.prefix(Int(clamping: length))))
        }
    }

    private static func length(_ value: Value) -> Int64 {
        switch value {
        case .string(let text): Int64(text.utf8.count)
        case .array(let values): Int64(values.count)
        case .object(let members): Int64(members.count)
        default: 0
        }
    }

    private static func index(_ value: Value, _ key: Value) throws(RenderingError) -> Value {
        switch (value, key) {
        case (.object, .string(let name)): return value[name] ?? .string("")
        case (.array(let values), .integer(let position)):
            guard position >= 0, position < values.count else {
                throw failure("index out of range: \(position)")
            }
            return values[Int(position)]
        case (.null, _): return .string("")
        default: throw failure("can't index item of \(value.text) with \(key.text)")
        }
    }

    private static func compare(_ name: String, _ left: Value, _ right: Value) throws(RenderingError) -> Bool {
        if name == "ne" { return left != right }
        let order: Int
        switch (left, right) {
        case (.integer(let left), .integer(let right)): order = left < right ? -1 : left > right ? 1 : 0
        case (.string(let left), .string(let right)): order = left < right ? -1 : left > right ? 1 : 0
        default: throw failure("incompatible types for comparison")
        }
        return switch name {
        case "lt": order < 0
        case "le": order <= 0
        case "gt": order > 0
        default: order >= 0
        }
    }

    /// `%s`, `%v`, `%d`, `%q` and `%%`, with a width.
    private static func printf(_ arguments: [Value]) throws(RenderingError) -> Value {
        guard case .string(let format) = arguments.first else { throw failure("printf needs a format") }
        var rest = arguments.dropFirst()
        var result = ""
        var characters = Substring(format)
        while let character = characters.popFirst() {
            guard character == "%" else {
                result.append(character)
                continue
            }
            var width = ""
            while let next = characters.first, next.isNumber || next == "-" { width.append(characters.removeFirst()) }
            guard let verb = characters.popFirst() else { break }
            if verb == "%" {
                result.append("%")
                continue
            }
            guard let value = rest.popFirst() else { throw failure("printf has too few arguments") }
            let text = verb == "q" ? ShortText.quoted(value.text) : value.text
            let count = min(1000, abs(Int(width) ?? 0)) - text.count
            let padding = String(repeating: " ", count: max(0, count))
            result += width.hasPrefix("-") ? text + padding : padding + text
        }
        return .string(result)
    }
}
