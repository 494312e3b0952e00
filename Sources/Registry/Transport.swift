import AsyncHTTPClient
import FoundationEssentials
import Linux
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Why a request got no answer.
struct TransportError: Error {
    enum Kind {
        /// No connection could be made.
        case connect
        /// TLS failed: the certificate cannot be trusted, or the other side speaks something else.
        case secure
        /// The connection was lost, or silent for too long.
        case lost
        /// The request itself makes no sense.
        case request
    }

    var kind: Kind
    var text: String
    /// The error that this one stands for.
    var carried: RegistryError?

    init(kind: Kind, text: String) {
        self.kind = kind
        self.text = text
    }
}

/// Carries single requests: no credentials, no repetition.
final class Transport: Sendable {
    private let settings: RegistrySettings
    private let trusted: [String]
    private let clients = Mutex<[Kind: HTTPClient]>([:])
    /// How often an answer may send us elsewhere.
    private static let maximumRedirects = 8

    /// What connections are made with.
    private struct Kind: Hashable {
        var proxy: Proxy?
        var verifiesServer: Bool
    }

    /// An answer, and the address that it came from in the end.
    struct Reply: Sendable {
        var response: HTTPClientResponse
        var address: String
    }

    /// - Parameter trusted: files with certificates to trust besides the system's.
    init(_ settings: RegistrySettings, trusted: [String] = []) {
        self.settings = settings
        self.trusted = trusted
    }

    /// Sends a request and follows where it is sent on; credentials stay with the host they were meant for.
    func send(_ request: HTTPClientRequest, following: Bool = true) async throws(TransportError) -> Reply {
        var request = request
        for _ in 0...Transport.maximumRedirects {
            let response = try await sendOnce(request)
            guard following, [301, 302, 303, 307, 308].contains(response.status.code),
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

    private func sendOnce(_ request: HTTPClientRequest) async throws(TransportError) -> HTTPClientResponse {
        let client = try client(for: request.url)
        var request = request
        request.headers.replaceOrAdd(name: "User-Agent", value: settings.userAgent)
        do {
            // Silence is bounded by the connection's own limits; a long transfer is not.
            return try await client.execute(request, deadline: .distantFuture)
        } catch {
            throw TransportError(error)
        }
    }

    /// Reads an answer's body to its end, so that its connection can be used again; a long one is dropped.
    static func discard(_ response: HTTPClientResponse) async {
        _ = try? await response.body.collect(upTo: 1 << 16)
    }

    /// An address that may be relative to another; nil where it is none.
    static func resolve(_ location: String, against base: String) -> String? {
        guard let base = URL(string: base), let url = URL(string: location, relativeTo: base) else { return nil }
        let target = url.absoluteURL
        guard target.scheme == "http" || target.scheme == "https", target.host != nil else { return nil }
        return target.absoluteString
    }

    /// Ends all connections.
    func shutDown() async {
        let all = clients.withLock { clients in
            defer { clients = [:] }
            return Array(clients.values)
        }
        for client in all { try? await client.shutdown() }
    }

    private func client(for address: String) throws(TransportError) -> HTTPClient {
        guard let origin = Origin(address) else {
            throw TransportError(kind: .request, text: "what it was sent to is no address")
        }
        let proxy: Proxy?
        do throws(RegistryError) {
            proxy = try settings.proxies.proxy(scheme: origin.scheme, host: origin.host, port: origin.port)
        } catch {
            throw TransportError(kind: .request, text: error.message)
        }
        // Each host for itself: a registry of this machine may send us on to any other.
        let kind = Kind(proxy: proxy, verifiesServer: verifies(origin))
        return clients.withLock { clients in
            if let known = clients[kind] { return known }
            let made = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration(kind))
            clients[kind] = made
            return made
        }
    }

    /// Whether a server must prove who it is.
    func verifies(_ origin: Origin) -> Bool { settings.verifiesServer && !origin.isLoopback }

    private func configuration(_ kind: Kind) -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if !kind.verifiesServer { tls.certificateVerification = .none }
        tls.additionalTrustRoots = trusted.map { .file($0) }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            timeout: .init(
                connect: .milliseconds(settings.connectTimeout), read: .milliseconds(settings.idleTimeout)),
            decompression: .disabled)
        if let proxy = kind.proxy {
            let authorization: HTTPClient.Authorization? = proxy.user.flatMap { user in
                let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2 else { return nil }
                return .basic(username: String(parts[0]), password: String(parts[1]))
            }
            configuration.proxy = .server(host: proxy.host, port: proxy.port, authorization: authorization)
        }
        // The windows of HTTP/2 keep one stream far below what the line carries.
        configuration.httpVersion = .http1Only
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 16
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }
}

extension TransportError {
    /// Sorts an error of the HTTP library, and makes one line of it.
    init(_ error: any Error) {
        switch error {
        case let error as TransportError: self = error
        case let error as NIOSSLError: self.init(kind: .secure, text: TransportError.describe(error))
        case let error as NIOSSLExtraError:
            self.init(kind: .secure, text: "its certificate is not for this name (\(error.description))")
        case let error as BoringSSLError: self.init(kind: .secure, text: "TLS failed (\(error))")
        case let error as NIOConnectionError:
            if let cause = error.connectionErrors.first?.error as? IOError {
                self.init(kind: .connect, text: TransportError.describe(cause))
            } else if error.dnsAError != nil || error.dnsAAAAError != nil {
                self.init(kind: .connect, text: "the host \(error.host) is not known")
            } else {
                self.init(kind: .connect, text: "no connection to \(error.host):\(error.port)")
            }
        case let error as IOError: self.init(kind: .lost, text: TransportError.describe(error))
        case let error as HTTPClientError: self.init(error)
        case is HTTPParserError: self.init(kind: .lost, text: "the answer is no HTTP")
        case is CancellationError: self.init(kind: .request, text: "cancelled")
        default: self.init(kind: .lost, text: "\(error)".split(whereSeparator: \.isNewline).joined(separator: " "))
        }
    }

    private init(_ error: HTTPClientError) {
        switch error {
        case .connectTimeout: self.init(kind: .connect, text: "no answer in time")
        case .readTimeout, .writeTimeout: self.init(kind: .lost, text: "the other side fell silent")
        case .remoteConnectionClosed: self.init(kind: .lost, text: "the connection was closed")
        case .cancelled: self.init(kind: .request, text: "cancelled")
        case .tlsHandshakeTimeout: self.init(kind: .secure, text: "TLS was not agreed on in time")
        case .proxyAuthenticationRequired: self.init(kind: .request, text: "the proxy wants credentials")
        case .invalidURL, .emptyHost, .emptyScheme:
            self.init(kind: .request, text: "the address makes no sense")
        default: self.init(kind: .lost, text: error.shortDescription)
        }
    }

    private static func describe(_ error: IOError) -> String {
        String(describing: Errno(rawValue: error.errnoCode))
    }

    private static func describe(_ error: NIOSSLError) -> String {
        let text = "\(error)"
        if text.contains("CERTIFICATE_VERIFY_FAILED") { return "its certificate cannot be trusted" }
        if text.contains("WRONG_VERSION_NUMBER") || text.contains("HTTP_REQUEST") { return "it does not speak TLS" }
        return "TLS failed (\(text.split(whereSeparator: \.isNewline).joined(separator: " ")))"
    }
}
