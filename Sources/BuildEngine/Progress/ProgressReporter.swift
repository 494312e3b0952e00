import Linux
import Runtime
import Synchronization

/// Numbers the steps and passes events on, one at a time, whatever thread they come from.
final class ProgressReporter: Sendable {
    private struct State {
        var lastNumber = 0
        var began: [Int: Int64] = [:]
        var cached = 0
        var executed = 0
    }

    private let state = Mutex(State())
    private let sink: @Sendable (ProgressEvent) -> Void

    init(_ sink: @escaping @Sendable (ProgressEvent) -> Void) {
        self.sink = sink
    }

    /// How many instructions came from the cache, and how many were carried out.
    var counts: (cached: Int, executed: Int) { state.withLock { ($0.cached, $0.executed) } }

    /// Begins a step and returns its number.
    func start(_ text: String, stage: String? = nil, index: Int? = nil, total: Int? = nil) -> Int {
        state.withLock { state in
            state.lastNumber += 1
            let number = state.lastNumber
            state.began[number] = MonotonicClock.milliseconds
            sink(.started(ProgressStep(number: number, stage: stage, index: index, total: total, text: text)))
            return number
        }
    }

    func output(_ step: Int, _ stream: OutputStream, _ bytes: UnsafeRawBufferPointer) {
        let bytes = Array(bytes)
        state.withLock { _ in sink(.output(step: step, stream: stream, bytes: bytes)) }
    }

    func cached(_ step: Int) {
        state.withLock { state in
            state.cached += 1
            state.began[step] = nil
            sink(.cached(step: step))
        }
    }

    /// - Parameter isInstruction: whether it counts as an instruction carried out.
    func finish(_ step: Int, isInstruction: Bool = false) {
        state.withLock { state in
            if isInstruction { state.executed += 1 }
            let began = state.began.removeValue(forKey: step) ?? MonotonicClock.milliseconds
            sink(.finished(step: step, seconds: Double(MonotonicClock.milliseconds - began) / 1000))
        }
    }

    /// Ends a step; one that has ended already is left alone.
    func fail(_ step: Int, _ error: BuildError) {
        state.withLock { state in
            if state.began.removeValue(forKey: step) != nil { sink(.failed(step: step, error: error)) }
        }
    }

    func note(_ step: Int, _ text: String) {
        state.withLock { _ in sink(.note(step: step, text: text)) }
    }

    func report(_ event: ProgressEvent) {
        state.withLock { _ in sink(event) }
    }
}
