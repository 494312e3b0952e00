/// One verb of `fmt` with its flags.
struct Directive {
    var verb: Unicode.Scalar
    var width: Int?
    var precision: Int?
    var isLeft = false
    private var isSigned = false
    /// Whether the members of a struct are named, for `%+v`.
    private var isNamed = false
    private var isSharp = false
    private var isSpaced = false
    private var isZeroed = false

    init(verb: Unicode.Scalar) { self.verb = verb }

    /// Sets a flag; false for what is none.
    mutating func set(flag: Unicode.Scalar) -> Bool {
        switch flag {
        case "-": isLeft = true
        case "+": isSigned = true
        case "#": isSharp = true
        case " ": isSpaced = true
        case "0": isZeroed = true
        default: return false
        }
        return true
    }

    /// The text of a value. A verb that does not fit it is told: `%!d(string=hi)`.
    func text(of value: Value) -> String {
        if verb == "v", isSigned {
            var named = self
            named.isSigned = false
            named.isNamed = true
            return named.text(of: value)
        }
        if verb == "T" { return padded(GoFormat.type(value)) }
        switch value {
        case .null: return verb == "v" ? padded("<nil>") : "%!\(verb)(<nil>)"
        case .absent(.pointer): return verb == "v" ? padded("<nil>") : bad(value)
        case .bool(let flag):
            return verb == "t" || verb == "v" ? padded(flag ? "true" : "false") : bad(value)
        case .integer(let number): return integer(number) ?? bad(value)
        case .number(let number): return fraction(number) ?? bad(value)
        case .string(let text): return string(text) ?? bad(value)
        case .array(let values): return list(values.map { self.text(of: $0) }, value)
        case .absent(.list): return list([], value)
        case .dictionary(let members):
            return "map[" + pairs(members) + "]"
        case .absent(.map): return "map[]"
        case .object(let members):
            let fields = members.filter { $0.visibility != .alias }
            if isNamed, verb == "v" { return "{" + pairs(fields) + "}" }
            return "{" + fields.map { self.text(of: $0.value) }.joined(separator: " ") + "}"
        }
    }

    private func list(_ texts: [String], _ value: Value) -> String {
        if isSharp, verb == "v" { return GoFormat.type(value) + "{" + texts.joined(separator: ", ") + "}" }
        return "[" + texts.joined(separator: " ") + "]"
    }

    private func pairs(_ members: [Value.Member]) -> String {
        members.map { "\(Directive(copying: self, verb: keyVerb).text(of: .string($0.name))):\(text(of: $0.value))" }
            .joined(separator: " ")
    }

    /// Names of members are formatted as the values are, where the verb fits texts.
    private var keyVerb: Unicode.Scalar { ["s", "q", "x", "X", "v"].contains(verb) ? verb : "v" }

    private init(copying other: Directive, verb: Unicode.Scalar) {
        self = other
        self.verb = verb
    }

    private func bad(_ value: Value) -> String {
        "%!\(verb)(\(GoFormat.type(value))=\(GoFormat.text(value)))"
    }

    // MARK: Kinds

    private func string(_ text: String) -> String? {
        switch verb {
        case "v" where isSharp, "q":
            let cut = cut(text)
            let isRaw = !cut.unicodeScalars.contains { $0 == "`" || ($0.value < 32 && $0 != "\t") }
            if isSharp, verb == "q", isRaw {
                return padded("`\(cut)`")
            }
            return padded(ShortText.quoted(cut))
        case "v", "s": return padded(cut(text))
        case "x", "X":
            let bytes = precision.map { Array(text.utf8.prefix($0)) } ?? Array(text.utf8)
            let digits = bytes.map { byte in
                let digits = String(byte, radix: 16, uppercase: verb == "X")
                return digits.utf8.count == 1 ? "0" + digits : digits
            }
            let prefix = isSharp ? (verb == "X" ? "0X" : "0x") : ""
            if isSpaced { return padded(digits.map { prefix + $0 }.joined(separator: " ")) }
            return padded(bytes.isEmpty ? "" : prefix + digits.joined())
        default: return nil
        }
    }

    private func cut(_ text: String) -> String {
        guard let precision else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(precision)))
    }

    private func integer(_ number: Int64) -> String? {
        switch verb {
        case "v", "d": return digits(number, radix: 10, prefix: "")
        case "b": return digits(number, radix: 2, prefix: isSharp ? "0b" : "")
        case "o": return digits(number, radix: 8, prefix: isSharp ? "0" : "")
        case "O": return digits(number, radix: 8, prefix: "0o")
        case "x", "X":
            return digits(number, radix: 16, prefix: isSharp ? (verb == "x" ? "0x" : "0X") : "")
        case "c": return padded(String(Character(scalar(number))))
        case "q":
            let character = scalar(number)
            let text = ShortText.quoted(String(Character(character))).dropFirst().dropLast()
            return padded("'" + (character == "'" ? #"\'"# : character == "\"" ? "\"" : text) + "'")
        case "U":
            let digits = String(number.magnitude, radix: 16, uppercase: true)
            let text = "U+" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
            return padded(isSharp ? text + " '\(Character(scalar(number)))'" : text)
        default: return nil
        }
    }

    private func scalar(_ number: Int64) -> Unicode.Scalar {
        UInt32(exactly: number).flatMap(Unicode.Scalar.init) ?? "\u{fffd}"
    }

    private func digits(_ number: Int64, radix: Int, prefix: String) -> String {
        var digits = String(number.magnitude, radix: radix, uppercase: verb == "X")
        if precision == 0, number == 0 { return padded("", withZeros: false) }
        if let precision { digits = String(repeating: "0", count: max(0, precision - digits.utf8.count)) + digits }
        return signed(number < 0, prefix, digits, zeros: precision == nil)
    }

    private func fraction(_ number: Double) -> String? {
        let text: String
        switch verb {
        case "v", "g", "G":
            let upper = verb == "G"
            text =
                precision.map { GoNumber.general(number, $0, upperCase: upper) }
                ?? GoNumber.shortest(number, upperCase: upper)
        case "f", "F": text = GoNumber.fixed(number, precision ?? 6)
        case "e", "E": text = GoNumber.scientific(number, precision ?? 6, upperCase: verb == "E")
        default: return nil
        }
        let isNegative = text.hasPrefix("-")
        let amount = isNegative || text.hasPrefix("+") ? String(text.dropFirst()) : text
        if !number.isFinite {
            return padded((isNegative ? "-" : number.isNaN && !isSigned ? "" : "+") + amount, withZeros: false)
        }
        return signed(isNegative, "", amount, zeros: true)
    }

    // MARK: Width

    private func signed(_ isNegative: Bool, _ prefix: String, _ digits: String, zeros: Bool) -> String {
        let sign = isNegative ? "-" : isSigned ? "+" : isSpaced ? " " : ""
        guard isZeroed, !isLeft, zeros, let width else { return padded(sign + prefix + digits, withZeros: false) }
        let count = width - sign.utf8.count - prefix.utf8.count - digits.utf8.count
        return sign + prefix + String(repeating: "0", count: max(0, count)) + digits
    }

    /// Filled up with blanks to the width, or with zeros where that is asked.
    private func padded(_ text: String, withZeros: Bool = true) -> String {
        guard let width else { return text }
        let count = max(0, width - text.unicodeScalars.count)
        if isLeft { return text + String(repeating: " ", count: count) }
        return String(repeating: isZeroed && withZeros ? "0" : " ", count: count) + text
    }
}
