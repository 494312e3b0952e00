import Glibc
import Linux
import TestSupport

/// A program on a terminal of its own, whose screen is read along.
final class PseudoTerminal {
    private let terminal: FileDescriptor
    private let child: ChildProcess
    /// What the terminal shows.
    private(set) var screen: TerminalScreen
    private var rest: [UInt8] = []

    /// Starts a program on a terminal of this size.
    init(_ arguments: [String], environment: [String], rows: Int, columns: Int, reflows: Bool) throws {
        let terminal = try FileDescriptor.open("/dev/ptmx", .readWrite)
        // TIOCSPTLCK and TIOCGPTN of Linux: unlock the other side, and name it.
        var (lock, number): (Int32, Int32) = (0, 0)
        guard ioctl(terminal.rawValue, 0x4004_5431, &lock) == 0, ioctl(terminal.rawValue, 0x8004_5430, &number) == 0
        else { throw ProgramError(description: "cannot make a terminal") }
        let path = "/dev/pts/\(number)"
        let other = try FileDescriptor.open(path, .readWrite)
        screen = TerminalScreen(rows: rows, columns: columns, reflows: reflows)
        let size = TerminalSize(rows: UInt16(rows), columns: UInt16(columns))
        try Terminal.setSize(of: terminal.rawValue, to: size)
        child = try ChildProcess.spawn(
            arguments[0], arguments: arguments, environment: environment, directory: nil,
            descriptors: [other.rawValue, other.rawValue, other.rawValue], newSession: true)
        self.terminal = terminal
    }

    /// Gives the terminal another size, between two things that the program prints: what is on its way while the size
    /// changes is for the old one, and no program can help that.
    func resize(rows: Int, columns: Int) throws {
        try child.signal(SIGSTOP)
        defer { try? child.signal(SIGCONT) }
        let hasStopped = try waitUntil {
            let status = try FileDescriptor.open("/proc/\(child.pid)/stat").readAll()
            return String(decoding: status, as: UTF8.self).split(separator: ")").last?.hasPrefix(" T") == true
        }
        if !hasStopped { throw ProgramError(description: "the program does not stop") }
        while try isReadable(milliseconds: 0), try readPart() {}
        try Terminal.setSize(of: terminal.rawValue, to: TerminalSize(rows: UInt16(rows), columns: UInt16(columns)))
        screen.resize(rows: rows, columns: columns)
    }

    /// Reads along until the screen is as wanted; throws when the program ends before, or a minute has passed.
    func read(until isWanted: (TerminalScreen) -> Bool) throws {
        let end = MonotonicClock.milliseconds + 60_000
        while !isWanted(screen) {
            guard MonotonicClock.milliseconds < end, try readPart() else {
                throw ProgramError(description: "the terminal shows:\n\(screen.lines.joined(separator: "\n"))")
            }
        }
    }

    /// Sends a signal to the program.
    func signal(_ number: Int32) throws { try child.signal(number) }

    /// Reads along to the end of the program; its status.
    func wait() throws -> Int32 {
        while try readPart() {}
        return try child.wait().shellStatus
    }

    private func isReadable(milliseconds: Int32) throws -> Bool {
        var poll = Poll()
        _ = poll.add(terminal.rawValue, .readable)
        return try poll.wait(milliseconds: milliseconds)
    }

    /// Shows what arrives in a second; false at the end.
    private func readPart() throws -> Bool {
        guard try isReadable(milliseconds: 1000) else { return true }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = Glibc.read(terminal.rawValue, &bytes, bytes.count)
        // A terminal without a program is an error.
        if count <= 0 { return false }
        rest += bytes.prefix(count)
        // A character may arrive in two parts.
        var whole = rest.count
        while whole > 0, String(validating: rest[..<whole], as: UTF8.self) == nil, rest.count - whole < 4 { whole -= 1 }
        screen.feed(String(decoding: rest[..<whole], as: UTF8.self))
        rest.removeFirst(whole)
        return true
    }
}
