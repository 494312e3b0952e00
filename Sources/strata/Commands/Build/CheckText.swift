import BuildEngine
import Dockerfile
import Linux

/// The remarks on a Dockerfile as text.
enum CheckText {
    /// What `--check` prints: each remark with its explanation and the lines that it is about, in the order of the file.
    static func render(_ check: BuildCheck) -> String {
        let warnings = check.result.warnings
        let count = warnings.count == 1 ? "1 warning has" : "\(warnings.count) warnings have"
        var text = "Check complete, \(count) been found!\n"
        let inOrder = warnings.enumerated().sorted {
            ($0.element.lines.lowerBound, $0.offset) < ($1.element.lines.lowerBound, $1.offset)
        }
        for (_, warning) in inOrder {
            text += "\nWARNING: \(warning.rule.rawValue)\(warning.rule.url.map { " - \($0)" } ?? "")\n"
            text += VisibleText.line(warning.message) + "\n"
            text += SourceExcerpt.render(check.content, file: check.file, marked: warning.lines)
        }
        return text
    }

    /// What a build prints at its end; nothing if there are no remarks.
    static func summary(_ warnings: [Diagnostic]) -> String {
        var shown: [Diagnostic] = []
        for warning in warnings where !shown.contains(warning) { shown.append(warning) }
        if shown.isEmpty { return "" }
        let count = shown.count == 1 ? "1 warning" : "\(shown.count) warnings"
        let lines = shown.map { " - \(VisibleText.line($0.description))\n" }
        return "\n \(count) found (use --check to expand):\n" + lines.joined()
    }
}
