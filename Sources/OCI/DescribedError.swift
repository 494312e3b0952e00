/// An error that tells a person in one line what was attempted on which object, why it failed, and what can be done.
public protocol DescribedError: Error, CustomStringConvertible {
    /// One sentence: what was attempted on which object, and why it failed.
    var message: String { get }
    /// What the user can do about it, where known.
    var remedy: String? { get }
}

extension DescribedError {
    /// Nothing that is known.
    public var remedy: String? { nil }

    /// One line: the message, and the remedy in parentheses.
    public var description: String { remedy.map { "\(message) (\($0))" } ?? message }
}
