/// `StageNameCasing`
enum StageNameCasingRule: WrittenRule {
    static func check(_ statement: Statement, _ report: inout LintReport) {
        guard case .stage(let stage) = statement, let name = stage.writtenName, name != name.asciiLowercased else {
            return
        }
        report.warn(
            .stageNameCasing, "Stage name '\(name)' should be lowercase", at: stage.origin,
            comments: stage.written.comments)
    }
}

/// `FromAsCasing`
enum FromAsCasingRule: WrittenRule {
    static func check(_ statement: Statement, _ report: inout LintReport) {
        guard case .stage(let stage) = statement, let separator = stage.writtenSeparator else { return }
        let from = stage.written.keyword
        // A keyword of both cases is another rule's business.
        let wanted: String
        if from == from.asciiLowercased {
            wanted = separator.asciiLowercased
        } else if from == from.asciiUppercased {
            wanted = separator.asciiUppercased
        } else {
            return
        }
        guard separator != wanted else { return }
        report.warn(
            .fromAsCasing, "'\(separator)' and '\(from)' keywords' casing do not match", at: stage.origin,
            comments: stage.written.comments)
    }
}

/// `ConsistentInstructionCasing`
enum InstructionCasingRule: FileRule {
    static func check(_ document: DockerfileDocument, _ subject: LintSubject, _ report: inout LintReport) {
        // What stands in front of the first FROM does not count.
        let statements = document.statements.dropFirst(document.globalArguments.count)
        let keywords = statements.map(\.written.keyword)
        let lower = keywords.count { $0 == $0.asciiLowercased }
        let upper = keywords.count { $0 == $0.asciiUppercased }
        let wantsLower = lower > upper
        for statement in statements {
            let keyword = statement.written.keyword
            guard keyword != (wantsLower ? keyword.asciiLowercased : keyword.asciiUppercased) else { continue }
            report.warn(
                .consistentInstructionCasing,
                "Command '\(keyword)' should match the case of the command majority"
                    + " (\(wantsLower ? "lowercase" : "uppercase"))",
                at: statement.origin)
        }
    }
}
