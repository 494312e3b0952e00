import BuildEngine
import Linux
import Rendering

/// What a terminal shows of a build, as text with control sequences; no terminal is needed to make it.
struct LiveProgress {
    /// A step that runs.
    private struct Step {
        var step: ProgressStep
        var began: Int64
        var output = OutputTail()
        var notes: [String] = []
    }

    /// The size of the terminal, which may change at any time; what is redrawn has to stay on it.
    var size: TerminalSize
    private let tailLength: Int
    private let colours: Bool
    private var running: [Step] = []
    private var done = 0
    private var began: Int64?
    /// The running steps on the terminal.
    private var lines = LiveLines()

    /// - Parameters:
    ///   - size: the size of the terminal to begin with.
    ///   - tailLength: how many lines of a running step's output are shown, at most.
    ///   - colours: whether colours may be used.
    init(size: TerminalSize, tailLength: Int, colours: Bool) {
        self.size = size
        self.tailLength = tailLength
        self.colours = colours
    }

    private enum Colour: String {
        case done = "\u{1b}[34m"
        case failed = "\u{1b}[31m"
        case warning = "\u{1b}[33m"
        case dim = "\u{1b}[2m"
    }

    /// What an event changes on the terminal.
    ///
    /// - Parameter now: milliseconds of a clock that never goes back.
    mutating func take(_ event: ProgressEvent, at now: Int64) -> String {
        if began == nil { began = now }
        var lasting = ""
        switch event {
        case .started(let step): running.append(Step(step: step, began: now))
        case .output(let number, _, let bytes): change(number) { $0.output.append(bytes) }
        case .note(let number, let text): change(number) { $0.notes.append(text) }
        case .cached(let number):
            if let step = remove(number) {
                lasting = line("CACHED \(step.step.title)", seconds: nil, .done) + "\n" + notes(of: step)
            }
        case .finished(let number, let seconds):
            if let step = remove(number) {
                lasting = line(step.step.title, seconds: seconds, .done) + "\n" + notes(of: step)
            }
        case .failed(let number, let error):
            if let step = remove(number) {
                let isCancelled = error.code == .cancelled
                let title = "\(isCancelled ? "CANCELED" : "ERROR") \(step.step.title)"
                lasting = line(title, seconds: Double(now - step.began) / 1000, .failed) + "\n" + notes(of: step)
                // Whoever stops a build has seen enough of it.
                if !isCancelled { lasting += log(of: step) }
            }
        case .warning(let text): lasting = painted(VisibleText.line(text), .warning) + "\n"
        case .image, .diagnostic: break
        }
        return erasure() + lasting + live(at: now)
    }

    /// The running steps drawn again.
    mutating func redrawn(at now: Int64) -> String { live(at: now) }

    /// Takes the running steps off the terminal.
    mutating func erasure() -> String { lines.erased() }

    private mutating func change(_ number: Int, _ body: (inout Step) -> Void) {
        guard let index = running.firstIndex(where: { $0.step.number == number }) else { return }
        body(&running[index])
    }

    private mutating func remove(_ number: Int) -> Step? {
        guard let index = running.firstIndex(where: { $0.step.number == number }) else { return nil }
        done += 1
        return running.remove(at: index)
    }

    private mutating func live(at now: Int64) -> String {
        guard !running.isEmpty else { return erasure() }
        let rows = Int(size.rows)
        var shown = [line("[+] Building (\(done) done)", seconds: Double(now - (began ?? now)) / 1000, mark: "")]
        // The head, a line for each step, and perhaps one for those that do not fit.
        let steps = running.prefix(max(1, rows - 3))
        let tail = min(tailLength, max(0, rows - 3 - steps.count) / steps.count)
        for step in steps {
            shown.append(line(step.step.title, seconds: Double(now - step.began) / 1000))
            shown += step.output.lines(tail).map { painted(" => => # \($0)".cut(to: width), .dim) }
        }
        if steps.count < running.count { shown.append(line("... and \(running.count - steps.count) more")) }
        return lines.drawn(Array(shown.suffix(max(1, rows))))
    }

    /// Columns of a line; the last of the terminal stays free, where there is another.
    private var width: Int { max(1, Int(size.columns) - 1) }

    private func notes(of step: Step) -> String { step.notes.map { line("=> \($0)") + "\n" }.joined() }

    /// What a failed step has printed, so that nobody has to build again to see it.
    private func log(of step: Step) -> String {
        let lines = step.output.lines(.max)
        if lines.isEmpty { return "" }
        return "------\n > \(VisibleText.line(step.step.title)):\n" + lines.map { $0 + "\n" }.joined() + "------\n"
    }

    /// A line with its time at the right edge.
    private func line(_ text: String, seconds: Double? = nil, _ colour: Colour? = nil, mark: String = " => ") -> String
    {
        let time = seconds.map { LiveProgress.decimal($0) + "s" } ?? ""
        let room = width - time.count - 1
        // A terminal that is too narrow for both shows what runs.
        if time.isEmpty || room < LiveProgress.leastRoom { return painted((mark + text).cut(to: width), colour) }
        let shown = (mark + text).cut(to: room)
        let padding = String(repeating: " ", count: room - DisplayWidth.of(shown) + 1)
        return painted(shown, colour) + padding + time
    }

    /// Columns that the text of a line has at least beside a time.
    private static let leastRoom = 10

    private func painted(_ text: String, _ colour: Colour?) -> String {
        guard colours, let colour else { return text }
        return colour.rawValue + text + "\u{1b}[0m"
    }

    /// Seconds with one decimal.
    private static func decimal(_ seconds: Double) -> String {
        let tenths = Int((max(0, seconds) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}

extension String {
    /// The text in at most so many columns, one line, the last an ellipsis where something was cut.
    fileprivate func cut(to length: Int) -> String {
        ShortText.ellipsis(VisibleText.line(self), length)
    }
}
