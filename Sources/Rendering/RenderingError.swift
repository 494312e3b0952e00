package import OCI

/// Why something could not be shown to a person, or read from one, as one line.
package typealias RenderingError = Failure<RenderingFault>

/// The kinds of faults of `RenderingError`.
package enum RenderingFault: Hashable, Sendable {
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

extension RenderingError {
    /// Whether nothing more can be shown, whatever it is.
    package var endsOutput: Bool { code == .output || code == .readerGone }
}
