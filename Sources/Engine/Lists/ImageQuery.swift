import Glibc
package import ImageStore
import OCI

/// Which images a list shows.
package struct ImageListRequest: Sendable {
    fileprivate let filters: Filters
    fileprivate let isDangling: Bool?
    /// Patterns (`*`, `?`, `[…]`, none matching `/`) for names, with or without their tag or digest.
    fileprivate let patterns: [String]
    fileprivate let until: Timestamp?

    /// The keys of conditions.
    package static let filterKeys = ["label", "dangling", "reference", "before", "since", "until"]

    /// The images that fit conditions.
    ///
    /// - Parameter name: a further pattern for names.
    package init(filters: [String] = [], name: String? = nil) throws(EngineError) {
        let filters = try Filters(filters, keys: Self.filterKeys)
        self.filters = filters
        isDangling = try filters.flag("dangling")
        patterns = filters["reference"] + (name.map { [$0] } ?? [])
        var until: Timestamp?
        for text in filters["until"] { until = max(until ?? Timestamp(seconds: .min), try TimePoint.parse(text)) }
        self.until = until
    }

    /// Whether a name is shown.
    fileprivate func shows(_ reference: Reference) -> Bool {
        if patterns.isEmpty { return true }
        let names = [reference.familiar, reference.familiarName, reference.description, reference.name]
        return patterns.contains { pattern in names.contains { fnmatch(pattern, $0, FNM_PATHNAME) == 0 } }
    }
}

extension Engine {
    /// The images that a request means, the newest first, with those of their names that fit it.
    ///
    /// One whose configuration is damaged is among them, as such.
    package func images(_ request: ImageListRequest) throws -> [ImageRecord] {
        let before = try request.filters["before"].map { try store.image(matching: $0).createdAt }.max()
        let since = try request.filters["since"].map { try store.image(matching: $0).createdAt }.min()
        let fitting = try store.images { image in
            if let isDangling = request.isDangling, image.isDangling != isDangling { return false }
            if let before, image.createdAt >= before { return false }
            if let since, image.createdAt <= since { return false }
            if let until = request.until, image.createdAt >= until { return false }
            return request.patterns.isEmpty || (image.references + image.digests).contains(where: request.shows)
        }
        return fitting.compactMap { image in
            guard request.filters.fits(labels: image.configuration.config.labels) else { return nil }
            var image = image
            image.references = image.references.filter(request.shows)
            image.digests = image.digests.filter(request.shows)
            return image
        }
    }
}
