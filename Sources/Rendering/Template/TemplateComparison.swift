/// Comparisons of templates, which take values of the same kind.
enum TemplateComparison {
    /// `eq`, `ne`, `lt`, `le`, `gt`, `ge`. `eq` has the first argument compared with each of the others.
    static func compare(_ name: String, _ arguments: [Value]) throws(RenderingError) -> Bool {
        guard arguments.count >= 2 else { throw TemplateFunctions.failure("missing argument for comparison") }
        switch name {
        case "eq":
            for other in arguments.dropFirst() where try equal(arguments[0], other) { return true }
            return false
        case "ne": return try !equal(arguments[0], arguments[1])
        case "lt": return try order(arguments[0], arguments[1]) < 0
        case "le": return try order(arguments[0], arguments[1]) <= 0
        case "gt": return try order(arguments[0], arguments[1]) > 0
        default: return try order(arguments[0], arguments[1]) >= 0
        }
    }

    private static func equal(_ left: Value, _ right: Value) throws(RenderingError) -> Bool {
        switch (left, right) {
        case (.bool(let left), .bool(let right)): return left == right
        case (.integer(let left), .integer(let right)): return left == right
        case (.number(let left), .number(let right)): return left == right
        case (.string(let left), .string(let right)): return left == right
        case (.null, .null), (.absent, .null), (.null, .absent): return true
        case (.null, _), (_, .null): return false
        case (.array, _), (_, .array), (.dictionary, _), (_, .dictionary), (.absent, _), (_, .absent):
            throw TemplateFunctions.failure("non-comparable type \(GoFormat.type(left))")
        default: throw incompatible
        }
    }

    private static func order(_ left: Value, _ right: Value) throws(RenderingError) -> Int {
        switch (left, right) {
        case (.integer(let left), .integer(let right)): return sign(left, right)
        case (.number(let left), .number(let right)): return sign(left, right)
        case (.string(let left), .string(let right)):
            return left == right ? 0 : left.utf8.lexicographicallyPrecedes(right.utf8) ? -1 : 1
        case (.bool, .bool), (.array, _), (.dictionary, _), (.object, _), (.absent, _):
            throw TemplateFunctions.failure("invalid type for comparison")
        default: throw incompatible
        }
    }

    private static func sign<Number: Comparable>(_ left: Number, _ right: Number) -> Int {
        left < right ? -1 : left > right ? 1 : 0
    }

    private static var incompatible: RenderingError {
        TemplateFunctions.failure("incompatible types for comparison")
    }
}
