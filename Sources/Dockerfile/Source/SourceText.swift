/// A Dockerfile cut into lines, as bytes: every character that means something to the lexer is ASCII, so UTF-8 is
/// never cut in the middle of a scalar, and nothing is ever compared by Unicode equivalence.
struct SourceText: Sendable {
    let file: String
    /// The lines without their ends (LF or CR LF).
    let lines: [[UInt8]]

    /// Cuts the text into lines, leaving out a byte order mark.
    ///
    /// Throws `notText` if the bytes are not UTF-8 or hold a NUL, which no instruction can pass on.
    init(_ bytes: [UInt8], file: String) throws(DockerfileError) {
        self.file = file
        var lines: [[UInt8]] = []
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let content = bytes.starts(with: mark) ? bytes.dropFirst(mark.count) : bytes[...]
        for (number, raw) in content.split(separator: ASCII.lineFeed, omittingEmptySubsequences: false).enumerated() {
            let line = raw.last == ASCII.carriageReturn ? raw.dropLast() : raw
            if String(validating: line, as: UTF8.self) == nil || line.contains(0) {
                var error = DockerfileError(.notText, "the file is not UTF-8 text")
                error.file = file
                error.position = SourcePosition(line: number + 1, column: 1)
                throw error
            }
            lines.append(Array(line))
        }
        if lines.last?.isEmpty == true { lines.removeLast() }
        self.lines = lines
    }

    /// The position of a byte of a line; both indices from zero. Beyond the end of the line it is the place behind it.
    func position(line: Int, byte: Int) -> SourcePosition {
        guard lines.indices.contains(line) else { return SourcePosition(line: line + 1, column: 1) }
        let scalars = lines[line].prefix(max(byte, 0)).count { $0 & 0xC0 != 0x80 }
        return SourcePosition(line: line + 1, column: scalars + 1)
    }

    /// One line as text, empty if there is no such line.
    func text(line: Int) -> String {
        lines.indices.contains(line) ? String(decoding: lines[line], as: UTF8.self) : ""
    }

    /// An error with its place filled in.
    func locate(_ error: DockerfileError, line: Int, byte: Int) -> DockerfileError {
        guard error.file == nil else { return error }
        var located = error
        located.file = file
        located.position = position(line: line, byte: byte)
        if lines.indices.contains(line) { located.sourceLine = text(line: line) }
        return located
    }
}
