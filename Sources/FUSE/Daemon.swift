internal import Glibc
public import Linux

/// Puts a server into the background and tells its starter when it is ready, or why it is not.
public enum Daemon {
    /// Forks. Returns in the child only: call it before any thread exists. The parent waits until the child calls
    /// `ready` (exit status 0) or `fail` (prints the reason, exit status 1), or ends without a word (exit status 1).
    ///
    /// - Parameter name: what the lines that the parent prints start with.
    public static func detach(name: String) throws(Errno) -> Readiness {
        let pipe = try FileDescriptor.pipe()
        let child = fork()
        if child < 0 { throw .current }
        if child > 0 {
            let source = pipe.keepRead()
            waitForChild(child, source, name)
        }
        _ = setsid()
        return Readiness(reporting: pipe.keepWrite(), name: name)
    }

    /// Reads one byte that says "ready", or a line that says why not.
    private static func waitForChild(_ child: pid_t, _ source: consuming FileDescriptor, _ name: String) -> Never {
        var message: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = Glibc.read(source.rawValue, &byte, 1)
            if count < 0 && Errno.current == .EINTR { continue }
            if count <= 0 { break }
            if byte == 0 { _exit(0) }
            message.append(byte)
        }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 && Errno.current == .EINTR {}
        if message.isEmpty {
            let signal = status & 0x7f
            message = Array(
                (signal == 0
                    ? "the server ended before it was ready"
                    : "the server was ended by signal \(signal) before it was ready").utf8)
        }
        report(name, message)
        _exit(1)
    }

    static func report(_ name: String, _ message: [UInt8]) {
        let line = Array("\(name): ".utf8) + message + [UInt8(ascii: "\n")]
        line.withUnsafeBytes { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// The obligation to tell whoever started the server how that went.
public struct Readiness: ~Copyable {
    private var channel: FileDescriptor?
    private let name: String

    init(reporting channel: consuming FileDescriptor, name: String) {
        self.channel = consume channel
        self.name = name
    }

    /// For a server that stays in the foreground: reports failures on standard error.
    public init(foregroundServer name: String) {
        channel = nil
        self.name = name
    }

    /// The server is up: ends the starter with success, and lets go of its terminal and its working directory.
    public consuming func ready() {
        guard let channel = channel.take() else { return }
        Readiness.letGo()
        var byte: UInt8 = 0
        while Glibc.write(channel.rawValue, &byte, 1) < 0 && Errno.current == .EINTR {}
    }

    /// The server cannot come up: its starter prints `message`, one line, and ends with status 1, as this process does.
    public consuming func fail(_ message: String) -> Never {
        // One line, and no zero, which would mean success.
        let bytes = Array(VisibleText.line(message).utf8)
        if let channel = channel.take() {
            bytes.withUnsafeBytes { _ = Glibc.write(channel.rawValue, $0.baseAddress, $0.count) }
        } else {
            Daemon.report(name, bytes)
        }
        _exit(1)
    }

    private static func letGo() {
        _ = chdir("/")
        let null = Glibc.open("/dev/null", O_RDWR | O_CLOEXEC)
        if null < 0 { return }
        for number in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] { dup2(null, number) }
        if null > STDERR_FILENO { close(null) }
    }
}
