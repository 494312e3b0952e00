/// `InvalidDefaultArgInFrom`: as if no build argument were given.
enum DefaultArgumentRule: FileRule {
    static func check(_ document: DockerfileDocument, _ subject: LintSubject, _ report: inout LintReport) {
        var arguments = subject.arguments
        arguments.given = [:]
        guard let globals = try? StageGraph.globals(document, arguments) else { return }
        for stage in document.stages {
            let (expansion, error) = LintedBase(stage, document, globals, arguments).expand(stage.base)
            if error != nil { return }
            guard !ImageNameGrammar.allows(expansion.text) else { continue }
            report.warn(
                .invalidDefaultArgInFrom,
                "Default value for ARG \(stage.base) results in empty or invalid base image name", at: stage.origin)
        }
    }
}

/// `UndefinedArgInFrom`, for the base and for the platform.
enum UndefinedBaseArgumentRule: BaseRule {
    static func check(_ base: LintedBase, _ report: inout LintReport) throws(DockerfileError) {
        for text in [base.stage.base, base.stage.platform].compactMap({ $0 }) {
            let (expansion, error) = base.expand(text)
            for name in expansion.unmatched where !base.names.contains(name) {
                let meant = Suggestion.likely(name, in: base.names)
                report.warn(
                    .undefinedArgInFrom,
                    "FROM argument '\(name)' is not declared" + (meant.map { " (did you mean \($0)?)" } ?? ""),
                    at: base.stage.origin, comments: base.stage.written.comments)
            }
            if let error { throw error }
        }
    }
}

/// `RedundantTargetPlatform`
enum RedundantPlatformRule: BaseRule {
    static func check(_ base: LintedBase, _ report: inout LintReport) throws(DockerfileError) {
        guard let platform = base.stage.platform else { return }
        let (expansion, _) = base.expand(platform)
        let name = "TARGETPLATFORM"
        // One variable, and nothing around it.
        guard expansion.matched == [name], expansion.unmatched.isEmpty, expansion.text == base.value(of: name) else {
            return
        }
        report.warn(
            .redundantTargetPlatform,
            "Setting platform to predefined \(platform) in FROM is redundant as this is the default behavior",
            at: base.stage.origin, comments: base.stage.written.comments)
    }
}

/// `FromPlatformFlagConstDisallowed`
enum ConstantPlatformRule: BaseRule {
    static func check(_ base: LintedBase, _ report: inout LintReport) throws(DockerfileError) {
        guard let platform = base.stage.platform else { return }
        let (expansion, _) = base.expand(platform)
        guard expansion.matched.isEmpty, expansion.unmatched.isEmpty, let words = PlatformWords(expansion.text) else {
            return
        }
        // A stage that is named for its platform is meant so.
        let name = base.stage.name ?? ""
        if let system = words.system, name.contains(system) { return }
        if let architecture = words.architecture, name.contains(architecture) { return }
        report.warn(
            .fromPlatformFlagConstDisallowed,
            "FROM --platform flag should not use constant value \(expansion.text.goQuoted)", at: base.stage.origin,
            comments: base.stage.written.comments)
    }
}
