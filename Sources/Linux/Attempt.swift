/// Runs system calls, and says what they were for when they fail: the one wrapper for all modules above, each of which
/// keeps one of these for its own error, under the name `attempting`.
public struct Attempt<Failure: Error>: Sendable {
    @usableFromInline let failure: @Sendable (_ attempt: String, _ error: Errno) -> Failure

    /// - Parameter failure: makes the module's error; `attempt` is what was to be done, such as "read /x".
    public init(_ failure: @escaping @Sendable (_ attempt: String, _ error: Errno) -> Failure) {
        self.failure = failure
    }

    /// Runs system calls.
    ///
    /// - Parameter attempt: what they are for, such as "read /x".
    @inlinable
    public func callAsFunction<Value: ~Copyable>(
        _ attempt: @autoclosure () -> String, _ body: () throws(Errno) -> Value
    ) throws(Failure) -> Value {
        do throws(Errno) { return try body() } catch { throw failure(attempt(), error) }
    }
}
