public import ImageStore
import Linux
public import Registry

extension HTTPDownload {
    /// Makes a layer of the archive at the address, while it is fetched. Nothing stays when it does not come to its end.
    ///
    /// - Parameter progress: told how many bytes came, and of how many; 0 where that is not known.
    public func importLayer(
        into store: ImageStore, options: ImportOptions, settings: RegistrySettings,
        progress: @escaping @Sendable (_ done: Int64, _ total: Int64) -> Void = { _, _ in }
    ) async throws(DistributionError) -> LayerRecord {
        try await LayerStream.run { (queue) throws(StoreError) in
            let layer = try store.importLayer(from: queue, options: options)
            try queue.finish()
            return layer
        } download: { (queue) async throws(RegistryError) in
            try await run(settings, progress: progress) { (piece) throws(Errno) in try queue.put(piece) }
        }
    }
}
