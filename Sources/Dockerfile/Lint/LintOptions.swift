/// Which checks are done, and whether a remark ends the build: the value of the `check` directive, and of the build
/// argument `BUILDKIT_DOCKERFILE_CHECK`.
public struct LintOptions: Sendable, Hashable {
    /// A set of rules by name, or all of them. Names of no rule are no fault: other versions may have them.
    enum Selection: Sendable, Hashable {
        case all
        case names(Set<String>)

        init(_ text: String) {
            let names = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.utf8.trimmed.text }
            self = names == ["all"] ? .all : .names(Set(names))
        }

        func contains(_ rule: LintRule) -> Bool {
            switch self {
            case .all: true
            case .names(let names): names.contains(rule.rawValue)
            }
        }

        func union(_ other: Selection) -> Selection {
            guard case .names(let mine) = self, case .names(let others) = other else { return .all }
            return .names(mine.union(others))
        }
    }

    var skipped = Selection.names([])
    var experimental = Selection.names([])
    /// `error=true`: a build ends with an error if there is a remark.
    public private(set) var failsOnWarnings = false

    /// All checks but the experimental ones.
    public init() {}

    /// Reads `skip=RULE,…|all;error=BOOL;experimental=RULE,…|all`, in any order.
    ///
    /// Throws `invalidDirective`, without a place.
    public init(parsing text: String) throws(DockerfileError) {
        let text = text.utf8.trimmed.text
        guard !text.isEmpty else { return }
        for field in text.split(separator: ";", maxSplits: 2, omittingEmptySubsequences: false) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw LintOptions.fault("\(String(field).shown) is no check option") }
            let value = parts[1].utf8.trimmed.text
            switch parts[0].utf8.trimmed.text {
            case "skip": skipped = Selection(value)
            case "experimental": experimental = Selection(value)
            case "error":
                guard let isOn = LintOptions.boolean(value) else {
                    throw LintOptions.fault("error= is true or false, not \(value.shown)")
                }
                failsOnWarnings = isOn
            default: throw LintOptions.fault("\(String(parts[0]).shown) is no check option")
            }
        }
    }

    private static func fault(_ message: String) -> DockerfileError {
        DockerfileError(
            .invalidDirective, message, remedy: "as in check=skip=RULE,RULE;error=true;experimental=all")
    }

    /// What Go takes for a truth value.
    private static func boolean(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }

    /// Whether a rule is to be checked.
    func allows(_ rule: LintRule) -> Bool {
        rule.isExperimental ? experimental.contains(rule) : !skipped.contains(rule)
    }

    /// With what the comments above an instruction say: the first `# check=…` counts, up to the first blank of its
    /// value. One that is not well formed does not.
    func merged(withComments comments: [String]) -> LintOptions {
        for comment in comments {
            guard let (name, value) = Directives.assignment(Array(comment.utf8)[...]), name == "check" else { continue }
            guard let other = try? LintOptions(parsing: String(value.prefix { $0 != " " })) else { return self }
            var result = self
            result.skipped = skipped.union(other.skipped)
            result.experimental = experimental.union(other.experimental)
            return result
        }
        return self
    }
}
