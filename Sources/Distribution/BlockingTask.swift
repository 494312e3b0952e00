import Dispatch
import Linux
import Registry
import Synchronization

/// Runs asynchronous work for a caller that waits for it on its own thread.
public enum BlockingTask {
    private final class Box<Value: Sendable>: Sendable {
        let result = Mutex<Result<Value, any Error>?>(nil)
    }

    /// A thread for each processor that moves bytes, one that runs tasks, and some that unpack, read or send layers.
    private static let threads = 2 * Processors.count + 6
    /// Each of the former threads takes three; the others are connections, files of credentials, and layers.
    private static let descriptors = 3 * Processors.count + 16

    /// Runs `body` to its end and returns what it returns. Not to be called from a task: its thread would be blocked.
    ///
    /// Where there are too few threads or descriptors this fails with a `RegistryError` at once; the libraries below would
    /// end the process.
    public static func run<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) throws -> Value {
        do throws(Errno) {
            try PrivateThread.require(threads)
            try FileDescriptor.require(descriptors)
        } catch {
            throw RegistryError("start a transfer", error)
        }
        let box = Box<Value>()
        let done = DispatchSemaphore(value: 0)
        Task(executorPreference: TransferExecutor.shared) {
            let result: Result<Value, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            box.result.withLock { $0 = result }
            done.signal()
        }
        done.wait()
        guard let result = box.result.withLock({ $0 }) else { throw CancellationError() }
        return try result.get()
    }
}
