import Linux

/// What this program is.
enum Version {
    /// The version by semver.org.
    static let number = ProgramVersion.number
    /// What requests to servers say of it.
    static let userAgent = "strata/\(number)"
    /// What `--version` prints.
    static let line = "strata version \(number)"
}
