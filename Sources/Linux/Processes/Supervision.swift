internal import CLinux
internal import Glibc

/// Watching processes that may not be our own children.
public enum Supervision {
    /// Makes orphaned descendants children of this process, so that their end can be waited for. It lasts as long as
    /// the process; a program that uses it waits for its children one by one, never for any.
    public static func adoptOrphans() throws(Errno) {
        try checkVoid { clinux_become_subreaper() }
    }

    /// pidfd_open(2): a descriptor that becomes readable when the process ends. ESRCH when it has been waited for.
    public static func descriptor(of pid: Int32) throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: try check { clinux_pidfd_open(pid, 0) })
    }

    /// Sends a signal to the process that a descriptor of `descriptor(of:)` names, never to a later one of its number.
    public static func signal(_ signal: Int32, to process: borrowing FileDescriptor) throws(Errno) {
        let number = process.rawValue
        try checkVoid { clinux_pidfd_send_signal(number, signal) }
    }

    /// kill(2). A signal of 0 only asks whether the process exists.
    public static func signal(_ signal: Int32, pid: Int32) throws(Errno) {
        if pid <= 0 { throw .EINVAL }
        try checkVoid { kill(pid, signal) }
    }

    /// Waits for a child of ours that `ChildProcess` did not start: an adopted orphan.
    public static func wait(for pid: Int32) throws(Errno) -> Termination {
        var status: Int32 = 0
        _ = try check { waitpid(pid, &status, 0) }
        return Termination(waitStatus: status)
    }

    /// Reads the status of a child that has ended, if it is ours and has; nil otherwise.
    @discardableResult
    public static func reap(_ pid: Int32) -> Termination? {
        var status: Int32 = 0
        return waitpid(pid, &status, WNOHANG) == pid ? Termination(waitStatus: status) : nil
    }
}

/// Signals as bytes that a poll loop reads. There is one per process at a time; its end puts the former dispositions
/// back.
public struct SignalPipe: ~Copyable, Sendable {
    /// Readable while a signal waits; not to be closed.
    public let rawValue: Int32

    /// Catches the signals from now on. EBUSY while another pipe is open.
    public init(_ signals: [Int32]) throws(Errno) {
        rawValue = try check { clinux_signal_pipe_open(signals, Int32(signals.count)) }
    }

    deinit { clinux_signal_pipe_close() }

    /// The next signal that came, nil when none waits.
    public func next() -> Int32? { Self.next(from: rawValue) }

    /// As `next()`, for a closure that cannot hold the pipe itself but knows its number.
    public static func next(from rawValue: Int32) -> Int32? {
        var byte: UInt8 = 0
        return read(rawValue, &byte, 1) == 1 ? Int32(byte) : nil
    }
}

extension Supervision {
    /// Makes writing to a pipe without reader fail with EPIPE instead of ending the process. Programs that
    /// `ChildProcess` starts get the default back.
    public static func ignoreBrokenPipes() {
        _ = Glibc.signal(SIGPIPE, SIG_IGN)
    }
}

extension FileDescriptor {
    /// Makes reading and writing fail with EAGAIN where they would have to wait.
    public func setNonBlocking() throws(Errno) {
        let number = rawValue
        let flags = try check { clinux_fcntl(number, F_GETFL, 0) }
        try checkVoid { clinux_fcntl(number, F_SETFL, Int(flags | O_NONBLOCK)) }
    }
}
