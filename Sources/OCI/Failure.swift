/// The shape of an error that has nothing but a kind, a sentence and a remedy: each module gives it the kinds of its own.
public struct Failure<Code: Hashable & Sendable>: DescribedError, Hashable {
    /// The kind of fault, to be compared by programs.
    public var code: Code
    /// One sentence: what was attempted on which object, and why it failed.
    public var message: String
    /// What the user can do about it, where known.
    public var remedy: String?

    /// Makes an error from its parts.
    public init(_ code: Code, _ message: String, remedy: String? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }
}
