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

    /// Parses conditions; see `Filters`.
    ///
    /// - Parameter keys: those that the command knows.
    package init(_ texts: [String], keys: [String]) throws(EngineError) {
        let filters = try Filters(texts, keys: keys)
        labels = filters.labels
        ids = filters["id"]
        all = try filters.flag("all") ?? false
        // As for Docker: nobody knows which of two is meant, and one of them removes too much.
        if filters["until"].count > 1 { throw EngineError(.badRequest, "more than one until filter specified") }
        if let text = filters["until"].first { until = try TimePoint.parse(text) }
    }

    /// Whether something of that age and those labels is meant.
    func fits(createdAt: Timestamp, labels found: [String: String]) -> Bool {
        (until.map { createdAt < $0 } ?? true) && labels.allSatisfy { $0.fits(found) }
    }
}
