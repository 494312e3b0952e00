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

    /// Sees to it that the store has all layers, and leases them. Returns them in the order of the image, and for the
    /// diffIDs of those that were fetched the blobs that turned out to be them.
    func fetchLayers(
        _ diffIDs: [Digest], _ descriptors: [Descriptor], _ reference: Reference
    ) async throws(DistributionError) -> (layers: [LayerID], fetched: [Digest: Digest]) {
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
        let fetched = jobs.map { ($0.diffID, $0.descriptor.digest) }
        return (diffIDs.compactMap { found[$0] }, Dictionary(fetched) { first, _ in first })
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
        let total = job.descriptor.size
        let meter = Meter(total: total) { done in
            report(.layer(id: job.id, .downloading(done: done, total: total)))
        }
        let layer = try await LayerStream.run { (queue) throws(StoreError) in
            try unpack(queue, job)
        } download: { (queue) async throws(RegistryError) in
            try await client.download(
                job.descriptor, of: reference.path,
                interruption: { report(.layer(id: job.id, .retrying(reason: $0.message))) },
                to: { (piece) throws(Errno) in
                    try queue.put(piece)
                    meter.add(piece.count)
                })
            report(.layer(id: job.id, .extracting))
        }
        report(.layer(id: job.id, .pulled))
        return layer
    }

    private func unpack(_ queue: ByteQueue, _ job: Job) throws(StoreError) -> LayerID {
        var limits = options.limits
        limits.kind = .layer
        limits.isExact = true
        limits.expectedDiffID = job.diffID
        let layer = try store.importLayer(from: queue, options: limits)
        // The blob may go on behind the archive, and only its end tells whether it is the right one.
        try queue.finish()
        CrashPoint.reached("pull-layer")
        try store.keepForPull(layer.id)
        CrashPoint.reached("pull-kept")
        return layer.id
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
