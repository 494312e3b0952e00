/// The shape of the errors of the modules above `Linux`: a kind of fault that programs compare, and what people read.
public protocol CodedError: DescribedError {
    associatedtype Code: Hashable & Sendable
    /// The kind of fault.
    var code: Code { get }
    /// Makes an error from its parts.
    init(_ code: Code, _ message: String, remedy: String?)
}

extension CodedError {
    /// The error of another module as one of one's own; what people read stays.
    public init(_ code: Code, saying error: some DescribedError) {
        self.init(code, error.message, remedy: error.remedy)
    }
}

/// An error that has nothing but a kind, a sentence and a remedy: each module gives it the kinds of its own.
public struct Failure<Fault: Hashable & Sendable>: CodedError, Hashable {
    /// The kinds of faults.
    public typealias Code = Fault

    /// The kind of fault, to be compared by programs.
    public var code: Fault
    /// One sentence: what was attempted on which object, and why it failed.
    public var message: String
    /// What the user can do about it, where known.
    public var remedy: String?

    /// Makes an error from its parts.
    public init(_ code: Fault, _ message: String, remedy: String? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }
}

/// Does something of a module below, and turns its error into one's own.
public struct ErrorTranslation<Cause: Error, Failure: Error>: Sendable {
    @usableFromInline let failure: @Sendable (Cause) -> Failure

    /// - Parameter failure: makes one's own error.
    public init(_ failure: @escaping @Sendable (Cause) -> Failure) { self.failure = failure }

    /// Does it.
    @inlinable
    public func callAsFunction<Value: ~Copyable>(
        _ body: () throws(Cause) -> Value
    ) throws(Failure) -> Value {
        do throws(Cause) { return try body() } catch { throw failure(error) }
    }
}
