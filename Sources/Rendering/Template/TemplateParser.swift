/// Reads Go's template language (text/template), all of it but methods and complex numbers.
struct TemplateParser {
    private let tokens: [TemplateToken]
    private var position = 0
    /// The variables that may be named here.
    private var variables = [""]
    /// How many ranges are open, for `break` and `continue`.
    private var ranges = 0
    /// How deep pipelines and blocks lie in each other.
    private var depth = 0
    private static let deepest = 200
    /// The templates that `define` and `block` have made.
    private(set) var definitions: [String: [TemplateNode]] = [:]

    init(_ source: String) throws(RenderingError) { tokens = try TemplateLexer.tokens(of: source) }

    /// Everything up to the end.
    mutating func parse() throws(RenderingError) -> [TemplateNode] {
        let (nodes, end) = try nodes()
        if let end { throw failure("unexpected {{\(end)}}") }
        return nodes
    }

    private static let keywords: Set<String> = [
        "if", "range", "with", "end", "else", "break", "continue", "define", "block", "template",
    ]

    /// Nodes up to `end` or `else`, whose word is read and given back.
    private mutating func nodes() throws(RenderingError) -> ([TemplateNode], String?) {
        var result: [TemplateNode] = []
        while let token = next() {
            if case .text(let text) = token {
                result.append(.text(text))
                continue
            }
            skipSpace()
            guard case .word(let word) = peek, Self.keywords.contains(word) else {
                let pipeline = try pipeline()
                try expectEnd()
                result.append(.output(pipeline))
                continue
            }
            position += 1
            switch word {
            case "end":
                try expectEnd()
                return (result, word)
            case "else": return (result, word)
            case "if", "range", "with": result.append(try block(word))
            case "break", "continue":
                try expectEnd()
                if ranges == 0 { throw failure("{{\(word)}} outside {{range}}") }
                result.append(word == "break" ? .breakRange : .continueRange)
            case "define": try define()
            default: result.append(try call(definesToo: word == "block"))
            }
        }
        return (result, nil)
    }

    /// `if`, `range` or `with`, behind the word, up to its `end`.
    private mutating func block(_ word: String) throws(RenderingError) -> TemplateNode {
        try descend()
        let known = variables.count
        defer {
            variables.removeSubrange(known...)
            depth -= 1
        }
        let subject = try pipeline(isRange: word == "range")
        try expectEnd()
        if word == "range" { ranges += 1 }
        let (body, end) = try nodes()
        if word == "range" { ranges -= 1 }
        var otherwise: [TemplateNode] = []
        if end == "else" {
            skipSpace()
            if case .word(let next) = peek, next == word, word != "range" {
                position += 1
                otherwise = [try block(word)]
            } else {
                try expectEnd()
                let (nodes, close) = try nodes()
                if close != "end" { throw failure("{{end}} is missing after {{else}}") }
                otherwise = nodes
            }
        } else if end == nil {
            throw failure("unexpected end of the template: {{end}} is missing")
        }
        return switch word {
        case "range": .range(subject, body: body, otherwise: otherwise)
        case "with": .with(subject, body: body, otherwise: otherwise)
        default: .condition(subject, then: body, otherwise: otherwise)
        }
    }

    private mutating func define() throws(RenderingError) {
        if depth > 0 { throw failure("unexpected {{define}} inside of another action") }
        let name = try quotedName("define")
        try expectEnd()
        try definition(of: name)
    }

    /// Reads the body of a template, which knows no variables of ours.
    private mutating func definition(of name: String) throws(RenderingError) {
        try descend()
        let outer = (variables, ranges)
        (variables, ranges) = ([""], 0)
        defer {
            (variables, ranges) = outer
            depth -= 1
        }
        let (body, end) = try nodes()
        if end != "end" { throw failure("{{end}} is missing for template \"\(name)\"") }
        definitions[name] = body
    }

    private mutating func call(definesToo: Bool) throws(RenderingError) -> TemplateNode {
        let name = try quotedName(definesToo ? "block" : "template")
        skipSpace()
        let subject = peek == .end && !definesToo ? nil : try pipeline()
        try expectEnd()
        if definesToo { try definition(of: name) }
        return .call(name, subject)
    }

    private mutating func quotedName(_ word: String) throws(RenderingError) -> String {
        skipSpace()
        guard case .literal(.string(let name)) = next() else { throw failure("{{\(word)}} needs a quoted name") }
        return name
    }

    // MARK: Pipelines

    private mutating func pipeline(isRange: Bool = false) throws(RenderingError) -> TemplatePipeline {
        try descend()
        defer { depth -= 1 }
        var result = TemplatePipeline()
        skipSpace()
        try assignment(to: &result, isRange: isRange)
        repeat {
            let command = try command()
            if case .literal(let value)? = command.operands.first?.base, !result.commands.isEmpty {
                throw failure("non executable command in pipeline: \(value.text)")
            }
            result.commands.append(command)
        } while take(.pipe)
        if result.declares { variables += result.variables }
        return result
    }

    /// `$x :=`, `$x =` or, in a range, `$i, $x :=`.
    private mutating func assignment(to pipeline: inout TemplatePipeline, isRange: Bool) throws(RenderingError) {
        let start = position
        var names: [String] = []
        while case .variable(let name) = peek {
            position += 1
            names.append(name)
            skipSpace()
            guard isRange, names.count == 1, take(.comma) else { break }
            skipSpace()
        }
        if take(.declare) {
            pipeline.declares = true
        } else if take(.assign) {
            for name in names { try require(name) }
        } else {
            position = start
            return
        }
        if names.isEmpty { throw failure("missing variable before assignment") }
        pipeline.variables = names
    }

    private mutating func command() throws(RenderingError) -> TemplateCommand {
        var command = TemplateCommand(operands: [])
        while true {
            skipSpace()
            guard let operand = try operand() else { break }
            command.operands.append(operand)
            guard peek == .space || peek == .end || peek == .pipe || peek == .close else {
                throw failure("unexpected punctuation in operand")
            }
        }
        if command.operands.isEmpty { throw failure("missing value for command") }
        return command
    }

    private mutating func operand() throws(RenderingError) -> TemplateOperand? {
        var operand: TemplateOperand
        switch peek {
        case .word(let word):
            switch word {
            case "true": operand = TemplateOperand(base: .literal(true))
            case "false": operand = TemplateOperand(base: .literal(false))
            case "nil": operand = TemplateOperand(base: .literal(.null))
            default:
                guard TemplateFunctions.names.contains(word) else {
                    throw failure("function \"\(word)\" not defined")
                }
                operand = TemplateOperand(base: .function(word))
            }
        case .dot: operand = TemplateOperand(base: .dot)
        case .member(let name): operand = TemplateOperand(base: .dot, members: [name])
        case .variable(let name):
            try require(name)
            operand = TemplateOperand(base: .variable(name))
        case .literal(let value): operand = TemplateOperand(base: .literal(value))
        case .open:
            position += 1
            operand = TemplateOperand(base: .nested(try pipeline()))
            if peek != .close { throw failure("unclosed left paren") }
        case .declare, .assign, .comma: throw failure("unexpected punctuation in command")
        default: return nil
        }
        position += 1
        while case .member(let name) = peek {
            if case .literal = operand.base { throw failure("unexpected .\(name) after a constant") }
            operand.members.append(name)
            position += 1
        }
        return operand
    }

    // MARK: Tokens

    private var peek: TemplateToken? { position < tokens.count ? tokens[position] : nil }

    private mutating func next() -> TemplateToken? {
        defer { position += 1 }
        return peek
    }

    private mutating func take(_ token: TemplateToken) -> Bool {
        guard peek == token else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() { while take(.space) {} }

    private mutating func expectEnd() throws(RenderingError) {
        skipSpace()
        guard take(.end) else { throw failure("unexpected words in an action") }
    }

    private func require(_ name: String) throws(RenderingError) {
        guard variables.contains(name) else { throw failure("undefined variable \"$\(name)\"") }
    }

    private mutating func descend() throws(RenderingError) {
        depth += 1
        if depth > Self.deepest { throw failure("too many actions inside of each other") }
    }

    private func failure(_ reason: String) -> RenderingError { TemplateLexer.failure(reason) }
}
