import BuildEngine
import Synchronization

/// Shows how a build goes on. Events come one at a time, from any thread.
protocol BuildDisplay: Sendable {
    /// Shows an event.
    func show(_ event: ProgressEvent)
    /// Leaves the terminal in order; called once, after the last event.
    func end()
}

/// Shows nothing.
struct SilentDisplay: BuildDisplay {
    func show(_ event: ProgressEvent) {}
    func end() {}
}

/// Lines for logs, as `docker build --progress=plain` writes them.
final class PlainDisplay: BuildDisplay {
    private let progress = Mutex(PlainProgress())

    func show(_ event: ProgressEvent) {
        progress.withLock { progress in
            let bytes = progress.render(event)
            bytes.withUnsafeBytes { Console.remark(bytes: $0) }
        }
    }

    func end() {}
}
