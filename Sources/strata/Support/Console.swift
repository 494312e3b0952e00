import Glibc
import Linux

/// What the user reads: results on standard output, remarks and errors on standard error.
enum Console {
    private static let output = BorrowedDescriptor.standardOutput
    private static let errors = BorrowedDescriptor.standardError

    /// Whether standard error is a terminal.
    static var errorIsTerminal: Bool { errors.isTerminal }

    /// Writes to standard output. A reader that has gone ends the program, as it ends others.
    static func write(_ text: String) throws(CommandError) {
        var text = text
        let failure = text.withUTF8 { bytes in
            Result { () throws(CommandError) in try write(bytes: UnsafeRawBufferPointer(bytes)) }
        }
        try failure.get()
    }

    /// Writes bytes to standard output as they are.
    static func write(bytes: UnsafeRawBufferPointer) throws(CommandError) {
        do throws(Errno) {
            try output.writeAll(bytes)
        } catch {
            if error == .EPIPE { throw .exit(128 + SIGPIPE) }
            throw CommandError(.failed, "cannot write to standard output: \(error)")
        }
    }

    /// Writes a line to standard output.
    static func print(_ line: String) throws(CommandError) { try write(line + "\n") }

    /// Writes to standard error; there is nobody to tell when that fails.
    static func remark(_ text: String) {
        var text = text
        text.withUTF8 { remark(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// Writes bytes to standard error as they are.
    static func remark(bytes: UnsafeRawBufferPointer) { try? errors.writeAll(bytes) }

    /// Writes a message of ours to standard error: one line that names the program.
    static func complain(_ message: String) {
        let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        remark("strata: \(line)\n")
    }

    /// All of standard input, at most so many bytes.
    static func readInput(limit: Int) throws(CommandError) -> [UInt8] {
        do throws(Errno) {
            return try input.readAll(limit: limit)
        } catch {
            throw CommandError(.failed, "cannot read standard input: \(error)")
        }
    }

    /// Standard input, never closed.
    static let input = FileDescriptor(owning: 0)
}
