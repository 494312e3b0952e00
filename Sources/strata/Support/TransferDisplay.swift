import Distribution
import Glibc
import Linux
import OCI
import Rendering
import Synchronization

/// Shows a pull or a push: on a terminal a bar per layer, redrawn several times a second, elsewhere Docker's lines.
final class TransferDisplay: Sendable {
    /// Where it is shown.
    enum Output: Sendable {
        case standardOutput, standardError
        /// Nothing but remarks, on standard error.
        case quiet
    }

    private let output: Output
    private let descriptor: Int32
    private let isLive: Bool
    private let state: Mutex<TransferLines>

    /// A display that shows nothing yet.
    init(_ output: Output) {
        self.output = output
        let descriptor: Int32 = output == .standardOutput ? 1 : 2
        isLive = output != .quiet && BorrowedDescriptor(descriptor).isTerminal && Environment.nonEmpty("TERM") != "dumb"
        self.descriptor = descriptor
        state = Mutex(TransferLines(isLive: isLive))
    }

    /// Shows what happened.
    func show(_ event: TransferEvent) {
        if case .remark(let text) = event, output == .quiet { return remark("WARNING: \(text)") }
        if output == .quiet { return }
        state.withLock { state in
            if isLive { state.size = Terminal.drawingSize(of: descriptor) }
            write(state.take(event, at: MonotonicClock.milliseconds))
        }
    }

    /// Writes a line to standard error, above what moves.
    func remark(_ line: String) {
        state.withLock { state in
            write(state.erased())
            Console.remark(line: line)
            write(state.redrawn(at: MonotonicClock.milliseconds))
        }
    }

    /// Writes a line below what was shown.
    func print(_ line: String) {
        if output == .quiet { return }
        state.withLock { write($0.end() + VisibleText.line(line) + "\n") }
    }

    /// Nothing more will happen; what was shown stays.
    func end() {
        if output != .quiet { state.withLock { write($0.end()) } }
    }

    private func write(_ text: String) {
        if text.isEmpty { return }
        if output == .standardOutput { try? Console.write(verbatim: text) } else { Console.remark(verbatim: text) }
    }
}

/// Turns the events of a transfer into text with control sequences of its own; those of the registry are made visible.
struct TransferLines {
    private struct Layer {
        var id: String
        var text: String
    }

    /// The size of the terminal, which may change between two events.
    var size = TerminalSize(rows: 24, columns: 80)
    private let isLive: Bool
    private var isPush = false
    /// What still moves, in the order of the image.
    private var active: [Layer] = []
    private var live = LiveLines()
    private var lastDrawn: Int64 = 0
    private var said: Set<String> = []

    init(isLive: Bool) { self.isLive = isLive }

    /// The text that an event adds.
    mutating func take(_ event: TransferEvent, at now: Int64) -> String {
        switch event {
        case .pulling(let reference):
            let what = reference.digest.map { "\(reference.name)@\($0)" } ?? reference.tag ?? Reference.defaultTag
            return "\(what): Pulling from \(reference.path)\n"
        case .pushing(let reference):
            isPush = true
            return "The push refers to repository [\(reference.name)]\n"
        case .remark(let text): return live.erased() + "WARNING: \(VisibleText.line(text))\n" + redrawn(at: now)
        case .layer(let id, let state):
            return isLive ? takeLive(id, state, at: now) : takePlain(id, state)
        }
    }

    /// Leaves what moves as it is.
    mutating func end() -> String {
        active = []
        return live.left()
    }

    // MARK: Lines

    private mutating func takePlain(_ id: String, _ state: TransferEvent.LayerState) -> String {
        let text: String
        switch state {
        case .downloading, .pushing: return ""
        case .waiting: return ""
        case .retrying(let reason): return "\(id): Retrying: \(VisibleText.line(reason))\n"
        case .extracting: text = "Download complete"
        default: text = settled(state) ?? ""
        }
        let line = "\(id): \(text)\n"
        return said.insert(line).inserted ? line : ""
    }

    /// What is said of a layer once nothing moves any more; nil as long as something does.
    private func settled(_ state: TransferEvent.LayerState) -> String? {
        switch state {
        case .exists: isPush ? "Layer already exists" : "Already exists"
        case .pulled: "Pull complete"
        case .mounted(let origin): "Mounted from \(VisibleText.line(origin))"
        case .pushed: "Pushed"
        default: nil
        }
    }

    // MARK: Bars

    private mutating func takeLive(_ id: String, _ state: TransferEvent.LayerState, at now: Int64) -> String {
        if let text = settled(state) {
            let before = live.erased()
            active.removeAll { $0.id == id }
            return before + "\(id): \(text)\n" + redrawn(at: now)
        }
        let text = moving(state)
        let isNew = !active.contains { $0.id == id }
        if isNew { active.append(Layer(id: id, text: text)) }
        for index in active.indices where active[index].id == id { active[index].text = text }
        if !isNew, now - lastDrawn < 80 { return "" }
        return redrawn(at: now)
    }

    private func moving(_ state: TransferEvent.LayerState) -> String {
        switch state {
        case .waiting: return "Waiting"
        case .downloading(let done, let total): return "Downloading  " + bar(done, total)
        case .extracting: return "Extracting"
        case .pushing(let done, let total): return "Pushing  " + bar(done, total)
        case .retrying(let reason): return "Retrying: \(VisibleText.line(reason))"
        default: return ""
        }
    }

    private func bar(_ done: Int64, _ total: Int64) -> String {
        if total <= 0 { return HumanUnits.size(done) }
        let sizes = "\(HumanUnits.size(done))/\(HumanUnits.size(total))"
        let width = min(50, Int(size.columns) - 56)
        if width < 10 { return sizes }
        let filled = Int(min(max(Double(done) / Double(total), 0), 1) * Double(width))
        let bar = filled == 0 ? "" : String(repeating: "=", count: filled - 1) + ">"
        let space = String(repeating: " ", count: width - filled)
        return "[\(bar)\(space)]  \(sizes)"
    }

    /// Takes what moves off the terminal, until it is drawn again.
    mutating func erased() -> String { live.erased() }

    /// What moves drawn anew.
    mutating func redrawn(at now: Int64) -> String {
        guard isLive else { return "" }
        lastDrawn = now
        let shown = active.prefix(max(1, Int(size.rows) - 2))
        return live.drawn(shown.map { ShortText.ellipsis("\($0.id): \($0.text)", max(1, Int(size.columns) - 1)) })
    }
}
