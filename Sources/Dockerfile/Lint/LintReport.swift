/// Takes what the rules find, and leaves out what is not wanted.
struct LintReport {
    let options: LintOptions
    private(set) var warnings: [Diagnostic] = []

    init(_ options: LintOptions) { self.options = options }

    /// A remark on an instruction.
    ///
    /// - Parameter comments: those above the instruction, which may skip the rule there.
    mutating func warn(_ rule: LintRule, _ message: String, at origin: SourceOrigin, comments: [String] = []) {
        warn(rule, message, file: origin.file, lines: origin.lines, comments: comments)
    }

    /// A remark on lines of the file.
    mutating func warn(
        _ rule: LintRule, _ message: String, file: String, lines: ClosedRange<Int>, comments: [String] = []
    ) {
        guard options.merged(withComments: comments).allows(rule) else { return }
        warnings.append(Diagnostic(rule, message, file: file, lines: lines))
    }
}
