import BuildEngine
import Linux
import Rendering
import Synchronization

/// Shows how a build goes on. Events come one at a time, from any thread.
protocol BuildDisplay: Sendable {
    /// Shows an event.
    func show(_ event: ProgressEvent)
    /// Shows what a failed command printed last, unless that is still to be seen; after `end`.
    func show(lastOutputOf error: BuildError)
    /// Leaves the terminal to somebody else, until `resume`.
    func suspend()
    func resume()
    /// Leaves the terminal in order; called once, after the last event.
    func end()
}

extension BuildDisplay {
    func suspend() {}
    func resume() {}

    func show(lastOutputOf error: BuildError) {
        guard let step = error.step, !error.lastOutput.isEmpty else { return }
        let lines = ["------", " > \(VisibleText.line(step)):"] + error.lastOutput + ["------"]
        Console.remark(lines.map { $0 + "\n" }.joined())
    }
}

/// Shows nothing but why it failed.
struct SilentDisplay: BuildDisplay {
    func show(_ event: ProgressEvent) {}
    func end() {}
}

/// Lines for logs, as `docker build --progress=plain` writes them.
final class PlainDisplay: BuildDisplay {
    private let progress = Mutex(PlainProgress(colours: Console.errorIsTerminal))

    func show(_ event: ProgressEvent) {
        progress.withLock { progress in
            let bytes = progress.render(event)
            bytes.withUnsafeBytes { Console.remark(bytes: $0) }
        }
    }

    func end() {}
}
