package import DockerDocuments
package import ImageStore
import Linux
import OCI
import Runtime

/// What sharing the space of equal files did.
package struct DedupeOutcome: Sendable {
    package var report: DeduplicationReport
    /// Free bytes of the store's file system.
    package var freeBefore: Int64
    package var freeAfter: Int64
}

extension Engine {
    /// Facts about the store and what it stands on.
    package func information() throws -> SystemInformation {
        let containers = try store.containers()
        let platform = Platform.current
        var document = SystemInformation()
        document.containers = containers.count
        document.runningContainers = containers.count { $0.state == .running }
        document.stoppedContainers = document.containers - document.runningContainers
        document.images = try store.imageSummaries().count
        document.layers = try store.layers().count
        document.driver = "strata"
        document.osType = platform.os
        document.architecture = platform.architecture
        document.processorCount = Processors.count
        document.dockerRoot = store.root
        document.strataRoot = store.root
        document.serverVersion = ProgramVersion.number
        document.defaultRuntime = (try? runtime.driver().path) ?? "none found"
        document.mountHelper = (try? runtime.helper().path) ?? "none found"
        return document
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
