import ImageStore
public import Linux
public import OCI

/// What a caller that stays with a container gives it.
public struct Attachment {
    /// Takes what the container prints, on the calling thread; false when nobody reads that stream any more.
    let onOutput: (OutputStream, UnsafeRawBufferPointer) -> Bool
    /// Where its input comes from; nil for none. Used only for a container made interactive.
    public var input: BorrowedDescriptor?
    /// The terminal to set to raw mode and to take the size from, for a container with a terminal.
    public var terminal: BorrowedDescriptor?
    /// Whether signals to this process go to the container's instead.
    public var forwardsSignals: Bool
    /// Keeps why the output could not be written.
    private let losses: Losses?

    /// Why output was lost. One thread at a time has it: the one that takes the output.
    private final class Losses {
        var first: RuntimeError?
    }

    /// Puts an attachment together.
    ///
    /// - Parameter onOutput: takes what the container prints, on the thread that called `start`.
    public init(
        input: BorrowedDescriptor? = nil, terminal: BorrowedDescriptor? = nil, forwardsSignals: Bool = false,
        onOutput: @escaping OutputHandler
    ) {
        self.init(input: input, terminal: terminal, forwardsSignals: forwardsSignals) { stream, bytes in
            onOutput(stream, bytes)
            return true
        }
    }

    init(
        input: BorrowedDescriptor?, terminal: BorrowedDescriptor?, forwardsSignals: Bool,
        whileRead onOutput: @escaping (OutputStream, UnsafeRawBufferPointer) -> Bool
    ) {
        self.input = input
        self.terminal = terminal
        self.forwardsSignals = forwardsSignals
        self.onOutput = onOutput
        losses = nil
    }

    /// What is printed goes to this process's own streams.
    private init(input: BorrowedDescriptor, losses: Losses) {
        self.input = input
        terminal = input.isTerminal ? input : nil
        forwardsSignals = true
        self.losses = losses
        onOutput = { stream, bytes in
            let isOutput = stream == .standardOutput
            let target: BorrowedDescriptor = isOutput ? .standardOutput : .standardError
            do throws(Errno) {
                try target.writeAll(bytes)
                return true
            } catch {
                // `… | head -1`: the container is to notice, as it would without us in between. So it is with a full disk,
                // which is an error of ours as well.
                if error != .EPIPE, losses.first == nil {
                    losses.first = RuntimeError("write to standard \(isOutput ? "output" : "error")", error)
                }
                return false
            }
        }
    }

    /// This process's own standard streams and terminal, with signals passed on.
    public static func ownStreams() -> Attachment {
        Attachment(input: .standardInput, losses: Losses())
    }

    /// Throws `system` where something that the container printed could not be written.
    func requireWritten() throws(RuntimeError) {
        if let loss = losses?.first { throw loss }
    }
}

extension ContainerEngine {
    /// Starts a container, stays with it until it ends, and returns its exit code: the process's own, or 128 plus the
    /// signal that ended it. A container with `autoRemove` is gone afterwards.
    ///
    /// - Throws: an error whose `exitCode` is what `docker run` would return, when it could not start.
    public func start(_ id: String, attachment: Attachment) throws(RuntimeError) -> Int32 {
        let container = try container(matching: id)
        let run = try ContainerRun(context, container)
        report(container.events("attach"))
        return try run.carryOut(attachment: attachment, onStarted: { _ in })
    }

    /// Starts a container that a process of its own tends, and returns when it runs.
    ///
    /// - Throws: the reason when it could not start.
    public func startDetached(_ id: String) throws(RuntimeError) {
        let container = try container(matching: id)
        guard let program = supervisorProgram ?? Executables.current() else {
            throw RuntimeError(.helperMissing, "cannot find the path of the running program")
        }
        let null = try attempting("open /dev/null") { () throws(Errno) in
            try FileDescriptor.nullDevice()
        }
        let report = try attempting("create a pipe") { () throws(Errno) in try FileDescriptor.pipe() }
        let arguments = [program, Supervisor.command] + context.supervisorArguments + [container.id]
        let child: ChildProcess
        do throws(Errno) {
            child = try ChildProcess.spawn(
                program, arguments: arguments, directory: "/",
                descriptors: [null.rawValue, null.rawValue, null.rawValue, report.write.rawValue], newSession: true)
        } catch {
            throw RuntimeError("run \(program)", error)
        }
        // It is nobody's to wait for but ours, however long we live.
        PrivateThread.detach { _ = try? child.wait() }
        let answer = report.keepRead()
        let bytes = try attempting("hear from the supervisor") { () throws(Errno) in
            try answer.readAll(limit: 1 << 20)
        }
        if let error = Supervisor.error(in: bytes, container: container) { throw error }
    }
}
