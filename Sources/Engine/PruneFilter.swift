package import ImageStore
package import OCI

/// What `--filter` of the prune commands asks for.
package struct PruneFilter: Sendable {
    /// Only what was made (build cache: used) before.
    package var until: Timestamp?
    /// Only what has these labels, or lacks them.
    package var labels: [LabelCondition] = []
    /// Only these records of the build cache, by the beginning of their IDs.
    package var ids: [String] = []
    /// Whether volumes with names go, too.
    package var all = false

    /// Parses `key=value` and `label!=value`.
    ///
    /// - Parameter keys: those that the command knows.
    package init(_ texts: [String], keys: Set<String>) throws(EngineError) {
        for text in texts {
            guard let equals = text.firstIndex(of: "=") else {
                throw EngineError(.badRequest, "invalid filter \"\(text)\"", remedy: "write it as key=value")
            }
            var key = String(text[..<equals])
            let value = String(text[text.index(after: equals)...])
            let isNegated = key.hasSuffix("!")
            if isNegated { key.removeLast() }
            guard keys.contains(key), !isNegated || key == "label", !value.isEmpty else {
                throw EngineError(
                    .badRequest, "invalid filter \"\(text)\"", remedy: "use \(keys.sorted().joined(separator: ", "))")
            }
            try add(key, value, isNegated: isNegated)
        }
    }

    private mutating func add(_ key: String, _ value: String, isNegated: Bool) throws(EngineError) {
        switch key {
        case "until": until = min(until ?? Timestamp(seconds: .max), try TimePoint.parse(value))
        case "id": ids.append(value)
        case "all":
            guard ["true", "1", "false", "0"].contains(value) else {
                throw EngineError(.badRequest, "invalid filter \"all=\(value)\"", remedy: "use true or false")
            }
            all = value == "true" || value == "1"
        default:
            let label = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            labels.append(
                LabelCondition(key: label[0], value: label.count == 2 ? label[1] : nil, isNegated: isNegated))
        }
    }

    /// Whether something of that age and those labels is meant.
    func fits(createdAt: Timestamp, labels found: [String: String]) -> Bool {
        (until.map { createdAt < $0 } ?? true) && labels.allSatisfy { $0.fits(found) }
    }
}
