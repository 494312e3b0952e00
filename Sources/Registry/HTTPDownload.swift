import FoundationEssentials
public import Linux

/// Something to be fetched from the web, no matter what.
public struct HTTPDownload: Sendable {
    private let address: String
    private let authorization: String?
    /// The address as it may be shown: without user and password, and without the query, which may be a signature.
    public let shownAddress: String

    /// Takes an `http` or `https` address; nil for anything else.
    public init?(_ text: String) {
        guard Origin(text) != nil, var parts = URLComponents(string: text) else { return nil }
        authorization = parts.user.flatMap { Credentials.password(user: $0, password: parts.password ?? "").basic }
        (parts.user, parts.password, parts.fragment) = (nil, nil, nil)
        guard let address = parts.string else { return nil }
        self.address = address
        parts.query = nil
        shownAddress = parts.string ?? ""
    }

    /// Fetches it, piece by piece. A connection that is lost before the end is an error.
    ///
    /// - Parameters:
    ///   - lastModified: told what the server says of the time of the last change, before the first piece.
    ///   - progress: told how many bytes came, and of how many; 0 where that is not known.
    ///   - sink: takes the pieces, in order; may block. When it throws, the download ends with `cancelled`.
    public func run(
        _ settings: RegistrySettings, lastModified: @Sendable (String?) -> Void = { _ in },
        progress: @Sendable (_ done: Int64, _ total: Int64) -> Void = { _, _ in },
        to sink: @Sendable (UnsafeRawBufferPointer) throws(Errno) -> Void
    ) async throws(RegistryError) {
        let transport = Transport(settings)
        do throws(RegistryError) {
            try await run(transport, settings, lastModified, progress, sink)
        } catch {
            await transport.shutDown()
            throw error
        }
        await transport.shutDown()
    }

    private func run(
        _ transport: Transport, _ settings: RegistrySettings, _ lastModified: @Sendable (String?) -> Void,
        _ progress: @Sendable (Int64, Int64) -> Void,
        _ sink: @Sendable (UnsafeRawBufferPointer) throws(Errno) -> Void
    ) async throws(RegistryError) {
        let what = "cannot fetch \(shownAddress)"
        let response: HTTPResponse
        do throws(TransportError) {
            // Somebody waits for it, and an address may just be wrong.
            response = try await Retry(settings, limit: min(settings.retries, 2)).run {
                () async throws(TransportError) in
                var request = HTTPRequest(url: address)
                request.isBulk = true
                if let authorization { request.headers.add(name: "Authorization", value: authorization) }
                return try await transport.send(request).response
            } again: {
                Retry.delay(of: $0)
            }
        } catch {
            throw RegistryError(.init(error.kind), "\(what): \(error.text)")
        }
        guard response.status == 200 else {
            await Transport.discard(response)
            throw RegistryError(
                response.status == 404 ? .notFound : .refused,
                "\(what): status \(response.status) \(response.head.reason)")
        }
        lastModified(response.headers.first(name: "last-modified"))
        let total = response.headers.first(name: "content-length").flatMap { Int64($0) } ?? 0
        var done: Int64 = 0
        do {
            while let piece = try await response.body.next() {
                try piece.withUnsafeBytes { try sink($0) }
                done &+= Int64(piece.count)
                progress(done, total)
            }
        } catch is Errno {
            throw RegistryError(.cancelled, "\(what): nobody takes it any more")
        } catch {
            let lost = (error as? TransportError) ?? TransportError(kind: .lost, text: "\(error)")
            throw RegistryError(.init(lost.kind), "\(what): \(lost.text) after \(done) bytes")
        }
    }
}
