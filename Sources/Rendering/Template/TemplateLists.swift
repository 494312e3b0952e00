/// Parts of lists, maps and texts, for templates.
enum TemplateLists {
    /// `len`
    static func length(_ value: Value) throws(RenderingError) -> Int64 {
        switch value {
        case .string(let text): Int64(text.utf8.count)
        case .array(let values): Int64(values.count)
        case .dictionary(let members): Int64(members.count)
        case .absent(.list), .absent(.map): 0
        case .null: throw TemplateFunctions.failure("len of nil pointer")
        default: throw TemplateFunctions.failure("len of type \(GoFormat.type(value))")
        }
    }

    /// The elements of a list.
    static func items(_ value: Value) throws(RenderingError) -> [Value] {
        switch value {
        case .array(let values): values
        case .absent(.list): []
        default:
            throw TemplateFunctions.failure("wrong type for value; expected []string; got \(GoFormat.type(value))")
        }
    }

    /// `index LIST KEY…`
    static func index(_ arguments: [Value]) throws(RenderingError) -> Value {
        guard var value = arguments.first else { throw TemplateFunctions.failure("index needs an argument") }
        for key in arguments.dropFirst() { value = try index(value, key) }
        return value
    }

    private static func index(_ value: Value, _ key: Value) throws(RenderingError) -> Value {
        switch (value, key) {
        case (.dictionary(let members), .string(let name)): return value[name] ?? zero(like: members.first?.value)
        case (.absent(.map), .string): return zero(like: nil)
        case (.dictionary, _), (.absent(.map), _):
            throw TemplateFunctions.failure("value has type \(GoFormat.type(key)); should be string")
        case (.array, .integer(let position)), (.absent(.list), .integer(let position)):
            let values = try items(value)
            guard position >= 0, position < values.count else { throw outOfRange(position) }
            return values[Int(position)]
        case (.string(let text), .integer(let position)):
            guard position >= 0, position < text.utf8.count else { throw outOfRange(position) }
            return .integer(Int64(Array(text.utf8)[Int(position)]))
        case (.null, _): throw TemplateFunctions.failure("index of untyped nil")
        case (.array, _), (.absent(.list), _), (.string, _):
            throw TemplateFunctions.failure("cannot index slice/array with type \(GoFormat.type(key))")
        default: throw TemplateFunctions.failure("can't index item of type \(GoFormat.type(value))")
        }
    }

    /// What a map gives for a key that it lacks: Go's zero value of its elements' type.
    private static func zero(like value: Value?) -> Value {
        switch value {
        case .string?, nil: .string("")
        case .array?, .absent(.list)?: .absent(.list)
        case .dictionary?, .absent(.map)?: .absent(.map)
        case .object?, .absent(.pointer)?: .absent(.pointer)
        case .integer?: .integer(0)
        case .number?: .number(0)
        case .bool?: .bool(false)
        case .null?: .null
        }
    }

    /// `slice LIST FROM TO`
    static func slice(_ arguments: [Value]) throws(RenderingError) -> Value {
        guard let value = arguments.first, arguments.count <= 4 else {
            throw TemplateFunctions.failure("slice takes a value and up to three positions")
        }
        let count: Int
        if case .string(let text) = value {
            if arguments.count == 4 { throw TemplateFunctions.failure("cannot 3-index slice a string") }
            count = text.utf8.count
        } else {
            count = try items(value).count
        }
        var bounds = [0, count]
        for (place, argument) in arguments.dropFirst().enumerated() {
            guard case .integer(let position) = argument else {
                throw TemplateFunctions.failure("cannot index slice/array with type \(GoFormat.type(argument))")
            }
            guard position >= 0, position <= count else { throw outOfRange(position) }
            if place < 2 { bounds[place] = Int(position) }
        }
        guard bounds[0] <= bounds[1] else {
            throw TemplateFunctions.failure("invalid slice index: \(bounds[0]) > \(bounds[1])")
        }
        if case .string(let text) = value {
            return .string(String(decoding: Array(text.utf8)[bounds[0]..<bounds[1]], as: UTF8.self))
        }
        return .array(Array(try items(value)[bounds[0]..<bounds[1]]))
    }

    /// As many bytes of a text as are whole characters.
    static func prefix(_ text: String, bytes: Int) -> String {
        var result = ""
        var left = bytes
        for scalar in text.unicodeScalars {
            left -= UTF8.width(scalar)
            if left < 0 { break }
            result.unicodeScalars.append(scalar)
        }
        return result
    }

    private static func outOfRange(_ position: Int64) -> RenderingError {
        TemplateFunctions.failure("index out of range: \(position)")
    }
}
