import OCI

/// Why a command could not be carried out, as one line for the user.
struct CommandError: DescribedError, Hashable {
    /// The kind of fault, to be compared by programs.
    enum Code: Hashable {
        /// The arguments do not make sense.
        case usage
        /// What was named does not exist.
        case notFound
        /// The command ran and failed.
        case failed
        /// The command has told the user already; only the exit status is left to give.
        case silent
    }

    /// The kind of fault.
    var code: Code
    /// One sentence: what was attempted on which object, and why it failed.
    var message: String
    /// What the user may do about it.
    var remedy: String?
    /// The exit status, where the command has one of its own.
    var status: Int32?

    /// Makes an error from its parts.
    init(_ code: Code, _ message: String, remedy: String? = nil, status: Int32? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.status = status
    }

    /// Ends the command with a status and without a word.
    static func exit(_ status: Int32) -> CommandError { CommandError(.silent, "", status: status) }
}
