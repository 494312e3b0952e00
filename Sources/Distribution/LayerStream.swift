import Archive
import ImageStore
import Linux
import OCI
import Registry

/// Unpacks what a download brings, while it comes.
enum LayerStream {
    /// Runs `download`, which fills a queue, and on a thread of its own `unpack`, which empties it. Succeeds when both do.
    static func run<Value: Sendable>(
        unpack: @escaping @Sendable (ByteQueue) throws(StoreError) -> Value,
        download: (ByteQueue) async throws(RegistryError) -> Void
    ) async throws(DistributionError) -> Value {
        let queue = ByteQueue()
        async let unpacked = result(of: unpack, queue)
        var failure: RegistryError?
        do throws(RegistryError) {
            try await download(queue)
            queue.end(.success(()))
        } catch {
            failure = error
            queue.end(.failure(ArchiveError(.corrupt, error.message)))
        }
        switch await unpacked {
        case .success(let value):
            if let failure { throw DistributionError(failure) }
            return value
        case .failure(let error):
            // When the unpacking failed first, the download ended for want of a reader.
            if let failure, failure.code != .cancelled { throw DistributionError(failure) }
            throw DistributionError(error)
        }
    }

    private static func result<Value: Sendable>(
        of unpack: @escaping @Sendable (ByteQueue) throws(StoreError) -> Value, _ queue: ByteQueue
    ) async -> Result<Value, StoreError> {
        await withCheckedContinuation { continuation in
            let isStarted = PrivateThread.detach {
                let result = Result { () throws(StoreError) in
                    defer { queue.cancel() }
                    return try unpack(queue)
                }
                continuation.resume(returning: result)
            }
            if !isStarted {
                queue.cancel()
                continuation.resume(returning: .failure(StoreError("unpack a layer", Errno.EAGAIN)))
            }
        }
    }
}
