import ImageStore
import OCI
import Registry
import Synchronization

/// Makes the bytes of a layer's forms from the store.
struct LayerSource: Sendable {
    let store: ImageStore
    let layer: LayerID

    /// The archive as its diffID names it.
    func archive(size: Int64) -> BlobSource {
        BlobSource(size: size) { sink in
            try store.writeArchive(of: layer, to: catching(sink))
        }
    }

    /// The archive compressed by `GzipEncoder`.
    func gzip() -> BlobSource {
        // No size is promised: another release of the library may come to another one.
        BlobSource { sink in
            let encoder = GzipEncoder(sink: sink)
            try store.writeArchive(of: layer, to: catching { try encoder.put($0) })
            try encoder.finish()
        }
    }

    /// The store's writer passes only errors of its own.
    private func catching(
        _ sink: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) -> (UnsafeRawBufferPointer) throws(StoreError) -> Void {
        { (piece) throws(StoreError) in
            do {
                try sink(piece)
            } catch let error as StoreError {
                throw error
            } catch {
                throw StoreError(.io, "cannot send the layer \(layer): \(error)")
            }
        }
    }
}
