import Linux
import OCI
import Synchronization

/// A client of one registry; distribution-spec 1.1.
///
/// May be used by many tasks at once. `close()` must be called at the end.
public final class RegistryClient: Sendable {
    /// The domain of the image names that it serves, such as `docker.io`.
    public let domain: String
    let settings: RegistrySettings
    let transport: Transport
    let authorizer: Authorizer
    private let address: RegistryAddress
    private let base = Mutex<String?>(nil)

    /// A client for the registry of a domain; nothing is sent yet.
    public init(domain: String, settings: RegistrySettings = RegistrySettings()) {
        self.domain = domain
        self.settings = settings
        address = RegistryAddress(domain: domain)
        authorizer = Authorizer(domain: domain, settings: settings)
        transport = Transport(settings, trusted: RegistryClient.certificates(for: domain, settings))
    }

    /// Ends all connections; the client is of no use afterwards.
    public func close() async { await transport.shutDown() }

    private static func certificates(for domain: String, _ settings: RegistrySettings) -> [String] {
        settings.certificateDirectories.flatMap { directory -> [String] in
            let home = "\(directory)/\(domain)"
            guard let opened = try? FileDescriptor.open(home, [.directory]),
                let names = try? opened.sortedEntryNames()
            else { return [] }
            return names.map { String(decoding: $0.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self) }
                .filter { $0.hasSuffix(".crt") }.map { "\(home)/\($0)" }
        }
    }

    // MARK: The registry itself

    /// Finds out where the API is and what it wants; distribution-spec, "Determining Support".
    func baseAddress() async throws(RegistryError) -> String {
        if let known = base.withLock({ $0 }) { return known }
        let isLenient = address.isLoopback || !settings.verifiesServer
        var failure: TransportError?
        for scheme in isLenient ? ["https", "http"] : ["https"] {
            let candidate = "\(scheme)://\(address.host)"
            do throws(TransportError) {
                let reply = try await Retry(settings, limit: 1).run { () async throws(TransportError) in
                    try await self.transport.send(HTTPRequest(url: candidate + "/v2/"))
                } again: {
                    Retry.delay(of: $0.response)
                }
                // A server for HTTPS that is spoken to without says so with this.
                if scheme == "http", reply.response.status == 400 { continue }
                if Origin(reply.address) == Origin(candidate),
                    let challenge = AuthenticationChallenge(reply.response.headers)
                {
                    authorizer.note(challenge)
                }
                await Transport.discard(reply.response)
                base.withLock { $0 = candidate }
                return candidate
            } catch {
                if failure == nil || error.kind == .connect { failure = error }
            }
        }
        let error = failure ?? TransportError(kind: .connect, text: "no answer")
        let remedy =
            error.kind == .secure
            ? "if you trust it all the same, use --tls-verify=false" : nil
        throw RegistryError(
            .init(error.kind), "cannot reach the registry \(domain): \(error.text)", remedy: remedy)
    }

    /// Checks the credentials given by `explicitCredentials`; `unauthorized` when the registry does not take them.
    public func logIn() async throws(RegistryError) {
        _ = try await send(Call(.GET, "/v2/", what: "cannot log in to \(domain)"), accepting: [200])
            .finish(accepting: [200])
    }

    // MARK: Requests

    /// One request to the API.
    struct Call {
        var method: HTTPMethod
        /// From `/v2/…`, or a whole address.
        var path: String
        var headers: HTTPHeaders = [:]
        var body: [UInt8]?
        /// Whether a large body goes or comes.
        var isBulk = false
        /// What it needs, `repository:NAME:ACTIONS`; several separated by spaces.
        var scope = ""
        /// What was attempted, for messages: "cannot …".
        var what: String

        init(_ method: HTTPMethod, _ path: String, scope: String = "", what: String) {
            self.method = method
            self.path = path
            self.scope = scope
            self.what = what
        }
    }

    /// An answer, and what it takes to tell why it is no good.
    struct Answer {
        var response: HTTPResponse
        var call: Call
        var domain: String

        var status: Int { response.status }

        func header(_ name: String) -> String? { response.headers.first(name: name) }

        /// Reads the body; throws the registry's refusal when the status is none of those.
        @discardableResult
        func finish(accepting: Set<Int>, limit: Int = 1 << 20) async throws(RegistryError) -> [UInt8] {
            let bytes: [UInt8]
            do throws(TransportError) {
                bytes = try await response.body.bytes(limit: limit)
            } catch {
                throw RegistryError(.init(error.kind), "\(call.what): \(error.text)")
            }
            if !accepting.contains(status) { throw RegistryError(response, bytes, call.what, domain: domain) }
            return bytes
        }
    }

    /// Sends a request as often as it takes, with what the registry wants to see. Statuses other than those accepted are
    /// repeated where that can help, and then returned as they are.
    func send(_ call: Call, accepting: Set<Int>, following: Bool = true) async throws(RegistryError) -> Answer {
        // A registry that was never reached is more likely misspelt than about to come back: that is not repeated here.
        _ = try await baseAddress()
        do throws(TransportError) {
            return try await Retry(settings).run { () async throws(TransportError) in
                do throws(RegistryError) {
                    return try await self.sendOnce(call, following: following)
                } catch {
                    throw TransportError(carrying: error)
                }
            } again: {
                accepting.contains($0.status) ? nil : Retry.delay(of: $0.response)
            }
        } catch {
            if let carried = error.carried { throw carried }
            throw RegistryError(.init(error.kind), "\(call.what): \(error.text)")
        }
    }

    /// One attempt; a second one when the credentials were missing or too old.
    func sendOnce(
        _ call: Call, stream: HTTPRequest.Body? = nil, following: Bool = true
    ) async throws(RegistryError) -> Answer {
        let address = call.path.hasPrefix("/") ? try await baseAddress() + call.path : call.path
        var hasRenewed = false
        while true {
            var request = HTTPRequest(url: address)
            request.method = call.method
            request.headers = call.headers
            request.isBulk = call.isBulk
            if let stream { request.body = stream } else if let body = call.body { request.body = .bytes(body) }
            if try await isOurs(address),
                let header = try await authorizer.header(for: call.scope, with: transport)
            {
                request.headers.replaceOrAdd(name: "Authorization", value: header)
            }
            let reply: Transport.Reply
            do throws(TransportError) {
                reply = try await transport.send(request, following: following)
            } catch {
                throw RegistryError(.init(error.kind), "\(call.what): \(error.text)")
            }
            let response = reply.response
            // Another host, where a redirection or an upload led, has no say in where the credentials go.
            guard try await isOurs(reply.address), response.status == 401, !hasRenewed, stream == nil,
                let challenge = AuthenticationChallenge(response.headers)
            else { return Answer(response: response, call: call, domain: domain) }
            let hadHeader = request.headers.contains(name: "Authorization")
            authorizer.note(challenge)
            if case .basic = challenge, hadHeader { return Answer(response: response, call: call, domain: domain) }
            guard try await authorizer.renew(call.scope, with: transport) else {
                return Answer(response: response, call: call, domain: domain)
            }
            await Transport.discard(response)
            hasRenewed = true
        }
    }

    /// Whether credentials may be sent there: an upload may be taken by another host.
    private func isOurs(_ address: String) async throws(RegistryError) -> Bool {
        Origin(address) == Origin(try await baseAddress())
    }

    /// The scope for a repository.
    static func scope(_ repository: String, _ actions: String) -> String { "repository:\(repository):\(actions)" }
}

extension TransportError {
    /// Takes a registry's error through code that repeats: connections lost are repeated, all else is not.
    init(carrying error: RegistryError) {
        self.init(kind: error.code == .connection ? .lost : .request, text: error.message)
        carried = error
    }
}
