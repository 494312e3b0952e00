public import OCI

/// The time that a reproducible build says it was done at: https://reproducible-builds.org/specs/source-date-epoch.
public enum SourceDate {
    /// The name of the variable and of the build argument.
    public static let name = "SOURCE_DATE_EPOCH"

    /// Reads seconds since 1970; nil for an empty text, and for `context`, which is the time of the sources where those
    /// have one: a directory has none.
    ///
    /// - Throws: `badOption` for anything but a number of a time between the years 0 and 9999.
    public static func parse(_ text: String?) throws(BuildError) -> Timestamp? {
        guard let text, !text.isEmpty, text != "context" else { return nil }
        guard let seconds = Int64(text), (-62_167_219_200...253_402_300_799).contains(seconds) else {
            throw BuildError(
                .badOption, "invalid \(name) \"\(text)\"", remedy: "it is a number of seconds since 1970")
        }
        return Timestamp(seconds: seconds)
    }
}
