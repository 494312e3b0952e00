import BuildEngine

/// A failed build as the command line tells it.
struct BuildFailure {
    /// What went wrong, in one line.
    let message: String
    /// What to do about it, where known.
    let remedy: String?
    /// The exit status.
    let status: Int32

    /// Takes an error of the builder; nil for any other.
    init?(_ error: any Error) {
        guard let error = error as? BuildError else { return nil }
        message = (error.place.map { "\($0): " } ?? "") + error.message
        remedy = error.remedy
        status = error.processStatus
    }
}
