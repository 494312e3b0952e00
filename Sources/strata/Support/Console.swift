import Glibc
import Linux

/// What the user reads: results on standard output, remarks and errors on standard error.
///
/// Images, registries and containers bring much of it, so control characters are made visible here (`VisibleText`).
/// What goes out as it is says so: `verbatim`, `bytes`, and `rendered` where no terminal shows it.
enum Console {
    private static let output = BorrowedDescriptor.standardOutput
    private static let errors = BorrowedDescriptor.standardError

    /// Whether standard error is a terminal.
    static var errorIsTerminal: Bool { errors.isTerminal }

    /// Whether standard output is a terminal.
    static var outputIsTerminal: Bool { output.isTerminal }

    /// Writes text to standard output; lines and tabs are as they are. A reader that has gone ends the program, as it
    /// ends others.
    static func write(_ text: String) throws(CommandError) { try write(verbatim: VisibleText.lines(text)) }

    /// Writes to standard output what a template or a list has made: a terminal gets it as `write` gives it, a program
    /// each character as it is.
    static func write(rendered text: String) throws(CommandError) {
        if outputIsTerminal { try write(text) } else { try write(verbatim: text) }
    }

    /// Writes text to standard output as it is: what a container has printed, or what moves the cursor.
    static func write(verbatim text: String) throws(CommandError) {
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

    /// Writes one line to standard output.
    static func print(_ line: String) throws(CommandError) { try write(verbatim: VisibleText.line(line) + "\n") }

    /// Writes text to standard error, lines and tabs as they are; there is nobody to tell when that fails.
    static func remark(_ text: String) { remark(verbatim: VisibleText.lines(text)) }

    /// Writes one line to standard error.
    static func remark(line: String) { remark(verbatim: VisibleText.line(line) + "\n") }

    /// Writes text to standard error as it is: what a container has printed, or what moves the cursor.
    static func remark(verbatim text: String) {
        var text = text
        text.withUTF8 { remark(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// Writes bytes to standard error as they are.
    static func remark(bytes: UnsafeRawBufferPointer) { try? errors.writeAll(bytes) }

    /// Writes a message of ours to standard error: one line that names the program.
    static func complain(_ message: String) {
        var text = Substring(message)
        while text.last?.isNewline == true { text.removeLast() }
        remark(line: "strata: \(text)")
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
