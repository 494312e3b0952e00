/// One run of a template.
struct TemplateEvaluation {
    private let root: Value
    private let definitions: [String: [TemplateNode]]
    private let isHeading: Bool
    /// Variables with their values; the last of a name counts.
    private var variables: [(name: String, value: Value)]
    private var output = ""
    /// How deep templates call each other.
    private var depth = 0
    private static let deepest = 200

    /// How a list of nodes ended.
    private enum End { case done, broken, continued }

    init(root: Value, definitions: [String: [TemplateNode]], isHeading: Bool) {
        self.root = root
        self.definitions = definitions
        self.isHeading = isHeading
        variables = [("", root)]
    }

    /// What the nodes of the whole template print.
    mutating func run(_ nodes: [TemplateNode]) throws(RenderingError) -> String {
        _ = try walk(nodes, root)
        return output
    }

    // MARK: Nodes

    private mutating func walk(_ nodes: [TemplateNode], _ dot: Value) throws(RenderingError) -> End {
        for node in nodes {
            switch node {
            case .text(let literal): output += literal
            case .output(let pipeline):
                let value = try evaluate(pipeline, dot)
                if pipeline.variables.isEmpty { output += value == .null ? "<no value>" : value.text }
            case .breakRange: return .broken
            case .continueRange: return .continued
            case .call(let name, let subject): try call(name, subject, dot)
            case .range(let pipeline, let body, let otherwise):
                let end = try range(pipeline, body, otherwise, dot)
                if end != .done { return end }
            case .condition(let pipeline, let then, let otherwise):
                let end = try scope { evaluation throws(RenderingError) in
                    try evaluation.walk(evaluation.evaluate(pipeline, dot).isTrue ? then : otherwise, dot)
                }
                if end != .done { return end }
            case .with(let pipeline, let body, let otherwise):
                let end = try scope { evaluation throws(RenderingError) in
                    let value = try evaluation.evaluate(pipeline, dot)
                    return try value.isTrue ? evaluation.walk(body, value) : evaluation.walk(otherwise, dot)
                }
                if end != .done { return end }
            }
        }
        return .done
    }

    /// Variables that are declared inside are forgotten.
    private mutating func scope(
        _ body: (inout TemplateEvaluation) throws(RenderingError) -> End
    ) throws(RenderingError) -> End {
        let count = variables.count
        defer { variables.removeSubrange(count...) }
        return try body(&self)
    }

    private mutating func range(
        _ pipeline: TemplatePipeline, _ body: [TemplateNode], _ otherwise: [TemplateNode], _ dot: Value
    ) throws(RenderingError) -> End {
        let count = variables.count
        defer { variables.removeSubrange(count...) }
        var plain = pipeline
        plain.variables = []
        let items: [(key: Value, value: Value)]
        switch try evaluate(plain, dot) {
        case .array(let values): items = values.enumerated().map { (.integer(Int64($0.offset)), $0.element) }
        case .dictionary(let members):
            items = members.sorted { $0.name < $1.name }.map { (.string($0.name), $0.value) }
        case .null, .absent(.list), .absent(.map): items = []
        case .integer(let number) where number < 1 << 20:
            items = (0..<max(0, number)).map { (.integer($0), .integer($0)) }
        case let other: throw failure("range can't iterate over \(other.text)")
        }
        if items.isEmpty { return try walk(otherwise, dot) }
        for item in items {
            let before = variables.count
            defer { variables.removeSubrange(before...) }
            if pipeline.variables.count == 1 {
                try set(pipeline.variables[0], item.value, declares: pipeline.declares)
            } else if pipeline.variables.count == 2 {
                try set(pipeline.variables[0], item.key, declares: pipeline.declares)
                try set(pipeline.variables[1], item.value, declares: pipeline.declares)
            }
            if try walk(body, item.value) == .broken { break }
        }
        return .done
    }

    private mutating func call(_ name: String, _ subject: TemplatePipeline?, _ dot: Value) throws(RenderingError) {
        guard let body = definitions[name] else { throw failure("template \"\(name)\" not defined") }
        if depth == Self.deepest { throw failure("exceeded maximum template depth (\(Self.deepest))") }
        let value = try subject.map { pipeline throws(RenderingError) in try evaluate(pipeline, dot) } ?? .null
        let outer = variables
        depth += 1
        variables = [("", value)]
        defer {
            depth -= 1
            variables = outer
        }
        _ = try walk(body, value)
    }

    // MARK: Values

    private mutating func set(_ name: String, _ value: Value, declares: Bool) throws(RenderingError) {
        if declares { return variables.append((name, value)) }
        guard let index = variables.lastIndex(where: { $0.name == name }) else {
            throw failure("undefined variable \"$\(name)\"")
        }
        variables[index].value = value
    }

    private mutating func evaluate(_ pipeline: TemplatePipeline, _ dot: Value) throws(RenderingError) -> Value {
        var result: Value?
        for command in pipeline.commands { result = try evaluate(command, dot, last: result) }
        let value = result ?? .null
        for name in pipeline.variables { try set(name, value, declares: pipeline.declares) }
        return value
    }

    private mutating func evaluate(
        _ command: TemplateCommand, _ dot: Value, last: Value?
    ) throws(RenderingError) -> Value {
        guard let first = command.operands.first else { return .null }
        guard case .function(let name) = first.base, first.members.isEmpty else {
            if command.operands.count > 1 || last != nil { throw failure("can't give argument to non-function") }
            if case .literal(.null) = first.base { throw failure("nil is not a command") }
            return try evaluate(first, dot)
        }
        if name == "and" || name == "or" {
            // What comes behind the answer is not looked at.
            var value = last ?? .null
            for operand in command.operands.dropFirst() {
                value = try evaluate(operand, dot)
                if value.isTrue == (name == "or") { return value }
            }
            if command.operands.count == 1, last == nil { throw failure("wrong number of args for \(name)") }
            return last ?? value
        }
        var arguments: [Value] = []
        for operand in command.operands.dropFirst() { arguments.append(try evaluate(operand, dot)) }
        if let last { arguments.append(last) }
        return try call(name, arguments)
    }

    private mutating func evaluate(_ operand: TemplateOperand, _ dot: Value) throws(RenderingError) -> Value {
        let base: Value
        switch operand.base {
        case .dot: base = dot
        case .literal(let value): base = value
        case .variable(let name): base = variables.last { $0.name == name }?.value ?? .null
        case .nested(let pipeline): base = try evaluate(pipeline, dot)
        case .function(let name): base = try call(name, [])
        }
        var value = base
        for name in operand.members { value = try member(name, of: value) }
        return value
    }

    private func member(_ name: String, of value: Value) throws(RenderingError) -> Value {
        switch value {
        case .null, .absent(.map): return .null
        case .dictionary: return value[name] ?? .null
        case .object:
            guard let member = value[name] else { throw failure("can't evaluate field \(name)") }
            return member
        case .absent(.pointer): throw failure("nil pointer evaluating field \(name)")
        default: throw failure("can't evaluate field \(name) in type \(GoFormat.type(value))")
        }
    }

    private func call(_ name: String, _ arguments: [Value]) throws(RenderingError) -> Value {
        // A heading stays as it is: {{json .ID}} stands under the heading of .ID.
        if isHeading, TemplateFunctions.keepingHeadings.contains(name), let first = arguments.first { return first }
        return try TemplateFunctions.call(name, arguments)
    }

    private func failure(_ reason: String) -> RenderingError { TemplateFunctions.failure(reason) }
}
