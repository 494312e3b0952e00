/// `UndefinedVar`: each argument of an instruction by itself, as Docker does it.
enum UndefinedVariableRule: StepRule {
    static func check(
        _ step: LintedStep, _ state: inout LintedStage, _ report: inout LintReport
    ) throws(DockerfileError) {
        var scope = state.scope
        if case .argument(let argument) = step.instruction.operation {
            for declaration in argument.declarations {
                if scope.buildArguments.given[declaration.name] == nil, let value = declaration.defaultValue {
                    try check(value, body: false, step, scope, &report)
                }
                scope.declare(declaration)
            }
            return
        }
        for (text, body) in step.instruction.operation.expandedTexts {
            try check(text, body: body, step, scope, &report)
        }
    }

    private static func check(
        _ text: String, body: Bool, _ step: LintedStep, _ scope: VariableScope, _ report: inout LintReport
    ) throws(DockerfileError) {
        let (expansion, error) = LintedBase.Expansion.of(
            text, escape: step.instruction.escape, body: body, lookup: { scope.value(of: $0) }, at: step.origin)
        for name in expansion.unmatched where !scope.arguments.contains(where: { $0.name == name }) {
            let names = scope.environment.map(\.key) + scope.arguments.filter { $0.defaultValue != nil }.map(\.name)
            let meant = Suggestion.likely(name, in: names)
            report.warn(
                .undefinedVar,
                "Usage of undefined variable '$\(name)'" + (meant.map { " (did you mean $\($0)?)" } ?? ""),
                at: step.origin, comments: step.comments)
        }
        if let error { throw error }
    }
}

/// `LegacyKeyValueFormat`
enum LegacyKeyValueRule: StepRule {
    static func check(
        _ step: LintedStep, _ state: inout LintedStage, _ report: inout LintReport
    ) throws(DockerfileError) {
        guard step.instruction.written.isLegacyKeyValue else { return }
        let name = step.name
        report.warn(
            .legacyKeyValueFormat,
            "\"\(name) key=value\" should be used instead of legacy \"\(name) key value\" format", at: step.origin,
            comments: step.comments)
    }
}

/// `SecretsUsedInArgOrEnv`: goes by the words between the underscores of a name.
enum SecretNameRule: StepRule {
    private static let suspicious: Set<Substring> = [
        "apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token",
    ]
    private static let harmless: Set<Substring> = ["public", "file", "version"]

    static func check(
        _ step: LintedStep, _ state: inout LintedStage, _ report: inout LintReport
    ) throws(DockerfileError) {
        let names: [String]
        switch step.instruction.operation {
        case .argument(let argument): names = argument.declarations.map(\.name)
        case .environment(let pairs): names = pairs.map(\.key)
        default: return
        }
        for name in names where isSecret(name) {
            report.warn(
                .secretsUsedInArgOrEnv,
                "Do not use ARG or ENV instructions for sensitive data (\(step.instruction.name) \(name.goQuoted))",
                at: step.origin, comments: step.comments)
        }
    }

    private static func isSecret(_ name: String) -> Bool {
        let words = name.asciiLowercased.split(separator: "_", omittingEmptySubsequences: false)
        return words.contains(where: suspicious.contains) && !words.contains(where: harmless.contains)
    }
}

/// `MultipleInstructionsDisallowed`: the remark is on the one that does not count.
enum OnlyLastCountsRule: StepRule {
    static func check(
        _ step: LintedStep, _ state: inout LintedStage, _ report: inout LintReport
    ) throws(DockerfileError) {
        guard let ignored = state.lastOfKind[step.instruction.name] else { return }
        report.warn(
            .multipleInstructionsDisallowed,
            "Multiple \(step.name) instructions should not be used in the same stage because only the last one will"
                + " be used",
            at: ignored.origin, comments: step.comments)
    }
}

/// `JSONArgsRecommended`: a shell that was chosen is meant.
enum JSONArgumentsRule: StepRule {
    static func check(
        _ step: LintedStep, _ state: inout LintedStage, _ report: inout LintReport
    ) throws(DockerfileError) {
        switch step.instruction.operation {
        case .command(.shell), .entrypoint(.shell): break
        default: return
        }
        guard !state.hasShell else { return }
        report.warn(
            .jsonArgsRecommended,
            "JSON arguments recommended for \(step.name) to prevent unintended behavior related to OS signals",
            at: step.origin, comments: step.comments)
    }
}
