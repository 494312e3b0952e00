import Glibc
import Linux

/// strace(1) at a mount server: does something to its system calls.
final class Tracer {
    private let server: Int32
    private var process: ChildProcess?

    /// Attaches itself to the server of a mount, which the test has started.
    ///
    /// - Parameters:
    ///   - calls: names or numbers of system calls, with commas between.
    ///   - effect: what happens to them, in the words of strace's option `inject`; nothing by default.
    ///   - output: a file for the calls that were made.
    init(of target: String, calls: String, effect: String? = nil, output: String = "/dev/null") throws {
        server = try Self.server(of: target)
        try withScratch { scratch throws in
            let log = try FileDescriptor.open(scratch.appending("log"), [.readWrite, .create], mode: 0o600)
            let input = try FileDescriptor.open("/dev/null")
            process = try ChildProcess.spawn(
                "strace",
                arguments: ["strace", "-f", "-p", String(server), "-o", output, "-e", "trace=\(calls)"]
                    + (effect.map { ["-e", "inject=\(calls):\($0)"] } ?? []),
                descriptors: [input.rawValue, log.rawValue, log.rawValue])
            var text = ""
            for _ in 0..<2500 {
                text = try log.text()
                if text.contains("attached") { return }
                usleep(2000)
            }
            try end()
            throw SetupFailure("strace has not attached itself to the server: \(text)")
        }
    }

    deinit { try? end() }

    /// Lets go of the server.
    func end() throws {
        guard let process else { return }
        self.process = nil
        // To let go of a server that it has killed, on SIGTERM, it would wait for the first thread, and the kernel for strace to
        // ask for the others.
        try? process.signal(serverIsAlive() ? SIGTERM : SIGKILL)
        _ = try process.wait()
    }

    /// Whether the server runs.
    func serverIsAlive() -> Bool { ProcessTable.startTime(of: server) != nil }

    /// The server's process, which timeout(1) has started.
    private static func server(of target: String) throws -> Int32 {
        let helper = try MountHelper.path()
        for name in try FileDescriptor.open("/proc", [.directory]).sortedEntryNames() {
            let text = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard let id = Int32(text), let bytes = try? FileDescriptor.open("/proc/\(id)/cmdline").readAll() else {
                continue
            }
            let words = bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
            if words.last == target, words.first == helper { return id }
        }
        throw SetupFailure("no server for \(target)")
    }
}
