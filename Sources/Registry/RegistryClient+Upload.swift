import Linux
public import OCI
import Synchronization

/// The bytes of a blob that is to be uploaded, which can be made as often as needed, always the same.
public struct BlobSource: Sendable {
    /// Gives all bytes to `sink`, in order; blocking. Ends early, throwing what it got, when `sink` throws.
    public typealias Writer =
        @Sendable (_ sink: @escaping (UnsafeRawBufferPointer) throws -> Void) throws -> Void

    /// Gives the bytes.
    public var write: Writer
    /// How many bytes there are, where that is known.
    public var size: Int64?

    /// Names a source.
    public init(size: Int64? = nil, write: @escaping Writer) {
        self.size = size
        self.write = write
    }
}

extension RegistryClient {
    /// What became of an attempt to have another repository's blob.
    public enum MountOutcome: Hashable, Sendable {
        /// The repository has the blob now.
        case mounted
        /// The blob must be uploaded.
        case refused
    }

    /// Has a repository take a blob from another of the same registry; distribution-spec, "Mounting a blob from another
    /// repository".
    public func mountBlob(
        _ digest: Digest, in repository: String, from other: String
    ) async throws(RegistryError) -> MountOutcome {
        let scope = [RegistryClient.scope(other, "pull"), RegistryClient.scope(repository, "pull,push")]
        let call = Call(
            .POST, "/v2/\(repository)/blobs/uploads/?mount=\(digest)&from=\(RegistryClient.escaped(other))",
            scope: scope.joined(separator: " "), what: "cannot push to \(domain)/\(repository)")
        let answer = try await send(call, accepting: [201, 202])
        // Who may not read the other repository can still upload.
        if [401, 403, 404].contains(answer.status) {
            try await answer.finish(accepting: [401, 403, 404])
            return .refused
        }
        try await answer.finish(accepting: [201, 202])
        if answer.status == 201 { return .mounted }
        // An upload was begun instead, which nobody wants.
        if let location = answer.header("location"), let base = try? await baseAddress(),
            let target = Transport.resolve(location, against: base + call.path)
        {
            let cancel = Call(
                .DELETE, target, scope: RegistryClient.scope(repository, "pull,push"),
                what: "cannot end an upload")
            if let answer = try? await sendOnce(cancel) { _ = try? await answer.finish(accepting: [204]) }
        }
        return .refused
    }

    /// Uploads a blob and returns its digest and size; distribution-spec, "Pushing a blob in chunks".
    ///
    /// It is sent while it is made, hashed on the way and named at the end. When the connection is lost, the registry is
    /// asked how much it has, and the rest is made again from there.
    ///
    /// - Parameters:
    ///   - expected: what the digest must be; `corrupt` otherwise. Nil to take it as it is.
    ///   - progress: told how many bytes are sent.
    public func upload(
        _ source: BlobSource, to repository: String, expected: Digest? = nil,
        interruption: @escaping @Sendable (RegistryError) -> Void = { _ in },
        progress: @escaping @Sendable (Int64) -> Void = { _ in }
    ) async throws(RegistryError) -> Descriptor {
        var retry = Retry(settings)
        var session: UploadSession?
        while true {
            let before = session?.offset ?? 0
            do throws(RegistryError) {
                if session == nil { session = try await begin(in: repository) }
                guard var current = session else { throw RegistryError(.badResponse, "no upload was begun") }
                defer { session = current }
                let sent = try await send(source, &current, repository, progress)
                if let expected, expected != sent.digest {
                    throw RegistryError(
                        .corrupt, "the blob \(expected) came out as \(sent.digest): the image in the store has changed")
                }
                try await finish(current, sent.digest, repository)
                return sent
            } catch {
                // A token may expire during an upload; who may not begin one will not be let in later.
                var mayPass: [RegistryError.Code] = [.connection, .serverFault, .tooManyRequests]
                if session != nil { mayPass.append(.unauthorized) }
                guard mayPass.contains(error.code), await retry.pause(asked: error.retryDelay) else { throw error }
                interruption(error)
                // How far it got; where the registry does not know it any more, it is begun anew.
                session = try await resumed(session, repository, size: source.size)
                if let offset = session?.offset, offset > before { retry.reset() }
            }
        }
    }

    // MARK: Sessions

    private struct UploadSession {
        var location: String
        /// How many bytes the registry has.
        var offset: Int64 = 0
    }

    private func uploadCall(
        _ method: HTTPMethod, _ path: String, _ repository: String
    ) -> Call {
        Call(
            method, path, scope: RegistryClient.scope(repository, "pull,push"),
            what: "cannot push to \(domain)/\(repository)")
    }

    private func begin(in repository: String) async throws(RegistryError) -> UploadSession {
        var call = uploadCall(.POST, "/v2/\(repository)/blobs/uploads/", repository)
        call.body = []
        let answer = try await send(call, accepting: [202])
        try await answer.finish(accepting: [202])
        return UploadSession(location: try await location(of: answer))
    }

    private func location(of answer: Answer) async throws(RegistryError) -> String {
        let base = try await baseAddress()
        guard let text = answer.header("location"), let target = Transport.resolve(text, against: base + "/v2/") else {
            throw RegistryError(.badResponse, "\(answer.call.what): the registry does not say where to send the blob")
        }
        if base.hasPrefix("https:"), !target.hasPrefix("https:") {
            throw RegistryError(.insecure, "\(answer.call.what): the registry wants it sent somewhere without TLS")
        }
        return target
    }

    /// How far an upload got; nil where there is none any more.
    private func resumed(
        _ session: UploadSession?, _ repository: String, size: Int64?
    ) async throws(RegistryError) -> UploadSession? {
        guard let session else { return nil }
        let answer = try await send(
            uploadCall(.GET, session.location, repository), accepting: [200, 204, 400, 404])
        try await answer.finish(accepting: [200, 202, 204, 400, 401, 403, 404, 405, 416])
        guard answer.status == 204 || answer.status == 200 || answer.status == 202 else { return nil }
        var next = UploadSession(location: (try? await location(of: answer)) ?? session.location)
        // `0-N`, the last byte included; a registry that has nothing says `0-0`, as one that has one byte does.
        let range = answer.header("range").map { $0.replacing("bytes=", with: "") }
        let last = range?.split(separator: "-").last.flatMap { Int64($0) } ?? 0
        // It cannot have more than there is; such an upload is not gone on with.
        if last >= size ?? Int64.max { return nil }
        next.offset = last > 0 ? last + 1 : 0
        return next
    }

    /// Sends all that the registry does not have yet.
    private func send(
        _ source: BlobSource, _ session: inout UploadSession, _ repository: String,
        _ progress: @escaping @Sendable (Int64) -> Void
    ) async throws(RegistryError) -> Descriptor {
        let channel = PieceChannel()
        let box = Tally()
        let offset = session.offset
        let isStarted = PrivateThread.detach {
            do {
                try source.write { piece in
                    let rest = box.take(piece, from: offset)
                    try channel.put(rest)
                    if !rest.isEmpty { progress(box.byteCount) }
                }
                channel.end()
            } catch {
                channel.end(.failure(error))
            }
        }
        if !isStarted { throw RegistryError("send a layer", .EAGAIN) }
        defer { channel.abandon() }
        var call = uploadCall(.PATCH, session.location, repository)
        call.headers.add(name: "Content-Type", value: "application/octet-stream")
        call.isBulk = true
        var length: Int64?
        if let size = source.size, size >= offset {
            length = size - offset
            if offset > 0 { call.headers.add(name: "Content-Range", value: "\(offset)-\(max(offset, size - 1))") }
        }
        let body = HTTPRequest.Body.stream(channel, length: length)
        let answer: Answer
        do throws(RegistryError) {
            answer = try await sendOnce(call, stream: body, following: false)
        } catch {
            // What could not be made matters more than that the connection ended for want of it.
            guard let failure = channel.failure, !(failure is PieceChannel.Abandoned) else { throw error }
            throw (failure as? RegistryError) ?? RegistryError(.cancelled, "\(call.what): \(failure)")
        }
        try await answer.finish(accepting: [200, 201, 202, 204])
        if let next = try? await location(of: answer) { session.location = next }
        return box.descriptor
    }

    /// Hashes what is sent; the thread that sends and, after it, the task that waits for it use it.
    private final class Tally: Sendable {
        private let hasher = Mutex(DigestHasher())

        /// Takes a piece into the digest and returns the part of it that lies after `offset`.
        func take(_ piece: UnsafeRawBufferPointer, from offset: Int64) -> UnsafeRawBufferPointer {
            let start = hasher.withLock { hasher in
                defer { hasher.update(piece) }
                return hasher.byteCount
            }
            let skipped = min(max(offset - start, 0), Int64(piece.count))
            return UnsafeRawBufferPointer(rebasing: piece.dropFirst(Int(skipped)))
        }

        var byteCount: Int64 { hasher.withLock { $0.byteCount } }

        var descriptor: Descriptor {
            hasher.withLock { Descriptor(mediaType: .layerGzip, digest: $0.finish(), size: $0.byteCount) }
        }
    }

    /// Names an uploaded blob; distribution-spec, "POST then PUT".
    private func finish(
        _ session: UploadSession, _ digest: Digest, _ repository: String
    ) async throws(RegistryError) {
        let separator = session.location.contains("?") ? "&" : "?"
        var call = uploadCall(.PUT, "\(session.location)\(separator)digest=\(digest)", repository)
        call.body = []
        let answer = try await send(call, accepting: [201])
        if answer.status != 201, try await hasBlob(digest, in: repository) {
            // The answer to the first attempt was lost; the blob is there.
            try await answer.finish(accepting: [answer.status])
            return
        }
        try await answer.finish(accepting: [200, 201, 204])
    }

    static func escaped(_ text: String) -> String {
        String(text.flatMap { $0 == "/" ? "%2F" : String($0) })
    }
}
