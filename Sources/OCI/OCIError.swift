/// What is wrong with a value that image-spec or distribution-spec defines.
public struct OCIError: DescribedError, Hashable, Sendable {
    /// The kind of fault, to be compared by programs.
    public enum Code: String, Hashable, Sendable {
        /// A digest that is malformed or of an unknown algorithm.
        case badDigest
        /// An image name that the reference grammar does not allow.
        case badReference
        /// A time that is not RFC 3339.
        case badTimestamp
        /// A platform that is not `os/architecture[/variant]`.
        case badPlatform
        /// JSON that is malformed or does not describe what was expected.
        case badDocument
    }

    /// The kind of fault.
    public var code: Code
    /// One sentence: what was read, and what is wrong with it.
    public var message: String

    /// Makes an error from its parts.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
