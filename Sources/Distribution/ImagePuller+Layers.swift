import ImageStore
import Linux
import OCI
import Registry
import Synchronization

extension ImagePuller {
    /// One layer that is to be fetched.
    private struct Job: Sendable {
        var diffID: Digest
        var descriptor: Descriptor
        var id: String { descriptor.digest.short }
    }

    /// Sees to it that the store has all layers, and leases them. In the order of the image.
    func fetchLayers(
        _ diffIDs: [Digest], _ descriptors: [Descriptor], _ reference: Reference
    ) async throws(DistributionError) -> [LayerID] {
        var found: [Digest: LayerID] = [:]
        var jobs: [Job] = []
        for (diffID, descriptor) in zip(diffIDs, descriptors) {
            let job = Job(diffID: diffID, descriptor: descriptor)
            if found[diffID] != nil || jobs.contains(where: { $0.diffID == diffID }) { continue }
            if let layer = try fromStore({ () throws(StoreError) in try store.leaseUsable(diffID: diffID) }) {
                found[diffID] = layer.id
                report(.layer(id: job.id, .exists))
            } else {
                jobs.append(job)
                report(.layer(id: job.id, .waiting))
            }
        }
        for (diffID, layer) in try await fetch(jobs, reference) { found[diffID] = layer }
        return diffIDs.compactMap { found[$0] }
    }

    /// Fetches layers, a few at once; the first failure ends the others.
    private func fetch(_ jobs: [Job], _ reference: Reference) async throws(DistributionError) -> [(Digest, LayerID)] {
        do {
            return try await withThrowingTaskGroup(of: (Digest, LayerID).self) { group in
                var waiting = jobs[...]
                var done: [(Digest, LayerID)] = []
                func startNext() {
                    guard let job = waiting.popFirst() else { return }
                    group.addTask(executorPreference: TransferExecutor.shared) {
                        (job.diffID, try await fetch(job, reference))
                    }
                }
                for _ in 0..<max(1, options.parallelism) { startNext() }
                while let result = try await group.next() {
                    done.append(result)
                    startNext()
                }
                return done
            }
        } catch {
            throw DistributionError(wrapping: error)
        }
    }

    /// Fetches one layer and unpacks it on the way.
    private func fetch(_ job: Job, _ reference: Reference) async throws(DistributionError) -> LayerID {
        let queue = ByteQueue()
        let total = job.descriptor.size
        let meter = Meter(total: total) { done in
            report(.layer(id: job.id, .downloading(done: done, total: total)))
        }
        async let unpacked = unpack(queue, job)
        var failure: RegistryError?
        do throws(RegistryError) {
            try await client.download(
                job.descriptor, of: reference.path,
                interruption: { report(.layer(id: job.id, .retrying(reason: $0.message))) },
                to: { (piece) throws(Errno) in
                    try queue.put(piece)
                    meter.add(piece.count)
                })
            report(.layer(id: job.id, .extracting))
            queue.end(.success(()))
        } catch {
            failure = error
            queue.end(.failure(StoreError(.corrupt, error.message)))
        }
        switch await unpacked {
        case .success(let layer):
            report(.layer(id: job.id, .pulled))
            return layer
        case .failure(let error):
            // When the unpacking failed first, the download ended for want of a reader.
            if let failure, failure.code != .cancelled { throw DistributionError(failure) }
            throw DistributionError(error)
        }
    }

    private func unpack(_ queue: ByteQueue, _ job: Job) async -> Result<LayerID, StoreError> {
        await withCheckedContinuation { continuation in
            PrivateThread.detach {
                let result = Result { () throws(StoreError) in
                    defer { queue.cancel() }
                    var limits = options.limits
                    limits.kind = .layer
                    limits.isExact = true
                    limits.expectedDiffID = job.diffID
                    let layer = try store.importLayer(from: queue, options: limits)
                    CrashPoint.reached("pull-layer")
                    try store.keepForPull(layer.id)
                    CrashPoint.reached("pull-kept")
                    return layer.id
                }
                continuation.resume(returning: result)
            }
        }
    }
}

/// Counts bytes and tells of them now and then.
final class Meter: Sendable {
    private let count = Mutex<(done: Int64, told: Int64)>((0, 0))
    private let step: Int64
    private let tell: @Sendable (Int64) -> Void

    init(total: Int64, tell: @escaping @Sendable (Int64) -> Void) {
        step = max(64 << 10, total / 200)
        self.tell = tell
    }

    func add(_ bytes: Int) {
        let news = count.withLock { count -> Int64? in
            count.done += Int64(bytes)
            guard count.done - count.told >= step else { return nil }
            count.told = count.done
            return count.done
        }
        if let news { tell(news) }
    }
}
