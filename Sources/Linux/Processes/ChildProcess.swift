internal import CLinux
internal import Glibc

/// How a child process ended.
public enum Termination: Hashable, Sendable {
    case exited(Int32)
    case signalled(Int32)

    /// The status a shell would show: the exit code, or 128 plus the signal.
    public var shellStatus: Int32 {
        switch self {
        case .exited(let code): code
        case .signalled(let signal): 128 + signal
        }
    }

    init(waitStatus status: Int32) {
        let signal = status & 0x7f
        self = signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
    }
}

/// A program started by us, known by its process id until it is waited for.
public struct ChildProcess: Sendable {
    /// The process id.
    public let pid: Int32

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - path: the program; searched in `PATH` when it has no slash.
    ///   - arguments: all arguments, the program's own name first.
    ///   - environment: `NAME=value` strings; nil to inherit ours.
    ///   - directory: the working directory; nil to inherit ours.
    ///   - descriptors: become 0, 1, 2, … in the child, at most 16; every other descriptor is closed.
    ///   - newSession: whether the child leads a session of its own, out of reach of our terminal.
    ///   - mask: its umask; nil to inherit ours.
    /// - Throws: the error of the step that failed, the exec included (ENOENT: no such program).
    public static func spawn(
        _ path: String, arguments: [String], environment: [String]? = nil, directory: String? = nil,
        descriptors: [Int32] = [0, 1, 2], newSession: Bool = false, mask: UInt16? = nil
    ) throws(Errno) -> ChildProcess {
        let argv = CStringArray(arguments)
        let envp = environment.map { CStringArray($0) }
        let (count, session, mask) = (Int32(descriptors.count), Int32(newSession ? 1 : 0), mask.map(Int32.init) ?? -1)
        let pid = try withExtendedLifetime((argv, envp)) { () throws(Errno) -> Int32 in
            let result =
                if let directory {
                    clinux_spawn(path, argv.pointer, envp?.pointer, directory, descriptors, count, session, mask)
                } else {
                    clinux_spawn(path, argv.pointer, envp?.pointer, nil, descriptors, count, session, mask)
                }
            if result < 0 { throw .current }
            return result
        }
        return ChildProcess(pid: pid)
    }

    /// Waits for the end of the process. ECHILD when it was waited for before.
    public func wait() throws(Errno) -> Termination {
        var status: Int32 = 0
        let pid = self.pid
        _ = try check { waitpid(pid, &status, 0) }
        return Termination(waitStatus: status)
    }

    /// How the process ended, nil while it runs.
    public func poll() throws(Errno) -> Termination? {
        var status: Int32 = 0
        let pid = self.pid
        let result = try check { waitpid(pid, &status, WNOHANG) }
        return result == 0 ? nil : Termination(waitStatus: status)
    }

    /// kill(2).
    public func signal(_ signal: Int32) throws(Errno) {
        let pid = self.pid
        try checkVoid { kill(pid, signal) }
    }
}

/// A NULL-ended array of C strings, freed with the object.
private final class CStringArray {
    let pointer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        count = strings.count
        pointer = .allocate(capacity: count + 1)
        for (index, string) in strings.enumerated() { pointer[index] = strdup(string) }
        pointer[count] = nil
    }

    deinit {
        for index in 0..<count { free(pointer[index]) }
        pointer.deallocate()
    }
}

/// Facts about running processes.
public enum ProcessTable {
    /// When a process started, in clock ticks since boot; with the pid this tells a process from a later one of the
    /// same number. Nil where there is no such process, or only its remains (a zombie).
    public static func startTime(of pid: Int32) -> UInt64? {
        guard let file = try? FileDescriptor.open("/proc/\(pid)/stat"), let bytes = try? file.readAll(),
            // The command's name, in parentheses, may hold anything: fields count from the last parenthesis.
            let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = String(decoding: bytes[(end + 1)...], as: UTF8.self).split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return UInt64(fields[19])
    }

    /// Whether a thread has a capability (its number, as in capabilities(7)) in effect; false where that cannot be read.
    public static func hasCapability(_ number: UInt64, _ thread: Int32) -> Bool {
        guard let text = field("CapEff:", of: thread), let set = UInt64(text, radix: 16) else { return false }
        return set >> number & 1 == 1
    }

    /// Whether a thread has a group among its supplementary ones; false where that cannot be read.
    public static func hasGroup(_ group: UInt32, _ thread: Int32) -> Bool {
        field("Groups:", of: thread)?.split(separator: " ").contains { UInt32($0) == group } ?? false
    }

    /// A line of a thread's /proc/PID/status, without its name.
    private static func field(_ name: String, of thread: Int32) -> Substring? {
        guard let file = try? FileDescriptor.open("/proc/\(thread)/status"), let bytes = try? file.readAll() else {
            return nil
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        return lines.first { $0.hasPrefix(name) }?.dropFirst(name.utf8.count).drop { $0 == "\t" }
    }

    /// The calling process.
    public static var currentID: Int32 { getpid() }
}
