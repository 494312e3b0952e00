import FoundationEssentials
import ImageStore
import OCI
import Synchronization

/// The records of the cache that a build found useful, which are noted in the store at its end, all at once.
final class UsedRecords: Sendable {
    private let keys = Mutex<Set<String>>([])

    func insert(_ key: String) { keys.withLock { _ = $0.insert(key) } }

    /// Notes them in the store and forgets them. What cannot be noted only grows old sooner.
    func note(in store: ImageStore) {
        let used = keys.withLock { keys in
            defer { keys = [] }
            return keys.sorted()
        }
        try? store.touchCacheRecords(used)
    }
}

/// Looks steps up in the store's cache, and records them.
struct StepCache: Sendable {
    let store: ImageStore
    /// The caches of others; nil where none are asked.
    var imports: CacheImports?
    /// What was found.
    let used = UsedRecords()

    /// A step that was found.
    struct Hit {
        var created: Timestamp
        /// The layer, nil for a step that made none.
        var layer: LayerRecord?
    }

    /// A name for a stack of layers.
    static func name(of stack: [Digest]) -> String {
        var hasher = KeyHasher("stack")
        hasher.add(stack.map(\.hex))
        return hasher.finish().hex
    }

    /// Notes in the store what was found useful.
    func noteUse() { used.note(in: store) }

    /// What the step led to the last time, on the same stack: here, or else where others did it.
    func find(_ key: CacheKey, on stack: [Digest]) throws(BuildError) -> Hit? {
        if case .hit(let hit) = try look(for: key, on: stack) { hit } else { nil }
    }

    /// The same, with the reason where there is nothing.
    func look(for key: CacheKey, on stack: [Digest]) throws(BuildError) -> CacheVerdict {
        let verdict = try lookHere(for: key, on: stack)
        if case .hit = verdict { return verdict }
        guard let hit = imports?.find(key, on: Self.name(of: stack)) else { return verdict }
        try put(key, created: hit.created, layer: hit.layer?.id, on: stack)
        return .hit(hit)
    }

    private func lookHere(for key: CacheKey, on stack: [Digest]) throws(BuildError) -> CacheVerdict {
        try fromStore { () throws(StoreError) in
            guard let record = try store.cacheRecord(key: key.description),
                case .step(let step) = record.value
            else { return .unknown }
            if step.parent != Self.name(of: stack) {
                return .unusable("a step before was done anew, and what it left differs")
            }
            if !step.hasLayer {
                used.insert(record.key)
                return .hit(Hit(created: step.created, layer: nil))
            }
            guard let id = record.layerID, let layer = try? store.layer(id), layer.diffID != nil else {
                return .unusable("the earlier result was removed")
            }
            used.insert(record.key)
            return .hit(Hit(created: step.created, layer: layer))
        }
    }

    /// Remembers what a step led to.
    ///
    /// - Parameter inputs: what it was made from.
    func put(
        _ key: CacheKey, created: Timestamp, layer: LayerID?, on stack: [Digest], inputs: StepInputs? = nil
    ) throws(BuildError) {
        let step = StepResult(created: created, hasLayer: layer != nil, parent: Self.name(of: stack))
        try fromStore { () throws(StoreError) in
            try store.putCacheRecord(
                CacheRecord(key: key.description, .step(step), layerID: layer, createdAt: created),
                inputs: inputs)
        }
    }
}
