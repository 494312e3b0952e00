import ImageStore
import Linux
import OCI
import Registry

/// Sees to it that a repository has one layer, in whatever form is to be had with the least work.
struct LayerPush: Sendable {
    let pusher: ImagePusher
    let layer: PushPlan.Layer
    let reference: Reference

    private var source: LayerSource { LayerSource(store: pusher.store, layer: layer.id) }

    /// Returns the form that the repository has.
    func run() async throws -> LayerBlob {
        let known = try pusher.store.blobs(of: layer.id)
        if let original = layer.original {
            let encoder = known.first { $0.descriptor.digest == original.digest }?.encoder
            if let blob = try await keep(LayerBlob(descriptor: original, encoder: encoder)) { return blob }
            return try await compress()
        }
        // Any form will do. One that the registry has costs nothing, one that we can make needs no second thought.
        for blob in known {
            if try await isThere(blob.descriptor) { return blob }
            if try await mount(blob.descriptor) { return blob }
        }
        if let ours = known.first(where: { $0.encoder == GzipEncoder.name }), let blob = try await encode(ours) {
            return blob
        }
        return try await compress()
    }

    /// Has the repository get exactly that form; nil where it is not to be had.
    private func keep(_ blob: LayerBlob) async throws -> LayerBlob? {
        let wanted = blob.descriptor
        if try await isThere(wanted) { return blob }
        if try await mount(wanted) { return blob }
        if wanted.mediaType.isPlainLayer, wanted.digest == layer.diffID {
            return try await upload(source.archive(size: wanted.size), as: wanted, nil)
        }
        if let blob = try await encode(blob) { return blob }
        for name in try pusher.store.origins(of: wanted.digest) {
            guard let origin = try? Reference(parsing: name), origin.name != reference.name,
                let client = origin.domain == pusher.client.domain ? pusher.client : pusher.others(origin.domain),
                (try? await client.hasBlob(wanted.digest, in: origin.path)) == true
            else { continue }
            return try await upload(relay(wanted, from: client, origin.path), as: wanted, nil)
        }
        return nil
    }

    private func isThere(_ descriptor: Descriptor) async throws -> Bool {
        guard try await pusher.client.hasBlob(descriptor.digest, in: reference.path) else { return false }
        pusher.report(.layer(id: layer.name, .exists))
        return true
    }

    /// Has the registry take the blob from another of its repositories, one of the last few that had it.
    private func mount(_ descriptor: Descriptor) async throws -> Bool {
        let names = try pusher.store.origins(of: descriptor.digest).compactMap { try? Reference(parsing: $0) }
        for origin in names.filter({ $0.domain == reference.domain && $0.path != reference.path }).prefix(3) {
            let outcome = try await pusher.client.mountBlob(
                descriptor.digest, in: reference.path, from: origin.path)
            if outcome == .mounted {
                pusher.report(.layer(id: layer.name, .mounted(from: origin.path)))
                return true
            }
        }
        return false
    }

    /// Makes the form that our compression gave once; nil where it was another's, or gives something else by now.
    private func encode(_ blob: LayerBlob) async throws -> LayerBlob? {
        guard blob.encoder == GzipEncoder.name else { return nil }
        do {
            return try await upload(source.gzip(), as: blob.descriptor, blob.encoder)
        } catch let error as RegistryError where error.code == .corrupt {
            return nil
        }
    }

    /// Compresses the layer while it is sent; only then the form's digest is known.
    private func compress() async throws -> LayerBlob {
        try await upload(source.gzip(), as: nil, GzipEncoder.name)
    }

    private func upload(_ source: BlobSource, as wanted: Descriptor?, _ encoder: String?) async throws -> LayerBlob {
        let total = wanted?.size ?? 0
        let name = layer.name
        let report = pusher.report
        let sent = try await pusher.client.upload(
            source, to: reference.path, expected: wanted?.digest,
            interruption: { report(.layer(id: name, .retrying(reason: $0.message))) },
            progress: { report(.layer(id: name, .pushing(done: $0, total: total))) })
        report(.layer(id: name, .pushed))
        return LayerBlob(descriptor: wanted ?? sent, encoder: encoder)
    }

    /// The form as another registry has it.
    private func relay(_ descriptor: Descriptor, from client: RegistryClient, _ repository: String) -> BlobSource {
        BlobSource(size: descriptor.size) { sink in
            let gate = SinkBox(sink)
            try BlockingTask.run {
                try await client.download(descriptor, of: repository) { (piece) throws(Errno) in
                    do { try gate.sink(piece) } catch { throw .EPIPE }
                }
            }
        }
    }
}

/// Takes a sink to another thread, which uses it while the first one waits.
private final class SinkBox: @unchecked Sendable {
    let sink: (UnsafeRawBufferPointer) throws -> Void
    init(_ sink: @escaping (UnsafeRawBufferPointer) throws -> Void) { self.sink = sink }
}
