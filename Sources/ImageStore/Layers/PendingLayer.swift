/// A committed layer whose digest is still to be computed.
///
/// Its tree is in place and can be used as a lower directory at once. It is leased to the store handle that made it.
public final class PendingLayer: Sendable {
    /// The layer's ID for use as a lower directory while its digest is being computed.
    public let id: LayerID
    private let store: ImageStore

    init(id: LayerID, store: ImageStore) {
        self.id = id
        self.store = store
    }

    /// Where the tree is.
    public var path: String { store.layerPath(id) }

    /// Hashes the tree and publishes it. Blocking; meant for another thread. Its files reach the disk when an image is
    /// made of it.
    ///
    /// When the store has a layer with the same content, that one is the result: use its `id` for images and cache
    /// records. The copy stays for unions that stand on it, until nothing uses it and the leases are released.
    public func finish() throws(StoreError) -> LayerRecord {
        try store.completeLayer(id, try LayerArchiveWriter.summary(of: path, marks: store.marks))
    }
}
