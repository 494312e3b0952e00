import Dispatch

/// Runs tasks that may block, such as those that write into a pipe, on threads of their own.
public final class TransferExecutor: TaskExecutor {
    /// The one for all transfers.
    public static let shared = TransferExecutor()

    private let queue = DispatchQueue(label: "strata.transfers", attributes: .concurrent)

    private init() {}

    /// Runs a job soon.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
