extension ExpansionRun {
    /// The value of a variable under the modifier that comes next, up to the closing brace.
    /// - Parameter start: where the `$` is.
    mutating func modified(_ name: String, start: Int) throws(DockerfileError) -> [UInt8] {
        let value = expander.lookup(name)
        guard let operation = next else { throw badSubstitution("a } is missing behind ${\(name)", at: start) }
        switch operation {
        case ASCII.closeBrace: return Array((value ?? "").utf8)
        case ASCII.colon:
            index += 1
            guard let test = next, "-+?".utf8.contains(test) else {
                throw badSubstitution("${\(name): is not followed by -, + or ?", at: start)
            }
            return try tested(name, value?.isEmpty == true ? nil : value, test: test, start: start)
        case ASCII.dash, UInt8(ascii: "+"), ASCII.question:
            return try tested(name, value, test: operation, start: start)
        case ASCII.hash, UInt8(ascii: "%"): return try trimmed(value ?? "", operation)
        case ASCII.slash: return try replaced(value ?? "")
        default:
            let sign = bytes[index...].text.prefix(1)
            throw badSubstitution("${\(name) is followed by the unknown modifier \(sign)", at: start)
        }
    }

    /// `-`, `+` and `?`. The word is expanded even if it is not used, so that its faults show.
    private mutating func tested(
        _ name: String, _ value: String?, test: UInt8, start: Int
    ) throws(DockerfileError) -> [UInt8] {
        index += 1
        let word = try text(until: [ASCII.closeBrace], keepsEscapes: false).joined
        switch test {
        case ASCII.dash: return value.map { Array($0.utf8) } ?? word
        case UInt8(ascii: "+"): return value == nil ? [] : word
        default:
            if let value { return Array(value.utf8) }
            if expander.checksOnly { return [] }
            faultOffset = start
            throw DockerfileError(
                .unsetVariable, "\(name): \(word.isEmpty ? "the variable is not set" : word.text)",
                remedy: "set it with ENV, or with ARG and --build-arg")
        }
    }

    /// `#`, `##`, `%`, `%%`.
    private mutating func trimmed(_ value: String, _ sign: UInt8) throws(DockerfileError) -> [UInt8] {
        index += 1
        let longest = next == sign
        if longest { index += 1 }
        let fromStart = sign == ASCII.hash
        let pattern = try pattern(until: [ASCII.closeBrace])
        let scalars = Array(value.unicodeScalars)
        let rest: ArraySlice<Unicode.Scalar>
        if fromStart {
            let length = pattern.prefixLength(in: scalars[...], longest: longest)
            rest = scalars.dropFirst(length ?? 0)
        } else {
            let length = pattern.reversed().prefixLength(in: scalars.reversed()[...], longest: longest)
            rest = scalars.dropLast(length ?? 0)
        }
        return ExpansionRun.utf8(rest)
    }

    /// `/pattern/replacement` and `//pattern/replacement`; without a replacement the matches go away.
    private mutating func replaced(_ value: String) throws(DockerfileError) -> [UInt8] {
        index += 1
        let all = next == ASCII.slash
        if all { index += 1 }
        let pattern = try pattern(until: [ASCII.slash, ASCII.closeBrace])
        var replacement: [UInt8] = []
        if next == ASCII.slash {
            index += 1
            replacement = try text(until: [ASCII.closeBrace], keepsEscapes: false).joined
        }
        var result: [UInt8] = []
        var rest = Array(value.unicodeScalars)[...]
        var done = false
        if rest.isEmpty, pattern.prefixLength(in: rest, longest: true) != nil { return replacement }
        while let first = rest.first {
            // An empty match in a text that is not empty replaces nothing, as in a shell.
            if !done, let length = pattern.prefixLength(in: rest, longest: true), length > 0 {
                result += replacement
                rest = rest.dropFirst(length)
                done = !all
                try limit(result.count)
            } else {
                result += ExpansionRun.utf8(CollectionOfOne(first))
                rest = rest.dropFirst()
            }
        }
        return result
    }

    private mutating func pattern(until stops: [UInt8]) throws(DockerfileError) -> ShellPattern {
        ShellPattern(try text(until: stops, keepsEscapes: true).joined.text, escape: expander.escape)
    }

    private static func utf8(_ scalars: some Sequence<Unicode.Scalar>) -> [UInt8] {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return Array(String(text).utf8)
    }
}
