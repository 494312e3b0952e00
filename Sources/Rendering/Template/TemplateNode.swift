/// What a template is made of.
indirect enum TemplateNode: Hashable {
    case text(String)
    case output(TemplatePipeline)
    case condition(TemplatePipeline, then: [TemplateNode], otherwise: [TemplateNode])
    case range(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
    case with(TemplatePipeline, body: [TemplateNode], otherwise: [TemplateNode])
}

/// Commands, each of which gets the former one's result as its last argument; and the variables that take the result.
struct TemplatePipeline: Hashable {
    var variables: [String] = []
    var commands: [[TemplateOperand]] = []
}

/// A value, or the name of a function in the first place of a command.
indirect enum TemplateOperand: Hashable {
    case function(String)
    case field([String])
    case variable(String, [String])
    case literal(Value)
    case nested(TemplatePipeline, [String])
}
