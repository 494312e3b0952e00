import Linux

extension ContainerProcess {
    /// What else the pump looks after while it waits for the container's end.
    struct Pump {
        /// Takes what the container prints. False when nobody reads the stream any more: then it is closed, and what
        /// the container writes next fails as if it wrote to the reader itself.
        var onOutput: (OutputStream, UnsafeRawBufferPointer) -> Bool
        /// Where its input comes from; nil for none.
        var inputSource: Int32?
        /// Whether input without a source stays open, rather than being at its end.
        var holdsInput = false
        /// A descriptor that becomes readable when somebody outside wants something, and what to do then; returning
        /// false stops watching it.
        var attention: (descriptor: Int32, act: () -> Bool)?
        /// Stops the container when it fires.
        var cancellation: Cancellation?
    }

    /// How long to wait for the last output once the process has ended, in milliseconds. The kernel ends every process
    /// of the container with the first one, so the pipes close by themselves; this is for a runtime that kept one.
    private static let drainTime: Int64 = 2_000

    /// Moves bytes until the container has ended and all it printed was taken, and returns how it ended.
    func pump(_ pump: Pump) throws(RuntimeError) -> Termination {
        Supervision.ignoreBrokenPipes()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        var attention = pump.attention
        var cancellation = pump.cancellation
        var source = input == nil ? nil : pump.inputSource
        var unsent: [UInt8] = []
        var deadline: Int64?

        while deadline == nil || output != nil || error != nil {
            var poll = Poll()
            let ended = deadline == nil ? poll.add(end.rawValue, .readable) : nil
            let out = (output?.rawValue).map { poll.add($0, .readable) }
            let err = (error?.rawValue).map { poll.add($0, .readable) }
            let from = unsent.isEmpty ? source.map { poll.add($0, .readable) } : nil
            let into = unsent.isEmpty ? nil : (input?.rawValue).map { poll.add($0, .writable) }
            let called = attention.map { poll.add($0.descriptor, .readable) }
            let cancelled = (cancellation?.descriptors ?? []).map { poll.add($0, .readable) }

            let rest = deadline.map { Int32(clamping: max($0 - MonotonicClock.milliseconds, 0)) }
            let happened = try attempting("wait for the container") { () throws(Errno) in
                try poll.wait(milliseconds: rest)
            }
            if !happened, let deadline, MonotonicClock.milliseconds >= deadline { break }

            if let out, !poll.events(out).isEmpty { take(&output, .standardOutput, buffer, pump.onOutput) }
            if let err, !poll.events(err).isEmpty { take(&error, .standardError, buffer, pump.onOutput) }
            if let from, let number = source, !poll.events(from).isEmpty {
                if !receive(from: number, into: &unsent, buffer) { source = nil }
            }
            if let into, !poll.events(into).isEmpty { send(&unsent) }
            if source == nil, unsent.isEmpty, !isTerminal, !pump.holdsInput { input = nil }
            if let called, !poll.events(called).isEmpty, attention?.act() == false { attention = nil }
            if cancelled.contains(where: { !poll.events($0).isEmpty }) {
                cancellation = nil
                signal(Signals.kill)
            }
            if let ended, !poll.events(ended).isEmpty {
                deadline = MonotonicClock.milliseconds + Self.drainTime
                source = nil
                unsent = []
            }
        }
        return try attempting("wait for the container") { () throws(Errno) in try Supervision.wait(for: pid) }
    }

    /// Reads once and hands it on; closes at the end of the data. EIO is how a terminal says that nobody has it open.
    private func take(
        _ descriptor: inout FileDescriptor?, _ stream: OutputStream, _ buffer: UnsafeMutableRawBufferPointer,
        _ handler: (OutputStream, UnsafeRawBufferPointer) -> Bool
    ) {
        guard let number = descriptor?.rawValue else { return }
        var count = 0
        do throws(Errno) {
            count = try Self.read(number, buffer)
        } catch {
            if error == .EAGAIN { return }
        }
        if count == 0 || !handler(stream, UnsafeRawBufferPointer(rebasing: buffer[..<count])) {
            descriptor = nil
            // A terminal hangs up only when both our ends of it are closed.
            if isTerminal { input = nil }
        }
    }

    /// Reads what is to go in; false at its end.
    private func receive(
        from source: Int32, into unsent: inout [UInt8], _ buffer: UnsafeMutableRawBufferPointer
    ) -> Bool {
        do throws(Errno) {
            let count = try Self.read(source, buffer)
            if count == 0 { return false }
            unsent.append(contentsOf: buffer[..<count])
            send(&unsent)
            return true
        } catch {
            return error == .EAGAIN
        }
    }

    /// Writes what fits; drops the rest when nobody reads any more.
    private func send(_ unsent: inout [UInt8]) {
        guard let number = input?.rawValue else {
            unsent = []
            return
        }
        do throws(Errno) {
            let count = try Self.write(number, unsent)
            unsent.removeFirst(count)
        } catch {
            if error == .EAGAIN { return }
            unsent = []
            if !isTerminal { input = nil }
        }
    }

    private static func read(_ number: Int32, _ buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        try BorrowedDescriptor(number).read(into: buffer)
    }

    private static func write(_ number: Int32, _ bytes: [UInt8]) throws(Errno) -> Int {
        var outcome: Result<Int, Errno> = .success(0)
        bytes.withUnsafeBytes { pointer in
            outcome = Result { () throws(Errno) in try BorrowedDescriptor(number).write(pointer) }
        }
        return try outcome.get()
    }
}
