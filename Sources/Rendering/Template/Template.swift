/// A parsed `--format` template.
package struct Template {
    private let nodes: [TemplateNode]
    private let definitions: [String: [TemplateNode]]

    /// Parses a template; an error with the reason when it cannot be understood.
    package init(_ source: String) throws(RenderingError) {
        var parser = try TemplateParser(source)
        nodes = try parser.parse()
        definitions = parser.definitions
    }

    /// What the template makes of a value.
    package func text(for value: Value) throws(RenderingError) -> String {
        var evaluation = TemplateEvaluation(root: value, definitions: definitions, isHeading: false)
        return try evaluation.run(nodes)
    }

    /// The heading of a table: each field gives its heading, and functions that would change its words leave it.
    package func headings(_ headings: Value) throws(RenderingError) -> String {
        var evaluation = TemplateEvaluation(root: headings, definitions: definitions, isHeading: true)
        return try evaluation.run(nodes)
    }
}
