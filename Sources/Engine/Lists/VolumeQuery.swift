package import DockerDocuments
import Runtime

/// Which volumes a list shows.
package struct VolumeListRequest: Sendable {
    fileprivate let filters: Filters

    /// The keys of conditions.
    package static let filterKeys = ["name", "label", "dangling", "driver"]

    /// The volumes that fit conditions.
    package init(filters: [String] = []) throws(EngineError) {
        self.filters = try Filters(filters, keys: Self.filterKeys)
    }
}

extension Engine {
    /// The volumes that a request means, by name.
    package func volumes(_ request: VolumeListRequest) throws -> [VolumeDocument] {
        let filters = request.filters
        let names = try filters.patterns("name")
        let isDangling = try filters.flag("dangling")
        let links = isDangling == nil ? [:] : try volumeLinks()
        // Volumes have one driver and no labels.
        guard filters.has("local", as: "driver"), filters.fits(labels: [:]) else { return [] }
        return try volumes.names().filter { name in
            if let isDangling, (links[name] == nil) != isDangling { return false }
            return names?.match(name) ?? true
        }.map(describe)
    }
}
