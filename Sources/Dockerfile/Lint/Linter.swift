/// Does the build checks on a Dockerfile, in the order in which BuildKit does them.
public struct Linter {
    /// What was found.
    public struct Result: Sendable, Hashable {
        /// The remarks, in the order in which they were found.
        public var warnings: [Diagnostic]
        /// Why the Dockerfile cannot be built, so that not all could be checked.
        public var error: DockerfileError?
        /// Whether remarks end the build (`error=true`), and there are some.
        public var isViolation: Bool

        /// The message of a build that ends because of its remarks: the rules, each once.
        public var violation: String {
            var names: [String] = []
            for warning in warnings where !names.contains(warning.rule.rawValue) { names.append(warning.rule.rawValue) }
            return "lint violation found for rules: \(names.joined(separator: ", "))"
        }
    }

    /// Rules that look at one instruction as it is written.
    private static let writtenRules: [any WrittenRule.Type] = [
        MaintainerDeprecatedRule.self, StageNameCasingRule.self, FromAsCasingRule.self, DefinitionDescriptionRule.self,
    ]
    /// Rules that look at all stages at once.
    private static let fileRules: [any FileRule.Type] = [
        ReservedStageNameRule.self, InstructionCasingRule.self, DefaultArgumentRule.self,
    ]
    /// Rules that look at a `FROM` with the values of its variables.
    private static let baseRules: [any BaseRule.Type] = [
        UndefinedBaseArgumentRule.self, RedundantPlatformRule.self, ConstantPlatformRule.self,
    ]

    /// Checks the content of a Dockerfile; what was found in front of a fault is found.
    public static func check(_ bytes: [UInt8], file: String, _ subject: LintSubject) -> Result {
        let (document, error) = DockerfileDocument.read(bytes, file: file)
        guard let document else { return Result(warnings: [], error: error, isViolation: false) }
        return check(document, error: error, subject)
    }

    /// Checks a Dockerfile.
    public static func check(_ document: DockerfileDocument, _ subject: LintSubject) -> Result {
        check(document, error: nil, subject)
    }

    private static func check(
        _ document: DockerfileDocument, error: DockerfileError?, _ subject: LintSubject
    ) -> Result {
        var report = LintReport(subject.options ?? document.directives.lint)
        var fault = error
        checkWriting(document, &report)
        if fault == nil {
            for rule in fileRules { rule.check(document, subject, &report) }
            do throws(DockerfileError) {
                try checkBases(document, subject, &report)
                let graph = try document.resolve(arguments: subject.arguments)
                var walk = try StageWalk(document, graph, subject)
                try walk.run(&report)
            } catch {
                fault = error
            }
        }
        let warnings = report.warnings
        return Result(
            warnings: warnings, error: fault, isViolation: report.options.failsOnWarnings && !warnings.isEmpty)
    }

    private static func checkWriting(_ document: DockerfileDocument, _ report: inout LintReport) {
        let statements = document.statements
        for statement in statements { EmptyContinuationRule.check(statement, &report) }
        for statement in statements {
            for rule in writtenRules { rule.check(statement, &report) }
        }
    }

    private static func checkBases(
        _ document: DockerfileDocument, _ subject: LintSubject, _ report: inout LintReport
    ) throws(DockerfileError) {
        let globals = try StageGraph.globals(document, subject.arguments)
        for stage in document.stages {
            let base = LintedBase(stage, document, globals, subject.arguments)
            for rule in baseRules { try rule.check(base, &report) }
        }
    }
}

/// An instruction, `FROM` among them, as it is written.
enum Statement {
    case stage(Stage)
    case instruction(Instruction)

    var written: WrittenForm {
        switch self {
        case .stage(let stage): stage.written
        case .instruction(let instruction): instruction.written
        }
    }

    var origin: SourceOrigin {
        switch self {
        case .stage(let stage): stage.origin
        case .instruction(let instruction): instruction.origin
        }
    }
}

extension DockerfileDocument {
    /// All instructions in the order of the file.
    var statements: [Statement] {
        globalArguments.map { .instruction($0) }
            + stages.flatMap { stage in [.stage(stage)] + stage.instructions.map { .instruction($0) } }
    }
}

/// A check of one instruction as it is written.
protocol WrittenRule: SendableMetatype {
    static func check(_ statement: Statement, _ report: inout LintReport)
}

/// A check of a whole file.
protocol FileRule: SendableMetatype {
    static func check(_ document: DockerfileDocument, _ subject: LintSubject, _ report: inout LintReport)
}

/// A check of a `FROM` when the values of variables are known.
protocol BaseRule: SendableMetatype {
    static func check(_ base: LintedBase, _ report: inout LintReport) throws(DockerfileError)
}

/// A check of an instruction with the variables of its stage.
protocol StepRule: SendableMetatype {
    static func check(
        _ step: LintedStep, _ state: inout LintedStage, _ report: inout LintReport
    ) throws(DockerfileError)
}
