import ImageStore
import OCI
import Synchronization

/// The caches of `--cache-from`. They are read when the store's own cache lacks a step for the first time; whatever is
/// wrong with them is a warning, and the step is done.
final class CacheImports: Sendable {
    /// What a cache says of a step.
    private struct Entry {
        var source: any CacheSource
        var created: Timestamp
        var parent: String
        var layer: (layer: CacheDocument.Layer, diffID: Digest)?
    }

    private let sources: [any CacheSource]
    private let store: ImageStore
    private let reporter: ProgressReporter
    /// All that the caches say: of steps, and of cache mounts.
    private struct Content {
        var steps: [Digest: [Entry]] = [:]
        var mounts: [Digest: [Entry]] = [:]
    }

    private let content = Mutex<Content?>(nil)

    init(_ sources: [any CacheSource], store: ImageStore, reporter: ProgressReporter) {
        self.sources = sources
        self.store = store
        self.reporter = reporter
    }

    /// What a step led to elsewhere, on a stack of that name, with its layer in the store.
    func find(_ key: CacheKey, on stack: String) -> StepCache.Hit? {
        if sources.isEmpty { return nil }
        for entry in loaded().steps[key.digest] ?? [] where entry.parent == stack {
            guard let (layer, diffID) = entry.layer else { return StepCache.Hit(created: entry.created, layer: nil) }
            if let record = fetch(layer, diffID, from: entry.source) {
                return StepCache.Hit(created: entry.created, layer: record)
            }
        }
        return nil
    }

    /// The content of a cache mount elsewhere, as a layer in the store.
    func mount(_ key: Digest) -> LayerRecord? {
        if sources.isEmpty { return nil }
        for entry in loaded().mounts[key] ?? [] {
            guard let (layer, diffID) = entry.layer else { continue }
            if let record = fetch(layer, diffID, from: entry.source) { return record }
        }
        return nil
    }

    private func loaded() -> Content {
        content.withLock { content in
            if let content { return content }
            let read = load()
            content = read
            return read
        }
    }

    private func fetch(_ layer: CacheDocument.Layer, _ diffID: Digest, from source: any CacheSource) -> LayerRecord? {
        if let known = try? store.leaseUsable(diffID: diffID) { return known }
        let step = reporter.start("[internal] fetch the layer \(diffID.short) from the cache \(source.name)")
        do {
            let record = try source.fetch(layer, diffID: diffID, into: store)
            if record.diffID == diffID {
                reporter.finish(step)
                return record
            }
            reporter.note(step, "it is another layer")
        } catch {
            reporter.note(step, "the layer cannot be used: \(error)")
        }
        reporter.finish(step)
        reporter.report(.warning("the layer \(diffID.short) of the cache \(source.name) cannot be used"))
        return nil
    }

    private func load() -> Content {
        var content = Content()
        for source in sources {
            let step = reporter.start("[internal] read the cache \(source.name)")
            do {
                let document = try source.load()
                for record in document.records {
                    guard let known = record.strata else { continue }
                    var entry = Entry(source: source, created: known.created, parent: known.parent)
                    if let result = record.layers?.first {
                        guard let layer = Self.layer(result.layer, of: document) else { continue }
                        entry.layer = layer
                    }
                    content.steps[record.digest, default: []].append(entry)
                }
                for mount in document.mounts ?? [] {
                    var entry = Entry(source: source, created: .now, parent: "")
                    entry.layer = Self.layer(mount.layer, of: document)
                    content.mounts[mount.key, default: []].append(entry)
                }
                reporter.note(step, "it knows \(document.records.count) steps")
                reporter.finish(step)
            } catch {
                reporter.finish(step)
                reporter.report(.warning("the cache \(source.name) cannot be used: \(error)"))
            }
        }
        return content
    }

    private static func layer(
        _ index: Int, of document: CacheDocument
    ) -> (layer: CacheDocument.Layer, diffID: Digest)? {
        guard document.layers.indices.contains(index), let diffID = document.layers[index].annotations?.diffID else {
            return nil
        }
        return (document.layers[index], diffID)
    }
}
