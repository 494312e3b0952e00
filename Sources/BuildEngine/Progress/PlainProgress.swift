import Linux

/// Renders progress as plain lines, for logs: `#5 [2/4] RUN make`, `#5 0.512 output`, `#5 DONE 1.2s`.
///
/// What commands print and what Dockerfiles say is made visible (`VisibleText`); of a line that was written over by
/// carriage returns its end is shown.
public struct PlainProgress: Sendable {
    /// What is left of each step's output without a line feed, and when the step began.
    private struct Open: Sendable {
        var began: Int64
        var rest: [UInt8] = []
    }

    private var open: [Int: Open] = [:]
    private let colours: Bool
    private let clock: @Sendable () -> Int64

    /// Renders times by the system's clock.
    ///
    /// - Parameter colours: whether the colours of commands' output are kept, as for a terminal.
    public init(colours: Bool = false) {
        self.init(colours: colours) { MonotonicClock.milliseconds }
    }

    /// Renders times by another clock, in milliseconds.
    init(colours: Bool = false, clock: @escaping @Sendable () -> Int64) {
        self.colours = colours
        self.clock = clock
    }

    /// The lines for an event, each with its line feed; nothing for an event that completes no line.
    public mutating func render(_ event: ProgressEvent) -> [UInt8] {
        switch event {
        case .started(let step):
            open[step.number] = Open(began: clock())
            return Array("#\(step.number) \(VisibleText.line(step.title))\n".utf8)
        case .output(let step, _, let bytes):
            return output(bytes, of: step)
        case .cached(let step):
            return close(step, "CACHED")
        case .finished(let step, let seconds):
            return close(step, "DONE \(Self.decimal(seconds, places: 1))s")
        case .failed(let step, let error):
            return close(step, error.code == .cancelled ? "CANCELED" : "ERROR: \(VisibleText.line(error.message))")
        case .note(let step, let text):
            return Array("#\(step) \(VisibleText.line(text))\n".utf8)
        case .warning(let text):
            return Array("\(VisibleText.line(text))\n".utf8)
        case .image, .diagnostic:
            return []
        }
    }

    private mutating func output(_ bytes: [UInt8], of step: Int) -> [UInt8] {
        var state = open[step] ?? Open(began: clock())
        let prefix = Array("#\(step) \(Self.decimal(Double(clock() - state.began) / 1000, places: 3)) ".utf8)
        var lines: [UInt8] = []
        var text = state.rest[...] + bytes
        while let end = text.firstIndex(of: UInt8(ascii: "\n")) {
            lines += prefix + shown(text[..<end])
            text = text[(end + 1)...]
        }
        state.rest = Array(text)
        // A program that never ends a line must not be kept in memory.
        if state.rest.count > 1 << 16 {
            lines += prefix + shown(state.rest[...])
            state.rest = []
        }
        open[step] = state
        return lines
    }

    private mutating func close(_ step: Int, _ text: String) -> [UInt8] {
        var lines: [UInt8] = []
        if let state = open.removeValue(forKey: step), !state.rest.isEmpty {
            let seconds = Double(clock() - state.began) / 1000
            lines += Array("#\(step) \(Self.decimal(seconds, places: 3)) ".utf8)
            lines += shown(state.rest[...])
        }
        // An empty line sets the steps apart.
        lines += Array("#\(step) \(text)\n\n".utf8)
        return lines
    }

    /// A line of a command's output as it is shown, with its line feed.
    private func shown(_ line: ArraySlice<UInt8>) -> [UInt8] {
        Array((VisibleText.output(Self.withoutReturns(line), colours: colours) + "\n").utf8)
    }

    /// A line that was overwritten by carriage returns is shown as a terminal would leave it.
    static func withoutReturns(_ line: ArraySlice<UInt8>) -> [UInt8] {
        var rest = line
        while rest.last == UInt8(ascii: "\r") { rest = rest.dropLast() }
        guard let last = rest.lastIndex(of: UInt8(ascii: "\r")) else { return Array(rest) }
        return Array(rest[(last + 1)...])
    }

    /// A number with that many decimals; FoundationEssentials has no cheaper way.
    static func decimal(_ value: Double, places: Int) -> String {
        var scale = 1
        for _ in 0..<places { scale *= 10 }
        let scaled = Int((min(max(value, 0), 1e9) * Double(scale)).rounded())
        let fraction = "\(scaled % scale)"
        return "\(scaled / scale)." + String(repeating: "0", count: places - fraction.utf8.count) + fraction
    }
}
