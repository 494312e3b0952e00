package import ImageStore
import OCI
package import Runtime

/// Which containers a list shows.
package struct ContainerListRequest: Sendable {
    /// Whether those that do not run are shown.
    package var all = false
    /// How many are shown at most, the newest; those that do not run count. Nil or 0 for all.
    package var limit: Int?
    /// Whether the bytes that they wrote are added up, for which all files are visited.
    package var withSizes = false
    fileprivate let filters: Filters

    /// The keys of conditions.
    package static let filterKeys = [
        "id", "name", "label", "status", "exited", "ancestor", "before", "since", "volume", "network", "health",
    ]

    /// The containers that run and fit conditions; those of a state are not only looked for among them.
    package init(filters: [String] = []) throws(EngineError) {
        self.filters = try Filters(filters, keys: Self.filterKeys)
        if !self.filters["status"].isEmpty || !self.filters["exited"].isEmpty { all = true }
    }
}

/// A container as a list shows it.
package struct ContainerSummary: Sendable {
    package var record: ContainerRecord
    /// How it runs; nil where that cannot be read.
    package var settings: ContainerSettings?
    /// What the user called its image; nil where that name leads to another image by now, or to none.
    package var imageName: String?
    /// Bytes that it wrote; nil where nobody asked.
    package var size: Int64?
    /// Bytes of its image; nil where nobody asked.
    package var imageSize: Int64?
}

extension Engine {
    /// The containers that a request means, the newest first.
    package func containers(_ request: ContainerListRequest) throws -> [ContainerSummary] {
        let filter = try ContainerFilter(request.filters, in: self)
        var found = try containers.containers().filter { filter.fits($0) }
        if let limit = request.limit, limit > 0 {
            found = Array(found.prefix(limit))
        } else if !request.all {
            found = found.filter { $0.state == .running }
        }
        var summaries = summaries(of: found)
        guard request.withSizes else { return summaries }
        for index in summaries.indices {
            let record = summaries[index].record
            summaries[index].size = try store.containerSize(record.id)
            summaries[index].imageSize = try imageSize(of: record)
        }
        return summaries
    }

    /// Bytes of the layers below a container.
    func imageSize(of container: ContainerRecord) throws(StoreError) -> Int64 {
        var bytes: Int64 = 0
        for layer in Set(container.layerIDs) { bytes += try store.layer(layer).diskUsage }
        return bytes
    }

    /// Containers as lists show them, without sizes.
    func summaries(of records: [ContainerRecord]) -> [ContainerSummary] {
        var leadTo: [String: Digest?] = [:]
        return records.map { record in
            var summary = ContainerSummary(record: record, settings: record.settings)
            let name = record.imageName
            guard let id = record.imageID, !name.isEmpty, name != id.short else { return summary }
            let image = leadTo[name] ?? (try? store.image(matching: name).id)
            leadTo[name] = image
            // A name that has moved to another image would mislead.
            if image == id { summary.imageName = name }
            return summary
        }
    }
}

/// The conditions of a list of containers, with what they refer to looked up.
private struct ContainerFilter {
    private let filters: Filters
    private let ids: FilterPatterns?
    private let names: FilterPatterns?
    private let exitCodes: Set<Int32>
    private let ancestors: [(image: Digest, layers: [LayerID])]
    private let before: Timestamp?
    private let since: Timestamp?

    /// Docker's words.
    private static let states = ["created", "running", "paused", "restarting", "removing", "exited", "dead"]

    private static let healths = ["none", "starting", "healthy", "unhealthy"]

    init(_ filters: Filters, in engine: Engine) throws {
        self.filters = filters
        ids = try filters.patterns("id")
        names = try filters.patterns("name")
        if let state = filters["status"].first(where: { !Self.states.contains($0) }) {
            throw Filters.bad("status", state, remedy: "use \(Self.states.joined(separator: ", "))")
        }
        if let health = filters["health"].first(where: { !Self.healths.contains($0) }) {
            throw Filters.bad("health", health, remedy: "use \(Self.healths.joined(separator: ", "))")
        }
        exitCodes = try Set(
            filters["exited"].map { text throws(EngineError) in
                guard let code = Int32(text) else { throw Filters.bad("exited", text, remedy: "give a number") }
                return code
            })
        // An image that is not there has no containers, as for Docker.
        ancestors = try filters["ancestor"].compactMap { name in
            do throws(StoreError) {
                let image = try engine.store.image(matching: name)
                return (image.id, image.layerIDs)
            } catch {
                if error.code == .noSuchImage { return nil }
                throw error
            }
        }
        before = try filters["before"].map { try engine.store.container(matching: $0).createdAt }.max()
        since = try filters["since"].map { try engine.store.container(matching: $0).createdAt }.min()
    }

    func fits(_ container: ContainerRecord) -> Bool {
        if let ids, !ids.matchBeginning(of: container.id) { return false }
        if let names, !names.match(container.name), !names.match("/" + container.name) { return false }
        if let before, container.createdAt >= before { return false }
        if let since, container.createdAt <= since { return false }
        if !filters.has(container.state.rawValue, as: "status") { return false }
        // Strata runs no health checks.
        if !filters.has("none", as: "health") { return false }
        if !exitCodes.isEmpty {
            guard container.state == .exited, let code = container.exitCode, exitCodes.contains(code) else {
                return false
            }
        }
        if !filters["ancestor"].isEmpty, !ancestors.contains(where: { Self.container(container, isOf: $0) }) {
            return false
        }
        if filters.labels.isEmpty, filters["volume"].isEmpty, filters["network"].isEmpty { return true }
        let settings = container.settings
        if !filters.has((settings?.isolation.network ?? .host).rawValue, as: "network") { return false }
        return filters.fits(labels: settings?.configuration.labels ?? [:]) && has(settings?.volumes ?? [])
    }

    /// Whether a container was made of an image, or of one built on it.
    private static func container(
        _ container: ContainerRecord, isOf ancestor: (image: Digest, layers: [LayerID])
    ) -> Bool {
        container.imageID == ancestor.image
            || (!ancestor.layers.isEmpty && container.layerIDs.starts(with: ancestor.layers))
    }

    private func has(_ volumes: [VolumeMount]) -> Bool {
        let wanted = filters["volume"]
        return wanted.isEmpty
            || volumes.contains { volume in
                let source = if case .host(let path) = volume.source { path } else { volume.source.volumeName }
                return wanted.contains(volume.destination) || source.map(wanted.contains) == true
            }
    }
}
