import Linux

/// Where the time of a run goes; for `STRATA_TIMINGS=1`, which has it printed.
struct Stopwatch {
    private var last = MonotonicClock.microseconds
    private var laps: [(name: String, microseconds: Int64)] = []

    /// Names the time since the last lap.
    mutating func lap(_ name: String) {
        let now = MonotonicClock.microseconds
        laps.append((name, now - last))
        last = now
    }

    /// Prints the laps in milliseconds, when the environment asks for that.
    func report(_ subject: String, _ environment: ProcessEnvironment) {
        guard environment["STRATA_TIMINGS"] == "1" else { return }
        let parts = laps.map { "\($0.name) \($0.microseconds / 1000).\($0.microseconds / 100 % 10)" }
        let line = Array("timings of \(subject) in ms: \(parts.joined(separator: ", "))\n".utf8)
        line.withUnsafeBytes { try? BorrowedDescriptor.standardError.writeAll($0) }
    }
}
