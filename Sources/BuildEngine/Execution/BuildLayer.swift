import Dispatch
import ImageStore
import OCI
import Synchronization

/// A layer of an image in the making. It can be mounted at once; its digest may still be being computed.
final class BuildLayer: Sendable {
    /// The layer's ID for mounts during the build. The finished record may have another, if the store had the content.
    let id: LayerID
    private let done = DispatchGroup()
    private let outcome: Mutex<Result<LayerRecord, BuildError>>

    /// A layer that is in the store.
    init(_ record: LayerRecord) {
        id = record.id
        outcome = Mutex(.success(record))
    }

    /// A layer that was just written: it is hashed and published on a queue, and then `then` is called there.
    init(
        _ pending: PendingLayer, on queue: DispatchQueue, group: DispatchGroup,
        then: @escaping @Sendable (LayerRecord) throws(BuildError) -> Void
    ) {
        id = pending.id
        outcome = Mutex(.failure(BuildError(.store, "the layer \(pending.id) was not finished")))
        done.enter()
        queue.async(group: group) { [self] in
            let result = Result { () throws(BuildError) -> LayerRecord in
                let record = try fromStore { () throws(StoreError) in try pending.finish() }
                try then(record)
                return record
            }
            outcome.withLock { $0 = result }
            done.leave()
        }
    }

    /// Whether `record()` would answer at once.
    var isFinished: Bool { done.wait(timeout: .now()) == .success }

    /// The finished layer; waits until it is.
    func record() throws(BuildError) -> LayerRecord {
        done.wait()
        return try outcome.withLock { $0 }.get()
    }
}
