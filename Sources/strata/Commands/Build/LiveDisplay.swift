import BuildEngine
import Glibc
import Linux
import Rendering
import Runtime
import Synchronization

/// A build on a terminal: steps that are done scroll away, below them the running one with its time and the end of its
/// output, redrawn several times a second.
final class LiveDisplay: BuildDisplay {
    private let state: Mutex<LiveProgress>
    private let isDone = Atomic(false)
    private let isSuspended = Atomic(false)

    private init() {
        state = Mutex(
            LiveProgress(
                size: Terminal.drawingSize(of: 2), tailLength: 6, colours: Environment.nonEmpty("NO_COLOR") == nil))
    }

    /// A display whose clock runs.
    static func begin() -> LiveDisplay {
        let display = LiveDisplay()
        PrivateThread.detach {
            while !display.isDone.load(ordering: .relaxed) {
                usleep(100_000)
                if !display.isDone.load(ordering: .relaxed) { display.redraw() }
            }
        }
        return display
    }

    func show(_ event: ProgressEvent) {
        state.withLock { state in
            state.size = Terminal.drawingSize(of: 2)
            // Output comes in many small pieces; the clock's next turn shows it.
            if case .output = event {
                _ = state.take(event, at: MonotonicClock.milliseconds)
            } else {
                Console.remark(verbatim: state.take(event, at: MonotonicClock.milliseconds))
            }
        }
    }

    /// All of it was shown when the step failed.
    func show(lastOutputOf error: BuildError) {}

    func suspend() {
        state.withLock { state in
            isSuspended.store(true, ordering: .relaxed)
            Console.remark(verbatim: state.erasure())
        }
    }

    func resume() { isSuspended.store(false, ordering: .relaxed) }

    func end() {
        isDone.store(true, ordering: .relaxed)
        state.withLock { Console.remark(verbatim: $0.erasure()) }
    }

    private func redraw() {
        state.withLock { state in
            if isSuspended.load(ordering: .relaxed) || isDone.load(ordering: .relaxed) { return }
            state.size = Terminal.drawingSize(of: 2)
            Console.remark(verbatim: state.redrawn(at: MonotonicClock.milliseconds))
        }
    }
}
