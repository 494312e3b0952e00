import BuildEngine
package import ImageStore
import OCI
import Runtime

/// What is to be removed because nothing needs it.
package struct PruneRequest: Sendable {
    /// Which volumes that no container has.
    package enum Volumes: Sendable {
        /// Those without a name of the user's.
        case anonymous
        /// All.
        case all
    }

    /// Whether containers that have ended go.
    package var containers = false
    /// Volumes; nil for none.
    package var volumes: Volumes?
    /// Images and build cache; nil for neither.
    package var selection: PruneSelection?
    /// Only what fits; `selection` has what of it concerns images and build cache, but for the IDs of records.
    package var filter: PruneFilter
    /// Whether nothing is removed, and only what would be is found out.
    package var isDryRun = false

    /// Nothing yet.
    package init(_ filter: PruneFilter) { self.filter = filter }
}

/// What was removed, or would be.
package struct PruneOutcome: Sendable {
    /// IDs of containers.
    package var containers: [String] = []
    /// Names of volumes.
    package var volumes: [String] = []
    /// What happened to images, in order.
    package var images: [RemovalEvent] = []
    /// Records of the build cache.
    package var cache: [DiskUsage.Cache] = []
    /// What the records came from, by their keys: an instruction, or the name of a cache mount. A record that only notes
    /// when a step was done has none.
    package var cacheNames: [String: String] = [:]
    /// Bytes on disk that this frees.
    package var bytes: Int64 = 0
}

extension Engine {
    /// Removes what nothing needs, after what dead processes left was set right.
    package func prune(_ request: PruneRequest) throws -> PruneOutcome {
        containers.reconcile()
        var outcome = PruneOutcome()
        if request.containers {
            try pruneContainers(request, &outcome)
            report(request, .container, outcome.bytes)
        }
        if let volumes = request.volumes {
            let before = outcome.bytes
            try pruneVolumes(volumes, request, &outcome)
            report(request, .volume, outcome.bytes - before)
        }
        guard var selection = request.selection else { return outcome }
        if request.isDryRun { selection.absentContainers = outcome.containers }
        if !request.filter.ids.isEmpty { selection.cacheKeys = try cacheKeys(request.filter.ids) }
        let result = try store.prune(selection, dryRun: request.isDryRun)
        (outcome.images, outcome.cache) = (result.events, result.cache)
        for record in result.cache {
            let key = record.record.key
            let name = record.mountName ?? result.stepInputs[key].flatMap(Builder.instruction)
            if let name, !name.isEmpty { outcome.cacheNames[key] = name }
        }
        outcome.bytes += result.bytes
        report(request, selection.images == nil ? .builder : .image, result.bytes)
        return outcome
    }

    /// Reports what a prune freed, as Docker does even where that is nothing. What it freed of images and the build cache
    /// together is reported of the images: layers belong to both.
    private func report(_ request: PruneRequest, _ kind: StoreEvent.Kind, _ bytes: Int64) {
        if !request.isDryRun { report(StoreEvent(kind, "prune", of: "", ["reclaimed": String(bytes)])) }
    }

    private func cacheKeys(_ ids: [String]) throws -> Set<String> {
        let keys = try store.cacheRecords().map(\.key) + store.cacheMountKeys()
        return Set(
            keys.filter { key in
                // As lists show them: without what comes before a colon.
                let shown = key.drop { $0 != ":" }.dropFirst()
                return ids.contains { key.hasPrefix($0) || (!shown.isEmpty && shown.hasPrefix($0)) }
            })
    }

    /// Containers that have ended.
    private func pruneContainers(_ request: PruneRequest, _ outcome: inout PruneOutcome) throws {
        let mounted = Set(try store.mounts().compactMap(\.containerID))
        let ended = try store.containers().filter { container in
            container.state != .running && container.supervisor == nil && !mounted.contains(container.id)
                && request.filter.fits(
                    createdAt: container.createdAt, labels: container.settings?.configuration.labels ?? [:])
        }
        for container in ended {
            guard let bytes = try remove(container, dryRun: request.isDryRun) else { continue }
            outcome.containers.append(container.id)
            outcome.bytes += bytes
        }
    }

    /// The bytes that went with the container; nil where it was started, or removed by somebody else, a moment ago.
    private func remove(_ container: ContainerRecord, dryRun: Bool) throws -> Int64? {
        let size = try store.containerFootprint(container.id)
        // Layers that no container keeps any more are counted with the images and the build cache.
        if dryRun { return size }
        let layers = try layerBytes(without: container.id)
        do throws(RuntimeError) {
            try containers.remove(container.id)
        } catch {
            if error.code == .conflict || error.code == .notFound { return nil }
            throw error
        }
        return size + layers
    }

    /// What only a container that goes keeps is freed with it.
    private func layerBytes(without container: String) throws -> Int64 {
        var selection = PruneSelection()
        selection.absentContainers = [container]
        return try store.prune(selection, dryRun: true).bytes
    }

    /// Volumes that no container has.
    private func pruneVolumes(
        _ which: PruneRequest.Volumes, _ request: PruneRequest, _ outcome: inout PruneOutcome
    ) throws {
        // Volumes have no labels.
        if !request.filter.labels.allSatisfy({ $0.fits([:]) }) { return }
        let unused = try volumeUsage(ignoring: Set(outcome.containers)).filter { volume in
            volume.links == 0 && (which == .all || volume.isAnonymous)
        }
        for volume in unused {
            if !request.isDryRun { try volumes.remove(volume.name) }
            outcome.volumes.append(volume.name)
            outcome.bytes += volume.size
        }
    }
}
