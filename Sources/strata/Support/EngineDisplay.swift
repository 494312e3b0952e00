import Distribution
import Engine
import OCI
import Rendering
import Synchronization

/// Shows what the engine says of pulls, pushes and downloads, in Docker's words.
final class EngineDisplay: Sendable {
    private let output: TransferDisplay.Output
    private let namesResult: Bool
    private let transfer: Mutex<TransferDisplay>

    /// - Parameters:
    ///   - output: where progress is shown.
    ///   - namesResult: whether the full name of what was pulled or pushed goes to standard output.
    init(_ output: TransferDisplay.Output, namesResult: Bool = false) {
        self.output = output
        self.namesResult = namesResult
        transfer = Mutex(TransferDisplay(output))
    }

    /// Shows an event.
    func show(_ progress: Engine.Progress) {
        let display = transfer.withLock { $0 }
        switch progress {
        case .missing(let reference):
            if output != .quiet { display.remark("Unable to find image '\(reference.familiar)' locally") }
        case .usesTag(let tag): display.print("Using default tag: \(tag)")
        case .downloading(let address): display.print("Downloading from \(address)")
        case .downloaded(let bytes, let total):
            display.show(.layer(id: "Archive", .downloading(done: bytes, total: total)))
        case .transfer(let event): display.show(event)
        case .pulled(let pulled, let reference):
            display.print("Digest: \(pulled.digest)")
            display.print(
                "Status: " + (pulled.wasUpToDate ? "Image is up to date" : "Downloaded newer image")
                    + " for \(reference.familiar)")
            finish(reference)
        case .pushed(let pushed, let reference):
            display.print("\(reference.tag ?? Reference.defaultTag): digest: \(pushed.digest) size: \(pushed.size)")
            finish(reference)
        case .build: break
        case .warning(let text): display.remark("WARNING: \(text)")
        }
    }

    /// Names what was transferred; the next transfer begins with an empty display.
    private func finish(_ reference: Reference) {
        if namesResult { try? Console.print(reference.description) }
        transfer.withLock { display in
            display.end()
            display = TransferDisplay(output)
        }
    }

    /// Nothing more will happen; what was shown stays.
    func end() { transfer.withLock { $0.end() } }
}
