/// What a template is made of.
indirect enum TemplateNode: Hashable {
    case text(String)
    case output(TemplatePipeline)
    case condition(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
    case range(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
    case with(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
    /// Another template, and what is its dot; nothing where that is not said.
    case call(String, TemplatePipeline?)
    /// Leaves the innermost range, or its present turn.
    case breakRange
    case continueRange
}

/// Commands, each of which gets the former one's result as its last argument; and the variables that take the result.
struct TemplatePipeline: Hashable {
    var variables: [String] = []
    /// Whether the variables are new ones.
    var declares = false
    var commands: [TemplateCommand] = []
}

/// A value or a function, with its arguments.
struct TemplateCommand: Hashable {
    var operands: [TemplateOperand]
}

/// A value, or a function, and the members that are followed from there.
struct TemplateOperand: Hashable {
    indirect enum Base: Hashable {
        case dot
        case function(String)
        case variable(String)
        case literal(Value)
        case nested(TemplatePipeline)
    }

    var base: Base
    var members: [String] = []
}
