import Dockerfile
import Foundation

/// What the build checks find, one line for each remark, for comparison with a stored text.
enum LintDump {
    /// A build for `linux/amd64`, with some images that the Dockerfiles may stand on.
    static let arguments = BuildArguments(predefined: [
        "BUILDPLATFORM": "linux/amd64", "BUILDOS": "linux", "BUILDARCH": "amd64", "TARGETPLATFORM": "linux/amd64",
        "TARGETOS": "linux", "TARGETARCH": "amd64", "TARGETSTAGE": "default",
    ])

    static let images: [String: LintSubject.Image] = [
        "arm:1": LintSubject.Image(mismatch: .init(found: "linux/arm64", expected: "linux/amd64")),
        "shelled:1": LintSubject.Image(hasShell: true),
        "triggers:1": LintSubject.Image(triggers: ["ENV from=$nowhere", "COPY file /"]),
        "known:1": LintSubject.Image(environment: [KeyValue(key: "KNOWN", value: "/known")]),
    ]

    static func of(_ bytes: [UInt8], ignored: Data?) throws -> String {
        var subject = LintSubject(arguments: arguments) { name, _ in images[name] }
        subject.ignored = try ignored.map { try IgnorePatterns(parsing: [UInt8]($0)) }
        return text(Linter.check(bytes, file: "Dockerfile", subject))
    }

    static func text(_ result: Linter.Result) -> String {
        var lines = result.warnings.map { warning in
            let end = warning.lines.count > 1 ? "-\(warning.lines.upperBound)" : ""
            return "\(warning.lines.lowerBound)\(end) \(warning.rule.rawValue): \(warning.message)"
        }
        if let error = result.error { lines.append("error \(error)") }
        if result.isViolation { lines.append("violation \(result.violation)") }
        return lines.isEmpty ? "nothing\n" : lines.joined(separator: "\n") + "\n"
    }
}
