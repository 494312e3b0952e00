import OCI
import Runtime
import Synchronization

/// Tells those who work on a build when to stop.
final class StopCheck: Sendable {
    /// Fires when the build is cancelled or a stage has failed.
    let cancellation: Cancellation
    /// Fires when the build is cancelled.
    let interruption: Cancellation?
    private let count = Atomic(0)

    init(following interruption: Cancellation?) throws(BuildError) {
        self.interruption = interruption
        cancellation = try fromRuntime { () throws(RuntimeError) in try Cancellation(following: interruption) }
    }

    /// Stops if the build was cancelled, or another stage has failed.
    func check() throws(BuildError) {
        if cancellation.isCancelled { throw BuildError(.cancelled, "the build was cancelled") }
    }

    /// `check` for work on many small files: it looks only now and then.
    func checkNowAndThen() throws(BuildError) {
        if count.wrappingAdd(1, ordering: .relaxed).newValue % 256 == 0 { try check() }
    }
}
