internal import OCI

/// Why something could not be shown to a person, or read from one, as one line.
package struct RenderingError: DescribedError, Hashable {
    /// The kind of fault, to be compared by programs.
    package enum Code: Hashable, Sendable {
        /// A template does not make sense, or not for the value that it was given.
        case template
        /// A text is no size.
        case size
        /// Standard output takes nothing more.
        case output
        /// Whoever read standard output has gone; nothing is to be said.
        case readerGone
        /// Standard input cannot be read.
        case input
    }

    /// The kind of fault.
    package var code: Code
    /// One sentence: what was attempted on which object, and why it failed.
    package var message: String
    /// What the user may do about it.
    package var remedy: String?

    /// Makes an error from its parts.
    package init(_ code: Code, _ message: String, remedy: String? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    /// Whether nothing more can be shown, whatever it is.
    package var endsOutput: Bool { code == .output || code == .readerGone }
}
