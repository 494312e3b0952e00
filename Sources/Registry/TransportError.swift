import CCurl
import Linux

/// Why a request got no answer.
struct TransportError: Error {
    enum Kind {
        /// No connection could be made.
        case connect
        /// TLS failed: the certificate cannot be trusted, or the other side speaks something else.
        case secure
        /// The connection was lost, or silent for too long.
        case lost
        /// The request itself makes no sense, or the answer does not.
        case request
        /// Something is missing on this machine, or set to what makes no sense.
        case setting
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

extension TransportError {
    /// Sorts what became of a transfer, and makes one line of it.
    init(_ outcome: ccurl_outcome, address: String) {
        let origin = Origin(address)
        let host = origin?.host ?? "it"
        let words = outcome.text.map { TransportError.oneLine(String(cString: $0)) } ?? "no reason given"
        switch outcome.failure {
        case CCURL_NO_MEMORY: self.init(kind: .request, text: "there is no memory for it")
        case CCURL_BAD_ADDRESS: self.init(kind: .request, text: "the address makes no sense")
        case CCURL_UNKNOWN_HOST: self.init(kind: .connect, text: "the host \(host) is not known")
        case CCURL_UNKNOWN_PROXY: self.init(kind: .connect, text: "the host of the proxy is not known")
        case CCURL_NO_CONNECTION where outcome.system_error != 0:
            self.init(kind: .connect, text: "\(Errno(rawValue: outcome.system_error))")
        case CCURL_NO_CONNECTION:
            self.init(kind: .connect, text: "no connection to \(origin?.description ?? host)")
        case CCURL_TIMED_OUT: self.init(kind: .connect, text: "no answer in time")
        case CCURL_NO_TLS: self.init(kind: .secure, text: "it does not speak TLS")
        case CCURL_UNTRUSTED: self.init(kind: .secure, text: "its certificate cannot be trusted (\(words))")
        case CCURL_WRONG_NAME: self.init(kind: .secure, text: "its certificate is not for this name (\(words))")
        case CCURL_BAD_CERTIFICATES:
            self.init(kind: .setting, text: "the certificates to trust cannot be used (\(words))")
        case CCURL_TLS_FAILED: self.init(kind: .secure, text: "TLS failed (\(words))")
        case CCURL_PROXY_WANTS_CREDENTIALS: self.init(kind: .request, text: "the proxy wants credentials")
        case CCURL_PROXY_REFUSES: self.init(kind: .request, text: "the proxy refuses (\(words))")
        case CCURL_NO_HTTP: self.init(kind: .lost, text: "the answer is no HTTP")
        case CCURL_CLOSED where outcome.system_error != 0:
            self.init(kind: .lost, text: "\(Errno(rawValue: outcome.system_error))")
        case CCURL_CLOSED: self.init(kind: .lost, text: "the connection was closed")
        default: self.init(kind: .lost, text: words)
        }
    }

    private static func oneLine(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : Character($0) }.prefix(200))
    }
}
