import FoundationEssentials
import Linux
import OCI

extension RuntimeDriver {
    /// One line of the runtime's log.
    private struct LogLine: Decodable {
        var level: String?
        var msg: String?
    }

    /// Explains why a container did not start, from what the runtime logged.
    func startFailure(_ id: String, log: String, termination: Termination) -> RuntimeError {
        let said = Self.lastError(inLog: log)
        let reason = said.map(Self.withoutPreamble) ?? "\(path) ended with status \(termination.shellStatus)"
        let message = "cannot start container \(id.prefix(12)): \(reason)"
        if reason.contains("cgroup") && kind == .crun {
            return RuntimeError(
                .runtimeUnusable, message, remedy: "crun does not take this layout of control groups: use runc")
        }
        return RuntimeError(Self.code(of: reason), message, remedy: Self.remedy)
    }

    /// A runtime without threads ends without a reason that could be told, so whether there are any is tried.
    private static var remedy: String? {
        do throws(Errno) {
            try PrivateThread.require(32)
            return nil
        } catch {
            return error.remedy
        }
    }

    /// Runtimes tell the causes apart in words only, so this is the one place that reads them; the distinctions and
    /// the exit codes that follow from them are Docker's.
    private static func code(of reason: String) -> RuntimeError.Code {
        let words = reason.lowercased()
        guard words.contains("exec") else { return .startFailed }
        if words.contains("not found in $path") || words.contains("no such file or directory")
            || words.contains("not found")
        {
            return .commandNotFound
        }
        let refusals = ["permission denied", "not permitted", "is a directory", "exec format error"]
        if refusals.contains(where: words.contains) {
            return .commandNotExecutable
        }
        return .startFailed
    }

    private static func lastError(inLog path: String) -> String? {
        guard let file = try? FileDescriptor.open(path), let bytes = try? file.readAll(limit: 1 << 20) else {
            return nil
        }
        let messages = bytes.split(separator: UInt8(ascii: "\n")).compactMap { line -> String? in
            let entry = try? JSON.decode(LogLine.self, from: Data(line))
            return entry?.level == "error" ? entry?.msg : nil
        }
        return messages.last
    }

    /// The part of the message that says what is wrong.
    private static func withoutPreamble(_ message: String) -> String {
        var text = Substring(message)
        for preamble in ["runc run failed: ", "container_linux.go: ", "unable to start container process: "]
        where text.hasPrefix(preamble) {
            text = text.dropFirst(preamble.count)
        }
        return text.split(separator: "\n").first.map(String.init) ?? message
    }
}
