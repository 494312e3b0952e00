/// The lines of a Dockerfile that something is about, with some around them, as BuildKit shows them.
public enum SourceExcerpt {
    /// The block: the file and the first line, then the lines, those that are meant marked with `>>>`.
    ///
    ///     Dockerfile:2
    ///     --------------------
    ///        1 |     FROM scratch
    ///        2 | >>> COPPY . .
    ///     --------------------
    ///
    /// - Parameters:
    ///   - bytes: the content of the file.
    ///   - file: its name.
    ///   - marked: the lines that are meant, from one.
    /// - Returns: lines that each end in a line feed, control characters as they are in the file; nothing if the file has
    ///   no such line.
    public static func render(_ bytes: [UInt8], file: String, marked: ClosedRange<Int>) -> String {
        let lines = bytes.split(separator: ASCII.lineFeed, omittingEmptySubsequences: false)
        var first = marked.lowerBound
        guard first >= 1, first <= lines.count else { return "" }
        var last = min(marked.upperBound, lines.count)
        var text = "\(file):\(first)\n--------------------\n"
        // Four lines around one, two around several; what is missing on one side is taken from the other.
        let padding = first == last ? 4 : 2
        var added = 0
        while added < padding {
            if first > 1 {
                first -= 1
                added += 1
            }
            if last < lines.count {
                last += 1
                added += 1
            }
            added += 1
        }
        for number in first...last {
            let line = lines[number - 1]
            let digits = "\(number)"
            let shown = line.last == ASCII.carriageReturn ? line.dropLast() : line
            text += " " + String(repeating: " ", count: max(0, 3 - digits.utf8.count)) + digits
            text += " | \(marked.contains(number) ? ">>>" : "   ") \(shown.text)\n"
        }
        return text + "--------------------\n"
    }
}
