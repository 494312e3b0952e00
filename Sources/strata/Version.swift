import OCI

/// What this program is.
enum Version {
    /// The version by semver.org.
    static let number = "0.1.0"
    /// What requests to servers say of it.
    static let userAgent = "strata/\(number)"
    /// What `--version` prints.
    static let line = "strata version \(number)"
}
