/// Texts of values as Go's `fmt` makes them.
enum GoFormat {
    /// `%v`, as `fmt.Print` writes a value.
    static func text(_ value: Value) -> String { Directive(verb: "v").text(of: value) }

    /// `fmt.Sprint`: a blank between two operands of which neither is a text.
    static func print(_ values: [Value]) -> String {
        var result = ""
        for (index, value) in values.enumerated() {
            if index > 0, !isString(value), !isString(values[index - 1]) { result += " " }
            result += text(value)
        }
        return result
    }

    /// `fmt.Sprintln`: a blank between all, a line feed behind.
    static func printLine(_ values: [Value]) -> String { values.map(text).joined(separator: " ") + "\n" }

    private static func isString(_ value: Value) -> Bool {
        if case .string = value { true } else { false }
    }

    /// The name of a value's type.
    static func type(_ value: Value) -> String {
        switch value {
        case .null: "<nil>"
        case .bool: "bool"
        case .integer: "int"
        case .number: "float64"
        case .string: "string"
        case .array(let values): values.allSatisfy(isString) ? "[]string" : "[]interface {}"
        case .absent(.list): "[]string"
        case .dictionary(let members):
            members.allSatisfy { isString($0.value) } ? "map[string]string" : "map[string]interface {}"
        case .absent(.map): "map[string]string"
        case .object: "struct"
        case .absent(.pointer): "*struct"
        }
    }

    /// `fmt.Sprintf`: verbs with flags, width, precision and numbers of arguments. What does not fit is told in the
    /// text, as Go does.
    static func printf(_ format: String, _ arguments: [Value]) -> String {
        var reader = FormatReader(format, arguments)
        return reader.text()
    }

    /// A width or a precision that is used; a larger one is no sensible wish.
    static let limit = 100_000
}

/// Reads a format and puts the arguments in.
private struct FormatReader {
    private var rest: Substring.UnicodeScalarView
    private let arguments: [Value]
    private var next = 0
    private var isReordered = false
    /// Whether the number of an argument led nowhere.
    private var isBadIndex = false

    init(_ format: String, _ arguments: [Value]) {
        rest = Substring(format).unicodeScalars
        self.arguments = arguments
    }

    mutating func text() -> String {
        var result = ""
        while let scalar = rest.popFirst() {
            if scalar == "%" { result += directive() } else { result.unicodeScalars.append(scalar) }
        }
        if !isReordered, next < arguments.count {
            let extra = arguments[next...].map { value in
                value == .null ? "<nil>" : GoFormat.type(value) + "=" + GoFormat.text(value)
            }
            result += "%!(EXTRA " + extra.joined(separator: ", ") + ")"
        }
        return result
    }

    /// One verb, behind its percent sign.
    private mutating func directive() -> String {
        isBadIndex = false
        var directive = Directive(verb: "v")
        var complaint = ""
        while let flag = rest.first, directive.set(flag: flag) { rest.removeFirst() }
        argumentNumber()
        if rest.first == "*" {
            rest.removeFirst()
            directive.width = starred()
            if directive.width == nil { complaint += "%!(BADWIDTH)" }
            if let width = directive.width, width < 0 {
                directive.width = -width
                directive.isLeft = true
            }
        } else {
            directive.width = number()
        }
        if rest.first == "." {
            rest.removeFirst()
            argumentNumber()
            if rest.first == "*" {
                rest.removeFirst()
                directive.precision = starred()
                if (directive.precision ?? -1) < 0 {
                    directive.precision = nil
                    complaint += "%!(BADPREC)"
                }
            } else {
                directive.precision = number() ?? 0
            }
        }
        argumentNumber()
        guard let verb = rest.popFirst() else { return complaint + "%!(NOVERB)" }
        if verb == "%" { return complaint + "%" }
        if isBadIndex { return complaint + "%!\(verb)(BADINDEX)" }
        guard arguments.indices.contains(next) else { return complaint + "%!\(verb)(MISSING)" }
        directive.verb = verb
        defer { next += 1 }
        return complaint + directive.text(of: arguments[next])
    }

    private mutating func number() -> Int? {
        var number: Int?
        while let digit = rest.first, let value = Int(String(digit)), digit.isASCII {
            number = min((number ?? 0) * 10 + value, GoFormat.limit)
            rest.removeFirst()
        }
        return number
    }

    /// The argument that a star stands for; nil where it is no number.
    private mutating func starred() -> Int? {
        defer {
            next += 1
            argumentNumber()
        }
        guard arguments.indices.contains(next), case .integer(let value) = arguments[next],
            abs(value.clamped) <= GoFormat.limit
        else { return nil }
        return Int(value)
    }

    /// `[2]`: the argument that comes next.
    private mutating func argumentNumber() {
        guard rest.first == "[" else { return }
        isReordered = true
        guard let close = rest.firstIndex(of: "]") else {
            isBadIndex = true
            rest.removeFirst()
            return
        }
        let number = Int(String(rest[rest.index(after: rest.startIndex)..<close]))
        rest = rest[rest.index(after: close)...]
        guard let number, number >= 1, number <= arguments.count else {
            isBadIndex = true
            return
        }
        next = number - 1
    }
}

extension Int64 {
    /// A number whose amount can be taken.
    fileprivate var clamped: Int64 { Swift.max(self, -.max) }
}
