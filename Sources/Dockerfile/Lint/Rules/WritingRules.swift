/// `NoEmptyContinuation`
enum EmptyContinuationRule: WrittenRule {
    static func check(_ statement: Statement, _ report: inout LintReport) {
        guard let line = statement.written.emptyContinuation else { return }
        // Docker points at the line in which the instruction ends.
        report.warn(
            .noEmptyContinuation, "Empty continuation line", file: statement.origin.file, lines: line...line)
    }
}

/// `MaintainerDeprecated`
enum MaintainerDeprecatedRule: WrittenRule {
    static func check(_ statement: Statement, _ report: inout LintReport) {
        guard case .instruction(let instruction) = statement, case .maintainer = instruction.operation else { return }
        report.warn(
            .maintainerDeprecated, "Maintainer instruction is deprecated in favor of using label",
            at: statement.origin, comments: statement.written.comments)
    }
}

/// `InvalidDefinitionDescription`
enum DefinitionDescriptionRule: WrittenRule {
    static func check(_ statement: Statement, _ report: inout LintReport) {
        let written = statement.written
        guard written.isCommentAdjacent, let comment = written.comments.last else { return }
        let (kind, names) = definitions(statement)
        let word = comment.prefix { $0 != " " }
        guard let first = names.first, !names.contains(String(word)) else { return }
        let example = names.count > 1 ? "<arg_key>" : first
        report.warn(
            .invalidDefinitionDescription,
            "Comment for \(kind) should follow the format: `# \(example) <description>`", at: statement.origin,
            comments: written.comments)
    }

    private static func definitions(_ statement: Statement) -> (kind: String, names: [String]) {
        switch statement {
        case .stage(let stage): return ("FROM", stage.name.map { [$0] } ?? [])
        case .instruction(let instruction):
            guard case .argument(let argument) = instruction.operation else { return ("", []) }
            return ("ARG", argument.declarations.map(\.name))
        }
    }
}
