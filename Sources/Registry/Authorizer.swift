import FoundationEssentials
import Linux
import OCI
import Synchronization

/// Gets and keeps what requests to one registry must carry; distribution, "Token Authentication Specification" and
/// "OAuth2 Token Authentication".
final class Authorizer: Sendable {
    private struct Token {
        var text: String
        /// By the monotonic clock, in milliseconds.
        var expires: Int64
    }

    private struct State {
        var challenge: AuthenticationChallenge?
        var credentials: Credentials?
        var hasLookedUp = false
        var tokens: [String: Token] = [:]
    }

    private let domain: String
    private let settings: RegistrySettings
    private let state = Mutex(State())

    init(domain: String, settings: RegistrySettings) {
        self.domain = domain
        self.settings = settings
    }

    /// Notes what the registry asked for.
    func note(_ challenge: AuthenticationChallenge) { state.withLock { $0.challenge = challenge } }

    /// The header for a request; a token is fetched where it is known that one is needed.
    func header(for scope: String, with transport: Transport) async throws(RegistryError) -> String? {
        if let known = try header(for: scope) { return known }
        guard case .bearer? = state.withLock({ $0.challenge }), !scope.isEmpty else { return nil }
        _ = try await renew(scope, with: transport)
        return try header(for: scope)
    }

    private func header(for scope: String) throws(RegistryError) -> String? {
        let credentials = try credentials()
        return state.withLock { state in
            switch state.challenge {
            case nil: return nil
            case .basic: return credentials?.basic
            case .bearer:
                guard let token = state.tokens[scope], token.expires > MonotonicClock.milliseconds else { return nil }
                return "Bearer " + token.text
            }
        }
    }

    /// Gets a token for a scope where the registry works with tokens; whether there is something new to try.
    func renew(_ scope: String, with transport: Transport) async throws(RegistryError) -> Bool {
        guard let challenge = state.withLock({ $0.challenge }) else { return false }
        let credentials = try credentials()
        guard case .bearer(let realm, let service, _) = challenge else { return credentials?.basic != nil }
        let token = try await token(realm: realm, service: service, scope: scope, credentials, transport)
        state.withLock { $0.tokens[scope] = token }
        return true
    }

    private func credentials() throws(RegistryError) -> Credentials? {
        if let explicit = settings.explicitCredentials { return explicit }
        let (known, hasLookedUp) = state.withLock { ($0.credentials, $0.hasLookedUp) }
        if hasLookedUp { return known }
        let found = try settings.credentials?.credentials(for: domain)
        state.withLock { state in
            state.credentials = found
            state.hasLookedUp = true
        }
        return found
    }

    // MARK: Tokens

    private struct Answer: Decodable {
        var token: String?
        var accessToken: String?
        var expiresIn: Int64?

        enum CodingKeys: String, CodingKey {
            case token
            case accessToken = "access_token"
            case expiresIn = "expires_in"
        }
    }

    private func token(
        realm: String, service: String?, scope: String, _ credentials: Credentials?, _ transport: Transport
    ) async throws(RegistryError) -> Token {
        guard var address = URLComponents(string: realm), address.scheme != nil, address.host != nil else {
            throw RegistryError(.badResponse, "\(domain) sends for a token to \"\(realm)\", which is no address")
        }
        if let origin = Origin(realm), !origin.isSecure, credentials != nil, settings.verifiesServer, !origin.isLoopback
        {
            throw RegistryError(.insecure, "\(domain) wants the credentials sent to \(origin), without TLS")
        }
        var items: [URLQueryItem] = []
        if let service { items.append(URLQueryItem(name: "service", value: service)) }
        // Several scopes are several parameters.
        if !scope.isEmpty {
            for part in scope.split(separator: " ") { items.append(URLQueryItem(name: "scope", value: String(part))) }
        }
        var request: HTTPRequest
        if case .identityToken(let token)? = credentials {
            var form = URLComponents()
            form.queryItems = [
                URLQueryItem(name: "grant_type", value: "refresh_token"),
                URLQueryItem(name: "client_id", value: "strata"), URLQueryItem(name: "refresh_token", value: token),
                URLQueryItem(name: "service", value: service ?? ""), URLQueryItem(name: "scope", value: scope),
            ]
            request = HTTPRequest(url: realm)
            request.method = .POST
            request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
            // In a form a plus sign means a space.
            let text = (form.percentEncodedQuery ?? "").split(separator: "+", omittingEmptySubsequences: false)
            request.body = .bytes(Array(text.joined(separator: "%2B").utf8))
        } else {
            if case .password(let user, _)? = credentials { items.append(URLQueryItem(name: "account", value: user)) }
            address.queryItems = (address.queryItems ?? []) + items
            request = HTTPRequest(url: address.string ?? realm)
            if let basic = credentials?.basic { request.headers.add(name: "Authorization", value: basic) }
        }
        return try await fetch(request, realm, transport)
    }

    private func fetch(
        _ request: HTTPRequest, _ realm: String, _ transport: Transport
    ) async throws(RegistryError) -> Token {
        let what = "cannot get a token for \(domain) from \(realm)"
        let response: HTTPResponse
        let body: [UInt8]
        do throws(TransportError) {
            (response, body) = try await Retry(settings).run { () async throws(TransportError) in
                // A body with a token in it is for that server alone.
                let response = try await transport.send(request, following: request.method == .GET).response
                return (response, try await response.body.bytes(limit: 1 << 20))
            } again: {
                Retry.delay(of: $0.0)
            }
        } catch {
            throw RegistryError(.init(error.kind), "\(what): \(error.text)")
        }
        guard response.status == 200 else {
            throw RegistryError(response, body, what, domain: domain)
        }
        guard let answer = try? JSON.decode(Answer.self, from: Data(body)),
            let text = answer.token ?? answer.accessToken, !text.isEmpty
        else { throw RegistryError(.badResponse, "\(what): the answer holds none") }
        // The specification's default is a minute; some time passes on the way.
        let seconds = min(max(answer.expiresIn ?? 60, 60), 86_400) - 10
        return Token(text: text, expires: MonotonicClock.milliseconds + seconds * 1000)
    }
}
