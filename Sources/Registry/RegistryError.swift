public import Linux
public import OCI

/// Why a registry did not do what was asked of it.
public struct RegistryError: DescribedError, Hashable, Sendable {
    /// The kind of failure, to be compared by programs.
    public enum Code: String, Hashable, Sendable {
        /// The registry wants credentials, or does not accept those it got.
        case unauthorized
        /// The credentials do not allow it.
        case denied
        /// There is no such repository, tag, manifest or blob.
        case notFound
        /// The registry asks for fewer requests.
        case tooManyRequests
        /// The registry refused for another reason.
        case refused
        /// The registry failed (status 500 and above), however often it was asked.
        case serverFault
        /// No connection, or it was lost again and again.
        case connection
        /// The server's certificate cannot be trusted, or it speaks no TLS.
        case insecure
        /// What came does not have the digest or the size it should have.
        case corrupt
        /// What came is no registry's answer.
        case badResponse
        /// A manifest, an index or a configuration that cannot be used.
        case badDocument
        /// The configuration of credentials cannot be read or written, or a credential helper failed.
        case credentials
        /// A proxy, certificate or address that makes no sense.
        case badSetting
        /// The transfer was cancelled.
        case cancelled
    }

    /// The kind of failure.
    public var code: Code
    /// One sentence: what was attempted on which object, and why it failed; with the registry's own message.
    public var message: String
    /// What the user can do about it, where known.
    public var remedy: String?
    /// How long the registry asks to wait before the next attempt, in milliseconds.
    var retryDelay: Int64?

    /// Makes an error from its parts.
    public init(_ code: Code, _ message: String, remedy: String? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }
}

extension RegistryError {
    /// The failure of a system call; `attempt` is what was to be done, such as "send a layer".
    public init(_ attempt: String, _ error: Errno) {
        self.init(.connection, "cannot \(attempt): \(error)", remedy: error.remedy)
    }

    /// A document of the specifications that cannot be used; `what` names it.
    init(_ error: OCIError, _ what: String) {
        self.init(.badDocument, "\(what) cannot be used: \(error.message)")
    }
}
