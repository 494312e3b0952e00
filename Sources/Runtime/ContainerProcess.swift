import Linux

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

    /// Starts the container whose bundle is ready.
    ///
    /// - Parameters:
    ///   - withInput: whether standard input is a pipe of ours; else it is `/dev/null`.
    static func start(
        _ driver: RuntimeDriver, id: String, bundle: String, lock: Int32, withInput: Bool
    ) throws(RuntimeError) -> ContainerProcess {
        let null = try attempting("open /dev/null") { () throws(Errno) in
            try FileDescriptor.open("/dev/null", .readWrite)
        }
        let output = try attempting("create a pipe") { () throws(Errno) in try FileDescriptor.pipe() }
        let error = try attempting("create a pipe") { () throws(Errno) in try FileDescriptor.pipe() }
        guard withInput else {
            let pid = try driver.start(
                .init(
                    id: id, bundle: bundle, consoleSocket: nil,
                    descriptors: [null.rawValue, output.write.rawValue, error.write.rawValue], lock: lock))
            return ContainerProcess(
                pid: pid, end: try watch(pid, of: driver, id), input: nil, output: output.keepRead(),
                error: error.keepRead(), isTerminal: false)
        }
        let input = try attempting("create a pipe") { () throws(Errno) in try FileDescriptor.pipe() }
        try attempting("prepare a pipe") { () throws(Errno) in try input.write.setNonBlocking() }
        let pid = try driver.start(
            .init(
                id: id, bundle: bundle, consoleSocket: nil,
                descriptors: [input.read.rawValue, output.write.rawValue, error.write.rawValue], lock: lock))
        return ContainerProcess(
            pid: pid, end: try watch(pid, of: driver, id), input: input.keepWrite(), output: output.keepRead(),
            error: error.keepRead(), isTerminal: false)
    }

    /// Starts the container whose bundle is ready and asks for a terminal, which the runtime makes and hands over.
    static func startWithTerminal(
        _ driver: RuntimeDriver, id: String, bundle: String, lock: Int32, size: TerminalSize?
    ) throws(RuntimeError) -> ContainerProcess {
        let null = try attempting("open /dev/null") { () throws(Errno) in
            try FileDescriptor.open("/dev/null", .readWrite)
        }
        // In the state directory, because paths of sockets are short and those of bundles are not.
        let socketPath = "\(driver.socketDirectory)/\(id.prefix(16)).sock"
        try driver.makeSocketDirectory()
        try? FileDescriptor.currentDirectory.unlink(socketPath)
        let listener = try attempting("listen at \(socketPath)") { () throws(Errno) in
            try UnixSocket.listen(at: socketPath)
        }
        defer { try? FileDescriptor.currentDirectory.unlink(socketPath) }
        var terminal: FileDescriptor?
        let start = RuntimeDriver.Start(
            id: id, bundle: bundle, consoleSocket: socketPath,
            descriptors: [null.rawValue, null.rawValue, null.rawValue], lock: lock)
        let pid = try driver.start(start) { (runtime: ChildProcess) throws(RuntimeError) in
            terminal = try receiveTerminal(on: listener, from: runtime)
        }
        guard let terminal = terminal.take() else {
            driver.delete(id)
            throw RuntimeError(.startFailed, "cannot start container \(id.prefix(12)): the runtime gave no terminal")
        }
        if let size { try? Terminal.setSize(of: terminal.rawValue, to: size) }
        try attempting("prepare the terminal") { () throws(Errno) in try terminal.setNonBlocking() }
        let input = try attempting("duplicate the terminal") { () throws(Errno) in try terminal.duplicate() }
        return ContainerProcess(
            pid: pid, end: try watch(pid, of: driver, id), input: input, output: terminal, error: nil,
            isTerminal: true)
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

    private static func watch(
        _ pid: Int32, of driver: RuntimeDriver, _ id: String
    ) throws(RuntimeError) -> FileDescriptor {
        do throws(Errno) {
            return try Supervision.descriptor(of: pid)
        } catch {
            driver.delete(id)
            Supervision.reap(pid)
            throw RuntimeError("watch container \(id.prefix(12))", error)
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
