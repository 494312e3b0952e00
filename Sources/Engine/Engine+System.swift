package import ImageStore
import Linux
package import OCI
import Runtime

/// Facts about a store and what it stands on.
package struct SystemFacts: Hashable, Sendable {
    /// How many containers there are, and how many of them run.
    package var containers: Int
    package var runningContainers: Int
    package var images: Int
    package var layers: Int
    /// The paths of the OCI runtime and the mount helper; nil where there is none.
    package var runtime: String?
    package var mountHelper: String?
    /// What containers run on.
    package var platform: Platform
    /// The store's directory.
    package var root: String
}

/// What sharing the space of equal files did.
package struct DedupeOutcome: Sendable {
    package var report: DeduplicationReport
    /// Free bytes of the store's file system.
    package var freeBefore: Int64
    package var freeAfter: Int64
}

extension Engine {
    /// Facts about the store and what it stands on.
    package func facts() throws -> SystemFacts {
        let containers = try store.containers()
        return SystemFacts(
            containers: containers.count, runningContainers: containers.count { $0.state == .running },
            images: try store.images().count, layers: try store.layers().count,
            runtime: try? runtime.driver().path, mountHelper: try? runtime.helper().path, platform: .current,
            root: store.root)
    }

    /// Who keeps a layer, or the layers of an image, bottom first, after what dead processes left was set right. An image
    /// goes before a layer.
    package func holdings(of text: String) throws -> [LayerHolding] {
        containers.reconcile()
        do throws(StoreError) {
            return try store.holding(of: try store.image(matching: text).layerIDs)
        } catch {
            guard error.code == .noSuchImage else { throw error }
        }
        guard let found = try store.holding(ofLayerMatching: text) else {
            throw EngineError(.notFound, "No such image or layer: \(text)")
        }
        return [found]
    }

    /// Has files of different layers that are the same share their space on disk.
    ///
    /// - Parameter isDryRun: only counts what would be shared.
    package func dedupe(isDryRun: Bool) throws -> DedupeOutcome {
        let before = try freeBytes()
        let report = try store.dedupe(isDryRun: isDryRun)
        return DedupeOutcome(report: report, freeBefore: before, freeAfter: isDryRun ? before : try freeBytes())
    }

    private func freeBytes() throws(EngineError) -> Int64 {
        do throws(Errno) {
            try FileDescriptor.open(store.root, [.directory]).syncFileSystem()
            let status = try FileSystemStatus(path: store.root)
            return Int64(clamping: status.blocksFree &* status.fragmentSize)
        } catch {
            throw EngineError(.failed, "cannot ask for the free space of \(store.root): \(error)")
        }
    }
}
