package import ImageStore
import Linux
import OCI

/// Conditions as `--filter` takes them, `key=value`, by Docker's rules.
///
/// What is listed fits every key; it fits a key when it fits one of its values, but labels it must all have.
package struct Filters: Hashable, Sendable {
    private var values: [String: [String]] = [:]
    /// `label=KEY[=VALUE]` and `label!=KEY[=VALUE]`.
    package private(set) var labels: [LabelCondition] = []

    /// No conditions.
    package init() {}

    /// Parses conditions; `badRequest` for what is none and for a key that is not known.
    ///
    /// - Parameter keys: the known ones, as the error lists them; `label!` has one where labels can be excluded.
    package init(_ texts: [String], keys: [String]) throws(EngineError) {
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw EngineError(.badRequest, "invalid filter \"\(text)\"", remedy: "write it as key=value")
            }
            let (key, value) = (Self.trimmed(parts[0]).lowercased(), Self.trimmed(parts[1]))
            guard keys.contains(key) else {
                throw EngineError(
                    .badRequest, "invalid filter \"\(key)\"", remedy: "use \(keys.joined(separator: ", "))")
            }
            if key == "label" || key == "label!" {
                labels.append(try Self.label(value, isNegated: key == "label!", in: text))
            } else {
                values[key, default: []].append(value)
            }
        }
    }

    /// The values of a key in the given order; empty without the key.
    subscript(key: String) -> [String] { values[key] ?? [] }

    /// Whether a text is one of the values of a key, or the key is not used.
    func has(_ text: String, as key: String) -> Bool { values[key]?.contains(text) ?? true }

    /// Whether labels fit.
    func fits(labels found: [String: String]) -> Bool { labels.allSatisfy { $0.fits(found) } }

    /// What `true`, `1`, `false` or `0` says; nil without the key. `badRequest` for anything else, and for both at once.
    func flag(_ key: String) throws(EngineError) -> Bool? {
        guard let texts = values[key] else { return nil }
        var answers: Set<Bool> = []
        for text in texts {
            guard let answer = ["true": true, "1": true, "false": false, "0": false][text] else {
                throw Self.bad(key, text, remedy: "use true or false")
            }
            answers.insert(answer)
        }
        guard answers.count == 1, let answer = answers.first else {
            throw Self.bad(key, texts.joined(separator: ","), remedy: "use true or false")
        }
        return answer
    }

    /// The regular expressions that are the values of a key; nil without the key.
    func patterns(_ key: String) throws(EngineError) -> FilterPatterns? {
        guard let texts = values[key] else { return nil }
        return try FilterPatterns(texts, of: key)
    }

    /// The error for a value that is not possible.
    static func bad(_ key: String, _ value: String, remedy: String? = nil) -> EngineError {
        EngineError(.badRequest, "invalid filter \"\(key)=\(value)\"", remedy: remedy)
    }

    private static func label(_ text: String, isNegated: Bool, in whole: String) throws(EngineError) -> LabelCondition {
        let parts = text.parts(at: "=")
        if parts[0].isEmpty {
            throw EngineError(.badRequest, "invalid filter \"\(whole)\"", remedy: "write it as label=KEY[=VALUE]")
        }
        return LabelCondition(key: parts[0], value: parts.count == 2 ? parts[1] : nil, isNegated: isNegated)
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}

/// Regular expressions of which one has to match.
struct FilterPatterns {
    private let texts: [String]
    private let expressions: [Regex<AnyRegexOutput>]

    /// Longer ones have no sensible use, and nested deeply enough they would exhaust the stack of their parser.
    private static let longest = 256

    fileprivate init(_ texts: [String], of key: String) throws(EngineError) {
        self.texts = texts
        var expressions: [Regex<AnyRegexOutput>] = []
        for text in texts {
            guard text.utf8.count <= Self.longest, let expression = try? Regex(text) else {
                throw Filters.bad(key, text, remedy: "give a regular expression, such as ^web-[0-9]+$")
            }
            expressions.append(expression)
        }
        self.expressions = expressions
    }

    /// Whether a text is one of the expressions, or has a part that one of them matches.
    func match(_ text: String) -> Bool {
        texts.contains(text) || expressions.contains { (try? $0.firstMatch(in: text)) ?? nil != nil }
    }

    /// Whether a text begins with what one of the expressions matches.
    func matchBeginning(of text: String) -> Bool {
        expressions.contains { (try? $0.prefixMatch(in: text)) ?? nil != nil }
    }
}
