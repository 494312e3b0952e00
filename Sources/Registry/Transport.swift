import FoundationEssentials
import Linux
import Logging
import Synchronization

/// Carries single requests: no credentials, no repetition.
final class Transport: Sendable {
    private let settings: RegistrySettings
    private let trusted: [String]
    private let loop = CurlLoop()
    private let roots = Mutex<TrustedRoots?>(nil)
    /// How often an answer may send us elsewhere.
    private static let maximumRedirects = 8

    /// An answer, and the address that it came from in the end.
    struct Reply: Sendable {
        var response: HTTPResponse
        var address: String
    }

    /// - Parameter trusted: files with certificates to trust besides the system's.
    init(_ settings: RegistrySettings, trusted: [String] = []) {
        self.settings = settings
        self.trusted = trusted
    }

    /// Sends a request and follows where it is sent on; credentials stay with the host they were meant for.
    func send(_ request: HTTPRequest, following: Bool = true) async throws(TransportError) -> Reply {
        var request = request
        for _ in 0...Transport.maximumRedirects {
            let response = try await sendOnce(request)
            guard following, [301, 302, 303, 307, 308].contains(response.status),
                let location = response.headers.first(name: "location")
            else { return Reply(response: response, address: request.url) }
            await Transport.discard(response)
            guard let target = Transport.resolve(location, against: request.url),
                let old = Origin(request.url), let new = Origin(target)
            else {
                throw TransportError(kind: .request, text: "it was sent on to something that is no address")
            }
            if old.isSecure, !new.isSecure {
                throw TransportError(kind: .secure, text: "it was sent on to \(new), without TLS")
            }
            if old != new { request.headers.remove(name: "authorization") }
            request.url = target
        }
        throw TransportError(kind: .request, text: "it was sent on too often")
    }

    private func sendOnce(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        var request = request
        request.headers.replaceOrAdd(name: "User-Agent", value: settings.userAgent)
        request.url = Transport.withoutUser(request.url)
        guard request.isWellFormed else {
            throw TransportError(kind: .request, text: "there is something in it that no request may hold")
        }
        // Silence is bounded by the connection's own limits; a long transfer is not.
        do throws(TransportError) {
            let response = try await HTTPTransfer(request, try connection(for: request), on: loop).answer()
            report(request, String(response.status))
            return response
        } catch {
            report(request, error.text)
            throw error
        }
    }

    /// Reports a request and what became of it. What is behind a question mark may be a signature.
    private func report(_ request: HTTPRequest, _ outcome: String) {
        let address = String(request.url.prefix { $0 != "?" })
        settings.logger.debug(
            "request",
            metadata: [
                "method": .string(request.method.rawValue), "url": .string(address), "outcome": .string(outcome),
            ])
    }

    /// An address without the user and the password in it: libcurl would make credentials of them.
    private static func withoutUser(_ address: String) -> String {
        guard var parts = URLComponents(string: address), parts.user != nil || parts.password != nil else {
            return address
        }
        (parts.user, parts.password) = (nil, nil)
        return parts.string ?? address
    }

    /// Reads an answer's body to its end, so that its connection can be used again; a long one is dropped.
    static func discard(_ response: HTTPResponse) async {
        _ = try? await response.body.bytes(limit: 1 << 16)
    }

    /// An address that may be relative to another; nil where it is none.
    static func resolve(_ location: String, against base: String) -> String? {
        guard let base = URL(string: base), let url = URL(string: location, relativeTo: base) else { return nil }
        let target = url.absoluteURL
        guard target.scheme == "http" || target.scheme == "https", target.host != nil else { return nil }
        return target.absoluteString
    }

    deinit { loop.stop() }

    /// Ends all connections.
    func shutDown() async { await loop.shutDown() }

    private func connection(for request: HTTPRequest) throws(TransportError) -> HTTPConnection {
        guard let origin = Origin(request.url) else {
            throw TransportError(kind: .request, text: "what it was sent to is no address")
        }
        var connection = HTTPConnection(connectTimeout: settings.connectTimeout, idleTimeout: settings.idleTimeout)
        do throws(RegistryError) {
            connection.proxy = try settings.proxies.proxy(scheme: origin.scheme, host: origin.host, port: origin.port)
        } catch {
            throw TransportError(kind: .request, text: error.message)
        }
        // Each host for itself: a registry of this machine may send us on to any other.
        connection.verifiesServer = verifies(origin)
        if origin.isSecure, connection.verifiesServer { connection.roots = try trustedRoots() }
        connection.allowsHTTP2 = !request.isBulk
        connection.addresses = settings.addresses
        return connection
    }

    /// The certificates to trust, read once.
    private func trustedRoots() throws(TransportError) -> TrustedRoots {
        if let known = roots.withLock({ $0 }) { return known }
        let found = try TrustedRoots(settings.certificateFile, besides: trusted)
        roots.withLock { $0 = found }
        return found
    }

    /// Whether a server must prove who it is.
    func verifies(_ origin: Origin) -> Bool { settings.verifiesServer && !origin.isLoopback }
}
