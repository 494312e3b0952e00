import Glibc
import Linux
import Testing

/// What a program did.
struct Outcome: CustomStringConvertible {
    var status: Int32
    var output: String
    var errors: String

    /// Standard output without the line feed at its end.
    var line: String { output.hasSuffix("\n") ? String(output.dropLast()) : output }

    /// The lines of standard output.
    var lines: [String] { output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) }

    var description: String { "status \(status), output:\n\(output)errors:\n\(errors)" }
}

/// Why a program could not be run.
struct ProgramError: Error, CustomStringConvertible {
    var description: String
}

/// Runs programs of the host.
enum Program {
    /// Runs a program to its end, or kills it when it takes too long.
    ///
    /// - Parameters:
    ///   - arguments: the program's name, then its arguments.
    ///   - environment: variables on top of ours.
    ///   - input: what it reads from standard input.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], directory: String? = nil, input: String = "",
        inputFile: String? = nil, seconds: Int64 = 120
    ) throws -> Outcome {
        let name = try #require(arguments.first)
        let output = try temporaryFile()
        let errors = try temporaryFile()
        let source: FileDescriptor
        if let inputFile {
            source = try FileDescriptor.open(inputFile)
        } else {
            source = try temporaryFile()
            try source.writeAll(input)
            _ = try source.seek(0, from: .start)
        }
        let child: ChildProcess
        do {
            child = try ChildProcess.spawn(
                name, arguments: arguments, environment: merged(environment), directory: directory,
                descriptors: [source.rawValue, output.rawValue, errors.rawValue], newSession: true)
        } catch {
            throw ProgramError(description: "cannot run \(name): \(error)")
        }
        let end = try Supervision.descriptor(of: child.pid)
        var poll = Poll()
        _ = poll.add(end.rawValue, .readable)
        let inTime = try poll.wait(milliseconds: Int32(seconds * 1000))
        if !inTime { try child.signal(SIGKILL) }
        let status = try child.wait().shellStatus
        let outcome = Outcome(status: status, output: try text(of: output), errors: try text(of: errors))
        if !inTime {
            throw ProgramError(
                description: "\(arguments.joined(separator: " ")) took more than \(seconds) s; \(outcome)")
        }
        return outcome
    }

    /// Runs a script of the host's shell, which must succeed.
    @discardableResult
    static func shell(_ script: String, seconds: Int64 = 120) throws -> String {
        let outcome = try run(["/bin/bash", "-euo", "pipefail", "-c", script], seconds: seconds)
        guard outcome.status == 0 else { throw ProgramError(description: "\(script): \(outcome)") }
        return outcome.output
    }

    private static func temporaryFile() throws -> FileDescriptor {
        try FileDescriptor.open("/tmp", [.readWrite, .temporaryFile], mode: 0o600)
    }

    private static func text(of file: borrowing FileDescriptor) throws -> String {
        _ = try file.seek(0, from: .start)
        return String(decoding: try file.readAll(), as: UTF8.self)
    }

    private static func merged(_ environment: [String: String]) -> [String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        variables.merge(environment) { _, new in new }
        return variables.map { "\($0.key)=\($0.value)" }
    }
}
