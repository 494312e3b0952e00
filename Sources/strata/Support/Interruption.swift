import Glibc
import Linux
import Runtime

/// Turns SIGINT, SIGTERM and SIGHUP into a request to stop, so that what is under way is tidied up.
final class Interruption: Sendable {
    private let signals: SignalPipe

    private init(_ signals: consuming SignalPipe) { self.signals = signals }

    /// Watches until the result goes away; nil where signals cannot be caught.
    static func watch(_ cancellation: Cancellation) -> Interruption? {
        guard let pipe = try? SignalPipe([SIGINT, SIGTERM, SIGHUP]) else { return nil }
        let interruption = Interruption(pipe)
        let isStarted = PrivateThread.detach { [weak interruption] in
            while let number = interruption?.signals.rawValue {
                var poll = Poll()
                let entry = poll.add(number, .readable)
                _ = entry
                // Looks up now and then whether anybody still wants to know.
                guard (try? poll.wait(milliseconds: 1000)) == true else { continue }
                if interruption?.signals.next() != nil { cancellation.cancel() }
            }
        }
        // Caught and not looked at, signals would do nothing at all.
        return isStarted ? interruption : nil
    }
}
