/// A parsed `--format` template.
package struct Template {
    private let nodes: [TemplateNode]

    /// Parses a template; an error with the reason when it cannot be understood.
    package init(_ source: String) throws(RenderingError) {
        var parser = try TemplateParser(source)
        nodes = try parser.parse()
    }

    /// What the template makes of a value.
    package func text(for value: Value) throws(RenderingError) -> String {
        var evaluation = TemplateEvaluation(root: value, isHeading: false)
        return try evaluation.text(nodes, dot: value)
    }

    /// The heading of a table: each field gives its heading, whatever function it is passed to.
    package func headings(_ headings: Value) throws(RenderingError) -> String {
        var evaluation = TemplateEvaluation(root: headings, isHeading: true)
        return try evaluation.text(nodes, dot: headings)
    }
}

/// One run of a template.
struct TemplateEvaluation {
    private let isHeading: Bool
    private var variables: [String: Value]

    init(root: Value, isHeading: Bool) {
        self.isHeading = isHeading
        variables = ["": root]
    }

    mutating func text(_ nodes: [TemplateNode], dot: Value) throws(RenderingError) -> String {
        var text = ""
        for node in nodes {
            switch node {
            case .text(let literal): text += literal
            case .output(let pipeline):
                let value = try evaluate(pipeline, dot)
                if pipeline.variables.isEmpty { text += value == .null ? "<no value>" : value.text }
            case .condition(let pipeline, let then, let otherwise):
                text += try self.text(try evaluate(pipeline, dot).isTrue ? then : otherwise, dot: dot)
            case .with(let pipeline, let body, let otherwise):
                let value = try evaluate(pipeline, dot)
                text += try value.isTrue ? self.text(body, dot: value) : self.text(otherwise, dot: dot)
            case .range(let pipeline, let body, let otherwise):
                text += try range(pipeline, body, otherwise, dot)
            }
        }
        return text
    }

    private mutating func range(
        _ pipeline: TemplatePipeline, _ body: [TemplateNode], _ otherwise: [TemplateNode], _ dot: Value
    ) throws(RenderingError) -> String {
        var named = pipeline
        named.variables = []
        let items: [(key: Value, value: Value)]
        switch try evaluate(named, dot) {
        case .array(let values): items = values.enumerated().map { (.integer(Int64($0.offset)), $0.element) }
        case .object(let members): items = members.map { (.string($0.name), $0.value) }
        case .null: items = []
        case let other: throw failure("range cannot iterate over \(other.text)")
        }
        if items.isEmpty { return try text(otherwise, dot: dot) }
        var result = ""
        for item in items {
            switch pipeline.variables.count {
            case 0: break
            case 1: variables[pipeline.variables[0]] = item.value
            default:
                variables[pipeline.variables[0]] = item.key
                variables[pipeline.variables[1]] = item.value
            }
            result += try text(body, dot: item.value)
        }
        return result
    }

    private mutating func evaluate(_ pipeline: TemplatePipeline, _ dot: Value) throws(RenderingError) -> Value {
        var result: Value?
        for command in pipeline.commands {
            var arguments: [Value] = []
            var function: String?
            for (index, operand) in command.enumerated() {
                if index == 0, case .function(let name) = operand {
                    function = name
                } else {
                    arguments.append(try evaluate(operand, dot))
                }
            }
            if let result { arguments.append(result) }
            if let function {
                result = try call(function, arguments)
            } else if arguments.count == 1 {
                result = arguments[0]
            } else {
                throw failure("can't give argument to non-function")
            }
        }
        let value = result ?? .null
        for name in pipeline.variables { variables[name] = value }
        return value
    }

    private mutating func evaluate(_ operand: TemplateOperand, _ dot: Value) throws(RenderingError) -> Value {
        switch operand {
        case .literal(let value): return value
        case .field(let names): return try follow(names, from: dot)
        case .variable(let name, let names):
            guard let value = variables[name] else { throw failure("undefined variable \"$\(name)\"") }
            return try follow(names, from: value)
        case .nested(let pipeline, let names): return try follow(names, from: try evaluate(pipeline, dot))
        case .function(let name): return try call(name, [])
        }
    }

    private func follow(_ names: [String], from value: Value) throws(RenderingError) -> Value {
        var value = value
        for name in names {
            guard case .object = value else {
                if value == .null { return .null }
                throw failure("can't evaluate field \(name) in \(value.text)")
            }
            guard let next = value[name] else { throw failure("can't evaluate field \(name)") }
            value = next
        }
        return value
    }

    private func call(_ name: String, _ arguments: [Value]) throws(RenderingError) -> Value {
        // A heading passes through: {{json .ID}} stands under the heading of .ID.
        if isHeading, let last = arguments.last { return last }
        return try TemplateFunctions.call(name, arguments)
    }

    private func failure(_ reason: String) -> RenderingError { TemplateFunctions.failure(reason) }
}
