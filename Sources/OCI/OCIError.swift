/// What is wrong with a value that image-spec or distribution-spec defines.
public typealias OCIError = Failure<OCIFault>

/// The kinds of faults of `OCIError`, to be compared by programs.
public enum OCIFault: String, Hashable, Sendable {
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
