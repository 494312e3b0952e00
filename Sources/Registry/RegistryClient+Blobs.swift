public import FoundationEssentials
public import Linux
public import OCI

extension RegistryClient {
    /// Whether a repository has a blob; distribution-spec, "Checking if content exists in the registry".
    public func hasBlob(_ digest: Digest, in repository: String) async throws(RegistryError) -> Bool {
        let call = Call(
            .HEAD, "/v2/\(repository)/blobs/\(digest)", scope: RegistryClient.scope(repository, "pull"),
            what: "cannot look for the blob \(digest) in \(domain)/\(repository)")
        let answer = try await send(call, accepting: [200, 404])
        try await answer.finish(accepting: [200, 404])
        return answer.status == 200
    }

    /// Fetches a small blob into memory and verifies it.
    public func blob(
        _ descriptor: Descriptor, of repository: String, limit: Int = RegistryClient.maximumConfigurationSize
    ) async throws(RegistryError) -> Data {
        guard (0...Int64(limit)).contains(descriptor.size) else {
            throw RegistryError(
                .badDocument,
                "the blob \(descriptor.digest) cannot be used: it is said to have \(descriptor.size) bytes, at most \(limit) are taken"
            )
        }
        let collector = Collector()
        try await download(descriptor, of: repository) { (piece) throws(Errno) in collector.append(piece) }
        return collector.data
    }

    /// Takes what a download brings. One task calls it, so nothing guards it.
    private final class Collector: @unchecked Sendable {
        private(set) var data = Data()
        func append(_ piece: UnsafeRawBufferPointer) { data.append(contentsOf: piece) }
    }

    /// Fetches a blob piece by piece, verifying its size and digest on the way; distribution-spec, "Pulling blobs".
    ///
    /// A lost connection is made anew and goes on where the last one ended. The error of a wrong digest comes after all
    /// pieces: what was made of them must not be used before this returns.
    ///
    /// - Parameters:
    ///   - sink: takes the pieces, in order; may block. When it throws, the download ends with `cancelled`.
    ///   - interruption: told when the connection is made anew.
    public func download(
        _ descriptor: Descriptor, of repository: String,
        interruption: @Sendable (RegistryError) -> Void = { _ in },
        to sink: @Sendable (UnsafeRawBufferPointer) throws(Errno) -> Void
    ) async throws(RegistryError) {
        var progress = Download(descriptor: descriptor)
        var retry = Retry(settings)
        while true {
            let before = progress.hasher.byteCount
            do throws(RegistryError) {
                try await fetch(&progress, of: repository, to: sink)
                return try progress.verify(domain: domain, repository)
            } catch {
                guard [.connection, .serverFault, .tooManyRequests].contains(error.code) else { throw error }
                if progress.hasher.byteCount > before { retry.reset() }
                guard await retry.pause(asked: error.retryDelay) else { throw error }
                interruption(error)
            }
        }
    }

    private struct Download {
        let descriptor: Descriptor
        var hasher = DigestHasher()

        /// Takes a piece into the digest; throws when there is more than there should be.
        mutating func take(_ piece: UnsafeRawBufferPointer) throws(RegistryError) {
            hasher.update(piece)
            if hasher.byteCount > descriptor.size {
                throw RegistryError(
                    .corrupt, "the blob \(descriptor.digest) has more than the \(descriptor.size) bytes it should have")
            }
        }

        func verify(domain: String, _ repository: String) throws(RegistryError) {
            if hasher.byteCount != descriptor.size {
                throw RegistryError(
                    .corrupt,
                    "the blob \(descriptor.digest) of \(domain)/\(repository) has \(hasher.byteCount) bytes, not \(descriptor.size)"
                )
            }
            let found = hasher.finish()
            if found != descriptor.digest {
                throw RegistryError(
                    .corrupt,
                    "the blob \(descriptor.digest) of \(domain)/\(repository) is damaged: its digest is \(found)")
            }
        }
    }

    private func fetch(
        _ progress: inout Download, of repository: String,
        to sink: @Sendable (UnsafeRawBufferPointer) throws(Errno) -> Void
    ) async throws(RegistryError) {
        let offset = progress.hasher.byteCount
        if offset == progress.descriptor.size, offset > 0 { return }
        var call = Call(
            .GET, "/v2/\(repository)/blobs/\(progress.descriptor.digest)",
            scope: RegistryClient.scope(repository, "pull"),
            what: "cannot get the blob \(progress.descriptor.digest) of \(domain)/\(repository)")
        call.isBulk = true
        if offset > 0 { call.headers.add(name: "Range", value: "bytes=\(offset)-") }
        let answer = try await sendOnce(call)
        guard answer.status == 200 || (answer.status == 206 && offset > 0) else {
            try await answer.finish(accepting: [])
            return
        }
        // A server that knows no ranges starts over; one that lies about them is found out by the digest.
        var toSkip = answer.status == 200 ? offset : 0
        if answer.status == 206, let range = answer.header("content-range"), !range.hasPrefix("bytes \(offset)-") {
            throw RegistryError(.badResponse, "\(call.what): asked from byte \(offset), it sends \"\(range)\"")
        }
        do {
            while let bytes = try await answer.response.body.next() {
                let skipped = min(toSkip, Int64(bytes.count))
                toSkip -= skipped
                try bytes.withUnsafeBytes { whole in
                    let piece = UnsafeRawBufferPointer(rebasing: whole.dropFirst(Int(skipped)))
                    if piece.isEmpty { return }
                    try progress.take(piece)
                    try sink(piece)
                }
            }
        } catch let error as RegistryError {
            throw error
        } catch is Errno {
            throw RegistryError(.cancelled, "\(call.what): nobody takes it any more")
        } catch {
            let lost = (error as? TransportError) ?? TransportError(kind: .lost, text: "\(error)")
            throw RegistryError(.init(lost.kind), "\(call.what): \(lost.text)")
        }
        // Without a length only the end of the connection ends the body: it may have come too early.
        if progress.hasher.byteCount < progress.descriptor.size, answer.header("content-length") == nil {
            throw RegistryError(.connection, "\(call.what): it ended early")
        }
    }
}
