/// How a registry wants to be told who is asking: the header `WWW-Authenticate` (RFC 9110, section 11.6.1).
enum AuthenticationChallenge: Hashable, Sendable {
    case basic
    /// distribution, "Token Authentication Specification".
    case bearer(realm: String, service: String?, scope: String?)

    /// The challenge of an answer that we can meet; a token goes before a password. Nil where there is none.
    init?(_ headers: HTTPHeaders) {
        var wantsBasic = false
        for value in headers["www-authenticate"] {
            let (scheme, parameters) = AuthenticationChallenge.parse(value)
            if scheme == "bearer", let realm = parameters["realm"] {
                self = .bearer(realm: realm, service: parameters["service"], scope: parameters["scope"])
                return
            }
            if scheme == "basic" { wantsBasic = true }
        }
        guard wantsBasic else { return nil }
        self = .basic
    }

    /// The scheme in lower case and its parameters, `name=token` or `name="text"`.
    static func parse(_ header: String) -> (scheme: String, parameters: [String: String]) {
        var rest = Substring(header)
        let scheme = rest.prefix { $0 != " " }.lowercased()
        rest = rest.dropFirst(scheme.count)
        var parameters: [String: String] = [:]
        while let equals = rest.firstIndex(of: "=") {
            let name = rest[..<equals].drop { $0 == " " || $0 == "," }.lowercased()
            rest = rest[rest.index(after: equals)...]
            var value = ""
            if rest.first == "\"" {
                rest = rest.dropFirst()
                while let character = rest.popFirst(), character != "\"" {
                    if character == "\\", let escaped = rest.popFirst() {
                        value.append(escaped)
                    } else {
                        value.append(character)
                    }
                }
            } else {
                value = String(rest.prefix { $0 != "," }.filter { $0 != " " })
                rest = rest.drop { $0 != "," }
            }
            parameters[name] = value
        }
        return (scheme, parameters)
    }
}
