import ImageStore
public import Linux
public import OCI

/// How an attachment to a container has ended.
public enum AttachmentEnd: Hashable, Sendable {
    /// The container has ended with that exit code.
    case ended(Int32)
    /// The container runs on: the detach keys were typed, or nobody reads its output any more.
    case detached
}

extension ContainerEngine {
    /// Attaches to a container that another process tends: hands out what it prints from now on, and its input and the size of
    /// the terminal the other way, until it ends or the detach keys are typed. `conflict` when it does not run.
    ///
    /// A container that is tended in the foreground takes no input from elsewhere.
    ///
    /// - Parameter detachKeys: what ends the attachment when it is typed; used only with a terminal.
    public func attach(
        _ id: String, _ attachment: Attachment, detachKeys: DetachKeys = .standard
    ) throws(RuntimeError) -> AttachmentEnd {
        let container = try running(id, orElse: "You cannot attach to a stopped container, start it first")
        let settings = try settings(of: container)
        let connection = try connect(to: container, "attach to container \(container.name)")
        try attempting("attach to container \(container.name)") { () throws(Errno) in try connection.setNonBlocking() }
        report(container.events("attach"))
        let terminal = settings.terminal ? attachment.terminal : nil
        let all = try CaughtSignals(for: attachment)
        let signals = try all == nil ? CaughtSignals(windowOf: terminal) : all
        let raw = terminal.flatMap { RawTerminal($0) }
        defer { raw?.restore() }
        var session = AttachedSession(attachment, connection, keys: terminal == nil ? nil : detachKeys)
        if !settings.interactive { session.input = nil }
        session.say(ControlFrame(kind: .attach))
        session.sendSize(of: terminal)
        let end = try session.run(signals: signals?.number) { signal in
            if signal == Signals.windowChange { return true }
            _ = try? kill(container.id, signal: signal)
            return false
        }
        withExtendedLifetime(signals) {}
        try attachment.requireWritten()
        switch end {
        case .ended(let code?): return .ended(code)
        case .ended(nil): return .ended(try wait(container.id))
        case .detached:
            report(container.events("detach"))
            return .detached
        }
    }

    /// Gives the terminal of a container in the background a size; `conflict` when the container does not run.
    public func resize(_ id: String, to size: TerminalSize) throws(RuntimeError) {
        let container = try running(id, orElse: "the container is not running")
        let what = "resize the terminal of container \(container.name)"
        let connection = try connect(to: container, what)
        try attempting(what) { () throws(Errno) in try connection.writeAll(ControlFrame.resize(to: size).encoded) }
        report(container.events("resize", ["height": String(size.rows), "width": String(size.columns)]))
    }
}

extension ContainerEngine {
    /// The container, which must run: else `conflict` with the message.
    private func running(_ id: String, orElse message: String) throws(RuntimeError) -> ContainerRecord {
        let container = try container(matching: id)
        if container.state == .running { return container }
        throw RuntimeError(.conflict, message, remedy: "strata start \(container.name)")
    }

    /// A connection to who tends a container.
    private func connect(to container: ContainerRecord, _ what: String) throws(RuntimeError) -> FileDescriptor {
        do throws(Errno) {
            let home = try FileDescriptor.open(store.containerPaths(container.id).directory, [.directory])
            return try UnixSocket.connect(to: "/proc/self/fd/\(home.rawValue)/\(ControlServer.name)")
        } catch {
            // It may have ended since it was looked up.
            _ = try running(container.id, orElse: "cannot \(what): the container has ended")
            throw RuntimeError(what, error)
        }
    }
}

/// One attachment while it lasts.
private struct AttachedSession: ~Copyable {
    /// How it ends: with the container, whose exit code the connection may not have said, or before.
    enum End {
        case ended(Int32?)
        case detached
    }

    private let attachment: Attachment
    private let connection: FileDescriptor
    private var keys: DetachKeys?
    /// Where input comes from; nil at its end.
    var input: Int32?
    private var unsent: [UInt8] = []
    private var parser = ControlParser()

    init(_ attachment: Attachment, _ connection: consuming FileDescriptor, keys: DetachKeys?) {
        self.attachment = attachment
        self.connection = connection
        self.keys = keys
        input = attachment.input?.rawValue
    }

    mutating func say(_ frame: ControlFrame) { unsent += frame.encoded }

    mutating func sendSize(of terminal: BorrowedDescriptor?) {
        guard let terminal, let size = try? Terminal.size(of: terminal.rawValue) else { return }
        say(.resize(to: size))
    }

    /// Moves bytes until the end.
    ///
    /// - Parameter onSignal: takes a signal that came; returns whether the size of the terminal is to be sent.
    mutating func run(signals: Int32?, onSignal: (Int32) -> Bool) throws(RuntimeError) -> End {
        Supervision.ignoreBrokenPipes()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            var poll = Poll()
            let heard = poll.add(connection.rawValue, unsent.isEmpty ? .readable : [.readable, .writable])
            let typed = unsent.count < 1 << 16 ? input.map { poll.add($0, .readable) } : nil
            let signalled = signals.map { poll.add($0, .readable) }
            _ = try attempting("wait for the container") { () throws(Errno) in try poll.wait() }
            if let signals, let signalled, !poll.events(signalled).isEmpty {
                while let signal = SignalPipe.next(from: signals) {
                    if onSignal(signal) { sendSize(of: attachment.terminal) }
                }
            }
            if let typed, !poll.events(typed).isEmpty, try readInput(buffer) { return .detached }
            if poll.events(heard).contains(.writable) { send() }
            if !poll.events(heard).subtracting(.writable).isEmpty, let end = try receive(buffer) { return end }
        }
    }

    /// Whether the detach keys were typed.
    private mutating func readInput(_ buffer: UnsafeMutableRawBufferPointer) throws(RuntimeError) -> Bool {
        guard let number = input else { return false }
        let count: Int
        do throws(Errno) {
            count = try BorrowedDescriptor(number).read(into: buffer)
        } catch {
            if error != .EAGAIN { input = nil }
            return false
        }
        if count == 0 {
            input = nil
            return false
        }
        let passed = keys?.pass(buffer[..<count]) ?? (bytes: Array(buffer[..<count]), isDetached: false)
        if !passed.bytes.isEmpty { say(ControlFrame(kind: .input, content: passed.bytes)) }
        return passed.isDetached
    }

    private mutating func send() {
        let outcome = unsent.withUnsafeBytes { bytes in
            Result { () throws(Errno) in try connection.write(bytes) }
        }
        switch outcome {
        case .success(let count): unsent.removeFirst(count)
        // Reading shows what has become of the other side.
        case .failure(let error): if error != .EAGAIN { unsent = [] }
        }
    }

    /// The end, when it has come.
    private mutating func receive(_ buffer: UnsafeMutableRawBufferPointer) throws(RuntimeError) -> End? {
        let count: Int
        do throws(Errno) {
            count = try connection.read(into: buffer)
        } catch {
            return error == .EAGAIN ? nil : .ended(nil)
        }
        guard count > 0, let frames = parser.read(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else {
            return .ended(nil)
        }
        for frame in frames {
            switch frame.kind {
            case .output, .error:
                let stream: OutputStream = frame.kind == .output ? .standardOutput : .standardError
                let isRead = frame.content.withUnsafeBytes { attachment.onOutput(stream, $0) }
                if !isRead { return .detached }
            case .end: return .ended(frame.exitCode)
            case .attach, .input, .resize: break
            }
        }
        return nil
    }
}
