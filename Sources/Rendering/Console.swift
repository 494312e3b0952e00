package import Linux
import OCI

/// What the user reads: results on standard output, remarks and errors on standard error.
///
/// Images, registries and containers bring much of it, so control characters are made visible here (`VisibleText`).
/// What goes out as it is says so: `verbatim`, `bytes`, and `rendered` where no terminal shows it.
package enum Console {
    private static let output = BorrowedDescriptor.standardOutput
    private static let errors = BorrowedDescriptor.standardError

    /// Whether standard error is a terminal.
    package static var errorIsTerminal: Bool { errors.isTerminal }

    /// Whether standard output is a terminal.
    package static var outputIsTerminal: Bool { output.isTerminal }

    /// Writes text to standard output; lines and tabs are as they are. A reader that has gone ends the program, as it
    /// ends others.
    package static func write(_ text: String) throws(RenderingError) { try write(verbatim: VisibleText.lines(text)) }

    /// Writes to standard output what a template or a list has made: a terminal gets it as `write` gives it, a program
    /// each character as it is.
    package static func write(rendered text: String) throws(RenderingError) {
        if outputIsTerminal { try write(text) } else { try write(verbatim: text) }
    }

    /// Writes text to standard output as it is: what a container has printed, or what moves the cursor.
    package static func write(verbatim text: String) throws(RenderingError) {
        var text = text
        let failure = text.withUTF8 { bytes in
            Result { () throws(RenderingError) in try write(bytes: UnsafeRawBufferPointer(bytes)) }
        }
        try failure.get()
    }

    /// Writes bytes to standard output as they are.
    package static func write(bytes: UnsafeRawBufferPointer) throws(RenderingError) {
        do throws(Errno) {
            try output.writeAll(bytes)
        } catch {
            if error == .EPIPE { throw RenderingError(.readerGone, "nobody reads standard output any more") }
            throw RenderingError(.output, "cannot write to standard output: \(error)")
        }
    }

    /// Writes one line to standard output.
    package static func print(_ line: String) throws(RenderingError) {
        try write(verbatim: VisibleText.line(line) + "\n")
    }

    /// Writes text to standard error, lines and tabs as they are; there is nobody to tell when that fails.
    package static func remark(_ text: String) { remark(verbatim: VisibleText.lines(text)) }

    /// Writes one line to standard error.
    package static func remark(line: String) { remark(verbatim: VisibleText.line(line) + "\n") }

    /// Writes text to standard error as it is: what a container has printed, or what moves the cursor.
    package static func remark(verbatim text: String) {
        var text = text
        text.withUTF8 { remark(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// Writes bytes to standard error as they are.
    package static func remark(bytes: UnsafeRawBufferPointer) { try? errors.writeAll(bytes) }

    /// Writes a message of ours to standard error: one line that names the program.
    package static func complain(_ message: String) {
        var text = Substring(message)
        while text.last?.isNewline == true { text.removeLast() }
        remark(line: "strata: \(text)")
    }

    /// All of standard input, at most so many bytes.
    package static func readInput(limit: Int) throws(RenderingError) -> [UInt8] {
        do throws(Errno) {
            return try input.readAll(limit: limit)
        } catch {
            throw RenderingError(.input, "cannot read standard input: \(error)")
        }
    }

    /// Standard input, never closed.
    package static let input = FileDescriptor(owning: 0)
}
