import ImageStore
import Linux
import Synchronization

/// Lets other processes attach to a container that this one tends; see `ControlFrame`.
///
/// A thread of its own serves them. Who attaches and does not read is dropped when more than `capacity` bytes wait for him:
/// the container never waits.
final class ControlServer: Sendable {
    /// The socket's name in the container's directory.
    static let name = "control"
    /// How many bytes may wait for one that is attached.
    static let capacity = 8 << 20
    /// How long those who are attached have to read the rest when the container has ended, in milliseconds.
    private static let patience: Int64 = 2000

    private let home: FileDescriptor
    private let hub: ControlHub
    private let thread: PrivateThread.Companion

    /// Starts to listen. What an earlier process left under the name is replaced.
    ///
    /// - Parameters:
    ///   - input: the container's standard input or its terminal; nil where nobody else may write to it.
    ///   - isTerminal: whether it is a terminal.
    init(_ paths: ContainerPaths, input: consuming FileDescriptor?, isTerminal: Bool) throws(Errno) {
        let home = try FileDescriptor.open(paths.directory, [.directory])
        try? home.unlink(Self.name)
        // The full path may be longer than an address can be.
        let listener = try UnixSocket.listen(at: "/proc/self/fd/\(home.rawValue)/\(Self.name)")
        try home.setMode(of: Self.name, 0o600)
        let pipe = try FileDescriptor.pipe()
        try pipe.read.setNonBlocking()
        try pipe.write.setNonBlocking()
        let (read, write) = pipe.release()
        let hub = ControlHub(
            listener: listener, wakeUp: FileDescriptor(owning: read), wake: FileDescriptor(owning: write), input: input,
            isTerminal: isTerminal)
        guard let thread = PrivateThread.startIfPossible({ hub.serve() }) else { throw .EAGAIN }
        self.home = home
        self.hub = hub
        self.thread = thread
    }

    /// Hands on what the container printed.
    func publish(_ stream: OutputStream, _ bytes: UnsafeRawBufferPointer) {
        hub.publish(ControlFrame(kind: stream == .standardOutput ? .output : .error, content: Array(bytes)))
    }

    /// Reports how the container has ended, and ends.
    func end(exitCode: Int32) {
        hub.publish(.end(exitCode: exitCode))
        hub.end(within: Self.patience)
        thread.join()
        try? home.unlink(Self.name)
    }
}

/// What the thread that serves and the one that publishes have in common.
private final class ControlHub: Sendable {
    /// Somebody who is connected. Guarded by the hub's lock, but for the descriptor.
    private final class Client: @unchecked Sendable {
        let connection: FileDescriptor
        var parser = ControlParser()
        var isAttached = false
        var outgoing: [UInt8] = []
        var isDropped = false

        init(_ connection: consuming FileDescriptor) { self.connection = connection }
    }

    private struct State {
        var clients: [Client] = []
        /// Until when the rest is sent; nil as long as the container runs.
        var deadline: Int64?
        /// Input that the container has not taken yet.
        var input: [UInt8] = []
    }

    private let listener: FileDescriptor
    private let wakeUp: FileDescriptor
    private let wake: FileDescriptor
    /// Keeps the input open.
    private let input: FileDescriptor?
    private let inputNumber: BorrowedDescriptor?
    private let isTerminal: Bool
    private let state = Mutex(State())

    init(
        listener: consuming FileDescriptor, wakeUp: consuming FileDescriptor, wake: consuming FileDescriptor,
        input: consuming FileDescriptor?, isTerminal: Bool
    ) {
        self.listener = listener
        self.wakeUp = wakeUp
        self.wake = wake
        let number = input?.rawValue
        inputNumber = number.map { BorrowedDescriptor($0) }
        self.input = input
        self.isTerminal = isTerminal
    }

    // MARK: The publishing thread

    func publish(_ frame: ControlFrame) {
        let isHeard = state.withLock { state in
            let attached = state.clients.filter(\.isAttached)
            if attached.isEmpty { return false }
            let bytes = frame.encoded
            for client in attached {
                client.outgoing += bytes
                if client.outgoing.count > ControlServer.capacity { client.isDropped = true }
            }
            return true
        }
        if isHeard { try? wake.writeAll([0]) }
    }

    func end(within milliseconds: Int64) {
        state.withLock { $0.deadline = MonotonicClock.milliseconds + milliseconds }
        try? wake.writeAll([0])
    }

    // MARK: The serving thread

    func serve() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer {
            buffer.deallocate()
            // Their connections end with them.
            state.withLock { $0.clients = [] }
        }
        while true {
            let (clients, deadline, hasInput) = state.withLock { state in
                state.clients.removeAll { $0.isDropped }
                return (state.clients, state.deadline, !state.input.isEmpty)
            }
            let rest = deadline.map { $0 - MonotonicClock.milliseconds }
            if let rest, rest <= 0 || clients.allSatisfy({ client in state.withLock { _ in client.outgoing.isEmpty } })
            {
                return
            }
            var poll = Poll()
            let woken = poll.add(wakeUp.rawValue, .readable)
            let called = deadline == nil ? poll.add(listener.rawValue, .readable) : nil
            let taking = hasInput ? inputNumber.map { poll.add($0.rawValue, .writable) } : nil
            let heard = clients.map { client in
                let isWaitedFor = state.withLock { _ in !client.outgoing.isEmpty }
                // What cannot be handed on is not read.
                let events: Poll.Events = hasInput ? [] : .readable
                return poll.add(client.connection.rawValue, isWaitedFor ? events.union(.writable) : events)
            }
            guard (try? poll.wait(milliseconds: rest.map { Int32(clamping: $0) })) != nil else { return }
            if !poll.events(woken).isEmpty { _ = try? wakeUp.read(into: buffer) }
            if let called, !poll.events(called).isEmpty { accept() }
            if let taking, !poll.events(taking).isEmpty { passInput([]) }
            for (client, index) in zip(clients, heard) {
                let events = poll.events(index)
                if events.contains(.writable) { send(to: client) }
                if !events.subtracting(.writable).isEmpty { receive(from: client, buffer) }
            }
        }
    }

    private func accept() {
        guard let connection = try? UnixSocket.accept(on: listener), (try? connection.setNonBlocking()) != nil else {
            return
        }
        let client = Client(connection)
        state.withLock { $0.clients.append(client) }
    }

    private func send(to client: Client) {
        state.withLock { _ in
            let outcome = client.outgoing.withUnsafeBytes { bytes in
                Result { () throws(Errno) in try client.connection.write(bytes) }
            }
            switch outcome {
            case .success(let count): client.outgoing.removeFirst(count)
            case .failure(let error): client.isDropped = error != .EAGAIN
            }
        }
    }

    private func receive(from client: Client, _ buffer: UnsafeMutableRawBufferPointer) {
        do throws(Errno) {
            let count = try client.connection.read(into: buffer)
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            guard count > 0, let frames = client.parser.read(piece) else {
                return state.withLock { _ in client.isDropped = true }
            }
            for frame in frames { act(on: frame, of: client) }
        } catch {
            if error != .EAGAIN { state.withLock { _ in client.isDropped = true } }
        }
    }

    private func act(on frame: ControlFrame, of client: Client) {
        switch frame.kind {
        case .attach: state.withLock { _ in client.isAttached = true }
        case .input: passInput(frame.content)
        case .resize:
            guard isTerminal, let inputNumber, let size = frame.size else { return }
            try? Terminal.setSize(of: inputNumber.rawValue, to: size)
        case .output, .error, .end: break
        }
    }

    /// Hands input to the container, as much as it takes.
    private func passInput(_ bytes: [UInt8]) {
        guard let input = inputNumber else { return }
        state.withLock { state in
            state.input += bytes
            let outcome = state.input.withUnsafeBytes { bytes in
                Result { () throws(Errno) in try input.write(bytes) }
            }
            switch outcome {
            case .success(let count): state.input.removeFirst(count)
            case .failure(let error): if error != .EAGAIN { state.input = [] }
            }
        }
    }
}
