/// One pass over a text that expands it.
struct ExpansionRun {
    let expander: Expander
    let bytes: [UInt8]
    /// Whether this is the body of a here-document.
    let body: Bool
    var index = 0
    /// Where the text that an error is about starts.
    var faultOffset = 0
    private var depth = 0

    init(_ expander: Expander, _ bytes: [UInt8], body: Bool = false) {
        self.expander = expander
        self.bytes = bytes
        self.body = body
    }

    var escape: UInt8 { expander.escape.byte }

    /// The next byte, nil at the end.
    var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    /// Expands everything.
    mutating func whole() throws(DockerfileError) -> ExpansionOutput {
        try text(until: [], keepsEscapes: false)
    }

    /// Expands up to one of the stop bytes, which stays, or to the end.
    /// - Parameter keepsEscapes: whether escape characters stay in the result, because a pattern needs them.
    mutating func text(until stops: [UInt8], keepsEscapes: Bool) throws(DockerfileError) -> ExpansionOutput {
        var output = ExpansionOutput()
        while let byte = next, !stops.contains(byte) {
            switch byte {
            case ASCII.apostrophe where !body: try singleQuoted(into: &output)
            case ASCII.quote where !body: try doubleQuoted(into: &output)
            case ASCII.dollar:
                for value in try variable() { body ? output.appendQuoted(value) : output.append(value) }
            case escape: escaped(into: &output, keepsEscapes: keepsEscapes)
            default:
                output.append(byte)
                index += 1
            }
            try limit(output.joined.count)
        }
        return output
    }

    private mutating func escaped(into output: inout ExpansionOutput, keepsEscapes: Bool) {
        index += 1
        guard let byte = next else {
            // An escape character at the very end has nothing to escape and goes away, except in a body.
            if body { output.append(escape) }
            return
        }
        if keepsEscapes || (body && byte != ASCII.dollar && byte != escape) { output.appendQuoted(escape) }
        output.appendQuoted(byte)
        index += 1
    }

    private mutating func singleQuoted(into output: inout ExpansionOutput) throws(DockerfileError) {
        let start = index
        index += 1
        output.openWord()
        while let byte = next {
            index += 1
            if byte == ASCII.apostrophe { return }
            output.appendQuoted(byte)
        }
        throw unterminated("'", at: start)
    }

    private mutating func doubleQuoted(into output: inout ExpansionOutput) throws(DockerfileError) {
        let start = index
        index += 1
        output.openWord()
        while let byte = next {
            switch byte {
            case ASCII.quote:
                index += 1
                return
            case ASCII.dollar:
                for value in try variable() { output.appendQuoted(value) }
                try limit(output.joined.count)
            case escape:
                index += 1
                guard let escaped = next else { continue }
                // Inside double quotes only these can be escaped; elsewhere the escape character stays.
                if escaped != ASCII.quote, escaped != ASCII.dollar, escaped != escape { output.appendQuoted(byte) }
                output.appendQuoted(escaped)
                index += 1
            default:
                output.appendQuoted(byte)
                index += 1
            }
        }
        throw unterminated("\"", at: start)
    }

    private mutating func unterminated(_ quote: String, at start: Int) -> DockerfileError {
        faultOffset = start
        return DockerfileError(
            .unterminatedQuote, "a \(quote) has no counterpart in \(bytes.text.shown)",
            remedy: "put \(expander.escape.rawValue) in front of it if it is meant as such")
    }

    /// The value of what starts with `$`.
    private mutating func variable() throws(DockerfileError) -> [UInt8] {
        let start = index
        index += 1
        guard next == ASCII.openBrace else {
            let name = takeName()
            guard !name.isEmpty else { return [ASCII.dollar] }
            return Array((expander.lookup(name) ?? "").utf8)
        }
        index += 1
        depth += 1
        defer { depth -= 1 }
        guard depth <= Expander.maximumDepth else {
            faultOffset = start
            throw DockerfileError(.tooLarge, "variables are nested more than \(Expander.maximumDepth) deep")
        }
        let name = takeName()
        guard !name.isEmpty else { throw badSubstitution("a variable's name is missing behind ${", at: start) }
        let value = try modified(name, start: start)
        guard next == ASCII.closeBrace else { throw badSubstitution("a } is missing behind ${\(name)", at: start) }
        index += 1
        return value
    }

    /// A name, or the digits or the one character that a shell's special parameters have.
    private mutating func takeName() -> String {
        let start = index
        guard let first = next else { return "" }
        if ASCII.isDigit(first) {
            while let byte = next, ASCII.isDigit(byte) { index += 1 }
        } else if ASCII.isName(first) {
            while let byte = next, ASCII.isName(byte) { index += 1 }
        } else if "@*#?-$!".utf8.contains(first) {
            index += 1
        }
        return bytes[start..<index].text
    }

    mutating func badSubstitution(_ message: String, at start: Int) -> DockerfileError {
        faultOffset = start
        return DockerfileError(.badSubstitution, "\(message) in \(bytes.text.shown)")
    }

    /// Throws `tooLarge` if a text has grown too long.
    func limit(_ length: Int) throws(DockerfileError) {
        guard length > Expander.maximumLength else { return }
        throw DockerfileError(.tooLarge, "an expanded argument is longer than \(Expander.maximumLength) bytes")
    }
}
