import Linux
import OCI

/// The first process of a running container, with our ends of its pipes or of its terminal.
final class ContainerProcess {
    /// Its id, as the host numbers it. It is our child by adoption.
    let pid: Int32
    /// Readable when it has ended.
    let end: FileDescriptor
    /// Our end of standard input; nil where that is `/dev/null`, or closed by now. With a terminal, the terminal.
    var input: FileDescriptor?
    /// What it prints: standard output and error, or the terminal. Nil once at its end.
    var output: FileDescriptor?
    var error: FileDescriptor?
    /// Whether `input` and `output` are a terminal's.
    let isTerminal: Bool

    private init(
        pid: Int32, end: consuming FileDescriptor, input: consuming FileDescriptor?,
        output: consuming FileDescriptor?, error: consuming FileDescriptor?, isTerminal: Bool
    ) {
        self.pid = pid
        self.end = end
        self.input = input
        self.output = output
        self.error = error
        self.isTerminal = isTerminal
    }

    /// Starts what `start` describes, with pipes.
    ///
    /// - Parameter withInput: whether standard input is a pipe of ours; else it is `/dev/null`.
    static func start(
        _ driver: RuntimeDriver, _ start: RuntimeDriver.Start, withInput: Bool
    ) throws(RuntimeError) -> ContainerProcess {
        var start = start
        let output = try attempting("create a pipe") { () throws(Errno) in try FileDescriptor.pipe() }
        let error = try attempting("create a pipe") { () throws(Errno) in try FileDescriptor.pipe() }
        guard withInput else {
            let null = try openNull()
            start.descriptors = [null.rawValue, output.write.rawValue, error.write.rawValue]
            let pid = try driver.start(start)
            return ContainerProcess(
                pid: pid, end: try watch(pid, start.id), input: nil, output: output.keepRead(),
                error: error.keepRead(), isTerminal: false)
        }
        let input = try attempting("create a pipe") { () throws(Errno) in try FileDescriptor.pipe() }
        try attempting("prepare a pipe") { () throws(Errno) in try input.write.setNonBlocking() }
        start.descriptors = [input.read.rawValue, output.write.rawValue, error.write.rawValue]
        let pid = try driver.start(start)
        return ContainerProcess(
            pid: pid, end: try watch(pid, start.id), input: input.keepWrite(), output: output.keepRead(),
            error: error.keepRead(), isTerminal: false)
    }

    /// Starts what `start` describes, with a terminal, which the runtime makes and hands over.
    ///
    /// - Parameter size: the terminal's first size.
    static func startWithTerminal(
        _ driver: RuntimeDriver, _ start: RuntimeDriver.Start, size: TerminalSize?
    ) throws(RuntimeError) -> ContainerProcess {
        var start = start
        let null = try openNull()
        start.descriptors = [null.rawValue, null.rawValue, null.rawValue]
        // In the state directory, because paths of sockets are short and those of bundles are not.
        let name = RandomName.hex(digits: 16)
        let socketPath = "\(driver.socketDirectory)/\(name).sock"
        let claim = try driver.claimDirectories()
        let listener = try attempting("listen at \(socketPath)") { () throws(Errno) in
            try UnixSocket.listen(at: socketPath)
        }
        defer { try? FileDescriptor.currentDirectory.unlink(socketPath) }
        start.consoleSocket = socketPath
        var terminal: FileDescriptor?
        let pid = try driver.start(start) { (runtime: ChildProcess) throws(RuntimeError) in
            terminal = try receiveTerminal(on: listener, from: runtime)
        }
        withExtendedLifetime(claim.rawValue) {}
        guard let terminal = terminal.take() else {
            throw RuntimeError(
                .startFailed, "cannot start container \(start.id.prefix(12)): the runtime gave no terminal")
        }
        if let size { try? Terminal.setSize(of: terminal.rawValue, to: size) }
        try attempting("prepare the terminal") { () throws(Errno) in try terminal.setNonBlocking() }
        let input = try attempting("duplicate the terminal") { () throws(Errno) in try terminal.duplicate() }
        return ContainerProcess(
            pid: pid, end: try watch(pid, start.id), input: input, output: terminal, error: nil, isTerminal: true)
    }

    private static func openNull() throws(RuntimeError) -> FileDescriptor {
        try attempting("open /dev/null") { () throws(Errno) in try FileDescriptor.nullDevice() }
    }

    private static func receiveTerminal(
        on listener: borrowing FileDescriptor, from runtime: ChildProcess
    ) throws(RuntimeError) -> FileDescriptor? {
        let end = try attempting("watch the runtime") { () throws(Errno) in
            try Supervision.descriptor(of: runtime.pid)
        }
        var poll = Poll()
        let connection = poll.add(listener.rawValue, .readable)
        _ = poll.add(end.rawValue, .readable)
        while true {
            let happened = try attempting("wait for the terminal") { () throws(Errno) in try poll.wait() }
            if poll.events(connection).contains(.readable) {
                return try attempting("receive the terminal") { () throws(Errno) in
                    try UnixSocket.receiveDescriptor(from: try UnixSocket.accept(on: listener))
                }
            }
            // The runtime has ended without connecting; its log says why.
            if happened { return nil }
        }
    }

    private static func watch(_ pid: Int32, _ id: String) throws(RuntimeError) -> FileDescriptor {
        try attempting("watch container \(id.prefix(12))") { () throws(Errno) in
            try Supervision.descriptor(of: pid)
        }
    }

    /// Sends a signal to the process; one that has ended is no error.
    func signal(_ signal: Int32) {
        try? Supervision.signal(signal, to: end)
    }

    /// Gives the terminal a size.
    func resize(to size: TerminalSize) {
        guard isTerminal, let number = output?.rawValue else { return }
        try? Terminal.setSize(of: number, to: size)
    }
}

/// Which of its two outputs a process wrote to. With a terminal there is only the first.
public enum OutputStream: String, Hashable, Codable, Sendable {
    case standardOutput = "stdout"
    case standardError = "stderr"
}

/// Takes what a process printed: the stream, and bytes that are valid during the call.
public typealias OutputHandler = (OutputStream, UnsafeRawBufferPointer) -> Void
