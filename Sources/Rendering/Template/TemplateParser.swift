/// Reads Go's template language, as much of it as `--format` needs: fields, functions, pipelines, variables, `if`,
/// `range` and `with`.
struct TemplateParser {
    private enum Piece {
        case text(String)
        case action([TemplateToken])
    }

    private var pieces: [Piece] = []
    private var position = 0

    init(_ source: String) throws(RenderingError) {
        var rest = Substring(source)
        var trimNext = false
        while let start = rest.firstRange(of: "{{") {
            var text = rest[..<start.lowerBound]
            if trimNext { text = text.drop { $0.isWhitespace } }
            rest = rest[start.upperBound...]
            if rest.hasPrefix("- ") {
                while let last = text.last, last.isWhitespace { text.removeLast() }
                rest = rest.dropFirst()
            }
            guard let end = rest.firstRange(of: "}}") else {
                throw RenderingError(.template, "template parsing error: unclosed action in \"\(source)\"")
            }
            var action = rest[..<end.lowerBound]
            rest = rest[end.upperBound...]
            trimNext = action.hasSuffix(" -")
            if trimNext { action.removeLast() }
            if !text.isEmpty { pieces.append(.text(String(text))) }
            if !action.hasPrefix("/*") { pieces.append(.action(try TemplateToken.scan(String(action)))) }
        }
        if trimNext { rest = rest.drop { $0.isWhitespace } }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
    }

    /// Everything up to the end.
    mutating func parse() throws(RenderingError) -> [TemplateNode] {
        let (nodes, end) = try nodes()
        if let end { throw failure("unexpected {{\(end)}}") }
        return nodes
    }

    /// Nodes up to `end` or `else`, which is given back with what follows it.
    private mutating func nodes() throws(RenderingError) -> ([TemplateNode], String?) {
        var result: [TemplateNode] = []
        while position < pieces.count {
            defer { position += 1 }
            switch pieces[position] {
            case .text(let text): result.append(.text(text))
            case .action(let tokens):
                switch tokens.first {
                case nil: throw failure("missing value for command")
                case .word("end"): return (result, "end")
                case .word("else"): return (result, tokens.count == 1 ? "else" : "else if")
                case .word("if"), .word("range"), .word("with"):
                    result.append(try block(tokens))
                default: result.append(.output(try pipeline(tokens[...])))
                }
            }
        }
        return (result, nil)
    }

    /// Called at the opening action; leaves the position at the closing one.
    private mutating func block(_ tokens: [TemplateToken]) throws(RenderingError) -> TemplateNode {
        let subject = try pipeline(tokens.dropFirst())
        position += 1
        let (body, end) = try nodes()
        position -= 1
        var otherwise: [TemplateNode] = []
        switch end {
        case nil: throw failure("unexpected end of the template: {{end}} is missing")
        case "else if":
            guard case .action(let rest) = pieces[position], rest.dropFirst().first == .word("if") else {
                throw failure("unexpected words after {{else}}")
            }
            otherwise = [try block(Array(rest.dropFirst()))]
        case "else":
            position += 1
            let (nodes, close) = try nodes()
            position -= 1
            if close != "end" { throw failure("{{end}} is missing after {{else}}") }
            otherwise = nodes
        default: break
        }
        return switch tokens.first {
        case .word("range"): .range(subject, body: body, otherwise: otherwise)
        case .word("with"): .with(subject, body: body, otherwise: otherwise)
        default: .condition(subject, then: body, otherwise: otherwise)
        }
    }

    private func pipeline(_ tokens: ArraySlice<TemplateToken>) throws(RenderingError) -> TemplatePipeline {
        var rest = tokens
        let result = try pipeline(&rest)
        if !rest.isEmpty { throw failure("unexpected \")\"") }
        return result
    }

    private func pipeline(_ tokens: inout ArraySlice<TemplateToken>) throws(RenderingError) -> TemplatePipeline {
        var result = TemplatePipeline()
        if let assign = tokens.firstIndex(of: .assign) {
            for token in tokens[..<assign] {
                if case .variable(let name, _) = token { result.variables.append(name) }
            }
            tokens = tokens[(assign + 1)...]
        }
        var command: [TemplateOperand] = []
        loop: while let token = tokens.first {
            if token == .close { break loop }
            tokens.removeFirst()
            switch token {
            case .pipe:
                if command.isEmpty { throw failure("missing value for command") }
                result.commands.append(command)
                command = []
            case .open:
                let inner = try pipeline(&tokens)
                guard tokens.popFirst() == .close else { throw failure("unclosed \"(\"") }
                command.append(.nested(inner, []))
            case .word("true"): command.append(.literal(true))
            case .word("false"): command.append(.literal(false))
            case .word("nil"): command.append(.literal(.null))
            case .word(let name): command.append(.function(name))
            case .field(let names):
                // `(index …).Name`: the fields belong to what stands before them.
                if case .nested(let inner, _) = command.last, !names.isEmpty, command.count == 1 {
                    command[0] = .nested(inner, names)
                } else {
                    command.append(.field(names))
                }
            case .variable(let name, let names): command.append(.variable(name, names))
            case .string(let text): command.append(.literal(.string(text)))
            case .integer(let number): command.append(.literal(.integer(number)))
            case .close, .comma, .assign: throw failure("unexpected punctuation")
            }
        }
        if command.isEmpty { throw failure("missing value for command") }
        result.commands.append(command)
        return result
    }

    private func failure(_ reason: String) -> RenderingError {
        RenderingError(.template, "template parsing error: \(reason)")
    }
}
