import Linux

extension ContainerProcess {
    /// Stays with the process until it ends, between it and whoever is attached; returns its exit code.
    ///
    /// - Parameters:
    ///   - attachment: nil for nobody.
    ///   - withInput: whether the process was given an input.
    ///   - signals: the number of a `SignalPipe` whose signals go to the process; changes of the window go to its
    ///     terminal instead.
    ///   - cancellation: kills the process when it fires.
    ///   - onOutput: takes what it prints; false when nobody reads the stream any more.
    func attend(
        _ attachment: Attachment?, withInput: Bool, signals: Int32?, cancellation: Cancellation? = nil,
        onOutput: @escaping (OutputStream, UnsafeRawBufferPointer) -> Bool
    ) throws(RuntimeError) -> Int32 {
        var pump = Pump(onOutput: onOutput)
        pump.cancellation = cancellation
        guard let attachment else {
            // Docker too keeps the input of a detached interactive container open, for somebody to attach to.
            pump.holdsInput = withInput
            return try self.pump(pump).shellStatus
        }
        if withInput { pump.inputSource = attachment.input?.rawValue }
        let terminal = attachment.terminal
        let raw = isTerminal ? terminal.flatMap { RawTerminal($0) } : nil
        defer { raw?.restore() }
        if let signals {
            pump.attention = (signals, { [self] in passOn(from: signals, terminal) })
        }
        return try self.pump(pump).shellStatus
    }

    private func passOn(from signals: Int32, _ terminal: BorrowedDescriptor?) -> Bool {
        while let signal = SignalPipe.next(from: signals) {
            if signal != Signals.windowChange {
                self.signal(signal)
            } else if let terminal, let size = try? Terminal.size(of: terminal.rawValue) {
                resize(to: size)
            }
        }
        return true
    }
}

/// A terminal in raw mode.
final class RawTerminal {
    private let terminal: BorrowedDescriptor
    private let former: TerminalSettings

    init?(_ terminal: BorrowedDescriptor) {
        guard let former = try? TerminalSettings(of: terminal.rawValue) else { return nil }
        self.terminal = terminal
        self.former = former
        guard (try? former.applyRaw(to: terminal.rawValue)) != nil else { return nil }
    }

    /// Puts the settings back that the terminal had.
    func restore() { try? former.apply(to: terminal.rawValue) }
}

/// The signals that go to a container's process instead of ours, as long as the value lives.
final class CaughtSignals {
    private let pipe: SignalPipe

    /// Nil where the attachment passes none on.
    init?(for attachment: Attachment?) throws(RuntimeError) {
        guard let attachment, attachment.forwardsSignals else { return nil }
        pipe = try attempting("catch signals") { () throws(Errno) in
            try SignalPipe([
                Signals.hangUp, Signals.interrupt, Signals.quit, Signals.terminate, Signals.windowChange,
                Signals.user1, Signals.user2,
            ])
        }
    }

    /// Only changes of the window's size; nil without a terminal.
    init?(windowOf terminal: BorrowedDescriptor?) throws(RuntimeError) {
        guard terminal != nil else { return nil }
        pipe = try attempting("watch the window") { () throws(Errno) in try SignalPipe([Signals.windowChange]) }
    }

    /// The pipe's number; see `SignalPipe.next(from:)`.
    var number: Int32 { pipe.rawValue }
}
