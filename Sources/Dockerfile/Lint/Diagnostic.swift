/// Something in a Dockerfile that works, but is likely not what was meant.
public struct Diagnostic: Sendable, Hashable, CustomStringConvertible {
    /// The check that found it.
    public var rule: LintRule
    /// One sentence about this place.
    public var message: String
    /// The file, as the user named it.
    public var file: String
    /// The lines of the instruction, from one.
    public var lines: ClosedRange<Int>

    /// Makes a remark.
    public init(_ rule: LintRule, _ message: String, file: String, lines: ClosedRange<Int>) {
        self.rule = rule
        self.message = message
        self.file = file
        self.lines = lines
    }

    /// One line as BuildKit has it: `Rule: message (line N)`.
    public var description: String { "\(rule.rawValue): \(message) (line \(lines.lowerBound))" }
}
