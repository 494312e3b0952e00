/// A `FROM` with the variables that it can see.
struct LintedBase {
    let stage: Stage
    /// The names of what is declared or predefined, sorted.
    let names: [String]
    private let escape: EscapeCharacter
    private let lookup: (String) -> String?

    /// A text with its variables replaced, and which of them there were.
    struct Expansion {
        var text = ""
        /// Variables that have a value, and those that have none; each once, in the order of their use.
        var matched: [String] = []
        var unmatched: [String] = []
    }

    init(
        _ stage: Stage, _ document: DockerfileDocument, _ globals: [String: String], _ arguments: BuildArguments
    ) {
        self.stage = stage
        escape = document.directives.escape
        lookup = { globals[$0] ?? arguments.predefined[$0] }
        var names = Set(arguments.predefined.keys).union(globals.keys)
        for instruction in document.globalArguments {
            guard case .argument(let argument) = instruction.operation else { continue }
            names.formUnion(argument.declarations.map(\.name))
        }
        self.names = names.sorted()
    }

    /// The value that a variable has here.
    func value(of name: String) -> String? { lookup(name) }

    /// Replaces the variables of a text. A fault of the text is reported after what was found in front of it.
    func expand(_ text: String) -> (expansion: Expansion, error: DockerfileError?) {
        Expansion.of(text, escape: escape, lookup: lookup, at: stage.origin)
    }
}

extension LintedBase.Expansion {
    /// Replaces the variables of a text and notes them.
    ///
    /// - Parameter body: whether it is the body of a here-document.
    static func of(
        _ text: String, escape: EscapeCharacter, body: Bool = false, lookup: @escaping (String) -> String?,
        at origin: SourceOrigin
    ) -> (expansion: LintedBase.Expansion, error: DockerfileError?) {
        var result = LintedBase.Expansion()
        var fault: DockerfileError?
        let expander = Expander(escape: escape) { name in
            let value = lookup(name)
            if value != nil {
                if !result.matched.contains(name) { result.matched.append(name) }
            } else if !result.unmatched.contains(name) {
                result.unmatched.append(name)
            }
            return value
        }
        do throws(DockerfileError) {
            let expanded = body ? try expander.expandBody(text) : try expander.expand(text)
            result.text = expanded
        } catch {
            fault = error.located(at: origin)
        }
        return (result, fault)
    }
}
