import Linux
public import OCI

/// The time that a reproducible build says it was done at: https://reproducible-builds.org/specs/source-date-epoch.
public enum SourceDate {
    /// The name of the variable and of the build argument.
    public static let name = "SOURCE_DATE_EPOCH"

    /// Reads seconds since 1970; nil for an empty text.
    ///
    /// - Parameter context: what the word `context` stands for; nil where the context has no time.
    /// - Throws: `badOption` for anything but a number of a time between the years 0 and 9999.
    public static func parse(_ text: String?, context: Timestamp? = nil) throws(BuildError) -> Timestamp? {
        guard let text, !text.isEmpty else { return nil }
        if text == "context" { return context }
        guard let seconds = Int64(text), (-62_167_219_200...253_402_300_799).contains(seconds) else {
            throw BuildError(
                .badOption, "invalid \(name) \"\(text)\"", remedy: "it is a number of seconds since 1970")
        }
        return Timestamp(seconds: seconds)
    }

    /// The time of a context: that of its commit, if it is a repository's.
    static func ofContext(_ options: BuildOptions) -> Timestamp? {
        guard case .address(let text)? = options.remoteContext, GitReference(text) != nil, let context = options.context
        else { return nil }
        // All that was checked out has it.
        let status = try? FileDescriptor.currentDirectory.status(of: context)
        return status.map { Timestamp(seconds: $0.modificationTime.seconds) }
    }
}
