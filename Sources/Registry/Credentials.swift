import FoundationEssentials

/// What proves to a registry who is asking.
public enum Credentials: Hashable, Sendable {
    /// A user and a password.
    case password(user: String, password: String)
    /// A refresh token, given by a registry in exchange for a password.
    case identityToken(String)

    /// The value of a header for Basic authentication (RFC 7617); nil for a token.
    var basic: String? {
        guard case .password(let user, let password) = self else { return nil }
        return "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }
}
