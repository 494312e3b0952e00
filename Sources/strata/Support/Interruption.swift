import Glibc
import Linux
import Runtime
import Synchronization

/// Turns SIGINT, SIGTERM and SIGHUP into a request to stop, so that what is under way is tidied up; as long as it lives.
final class Interruption: Sendable {
    /// What the watching thread holds: the descriptor stays open until that thread has ended.
    private final class Watch: Sendable {
        let signals: SignalPipe
        let isOver = Atomic(false)

        init(_ signals: consuming SignalPipe) { self.signals = signals }
    }

    private let watch: Watch

    private init(_ watch: Watch) { self.watch = watch }

    deinit { watch.isOver.store(true, ordering: .relaxed) }

    /// Watches until the result goes away; nil where signals cannot be caught.
    static func watch(_ cancellation: Cancellation) -> Interruption? {
        guard let pipe = try? SignalPipe([SIGINT, SIGTERM, SIGHUP]) else { return nil }
        let watch = Watch(pipe)
        let isStarted = PrivateThread.detach {
            while !watch.isOver.load(ordering: .relaxed) {
                var poll = Poll()
                _ = poll.add(watch.signals.rawValue, .readable)
                // Looks up now and then whether anybody still wants to know.
                guard (try? poll.wait(milliseconds: 1000)) == true else { continue }
                if watch.signals.next() != nil { cancellation.cancel() }
            }
        }
        // Caught and not looked at, signals would do nothing at all.
        return isStarted ? Interruption(watch) : nil
    }
}
