/// Joins physical lines into instructions: continuations, comments between them, here-documents.
struct Lexer {
    let source: SourceText
    let escape: UInt8
    private var next: Int

    /// Starts behind the parser directives.
    init(_ source: SourceText, escape: EscapeCharacter, firstLine: Int = 0) {
        self.source = source
        self.escape = escape.byte
        next = firstLine
    }

    /// The next instruction, nil at the end of the file.
    ///
    /// Throws `unterminatedHeredoc`.
    mutating func nextLine() throws(DockerfileError) -> LogicalLine? {
        var comments: [String] = []
        var lastComment: Int?
        while next < source.lines.count {
            let content = source.lines[next].drop(while: ASCII.isBlank)
            if content.first == ASCII.hash {
                let comment = content.dropFirst().trimmed.text
                comments = comment.isEmpty ? [] : comments + [comment]
                lastComment = comment.isEmpty ? nil : next
            }
            if content.isEmpty || content.first == ASCII.hash {
                next += 1
                continue
            }
            let first = next
            var line = joinedLine()
            line.comments = comments
            line.isCommentAdjacent = lastComment.map { $0 + 1 == first } ?? false
            try readHeredocs(of: &line)
            return line
        }
        return nil
    }

    /// Takes the line at `next` and those that continue it. Comments and blank lines in between are left out, as
    /// Docker has always done; a blank line is likely a mistake and is noted.
    private mutating func joinedLine() -> LogicalLine {
        let first = next
        var line = LogicalLine(lines: first..<first + 1)
        var last = first
        var hasEmptyLine = false
        while next < source.lines.count {
            let physical = source.lines[next]
            let content = physical.drop(while: ASCII.isBlank)
            if next > first, content.isEmpty || content.first == ASCII.hash {
                if content.isEmpty { hasEmptyLine = true }
                next += 1
                continue
            }
            let run = next == first ? content : physical[...]
            last = next
            next += 1
            let continued = continuation(of: run)
            line.append(continued ?? run, line: last, byte: run.startIndex)
            if continued == nil { break }
        }
        line.lines = first..<last + 1
        if hasEmptyLine { line.emptyContinuation = next }
        return line
    }

    /// The line without the escape character that ends it, nil if none does. Blanks may follow the character; a
    /// doubled escape character stands for itself.
    private func continuation(of run: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var rest = run
        while let last = rest.last, last == ASCII.space || last == ASCII.tab { rest = rest.dropLast() }
        guard rest.last == escape else { return nil }
        rest = rest.dropLast()
        return rest.last == escape ? nil : rest
    }

    /// Reads the here-documents of RUN, COPY and ADD, also behind ONBUILD.
    private mutating func readHeredocs(of line: inout LogicalLine) throws(DockerfileError) {
        var (keyword, arguments) = Lexer.splitKeyword(line.bytes[...])
        if keyword == "ONBUILD" { (keyword, arguments) = Lexer.splitKeyword(arguments) }
        guard ["RUN", "COPY", "ADD"].contains(keyword) else { return }
        let marks = HeredocMark.find(in: arguments, escape: escape)
        if marks.isEmpty || JSONStrings.isArray(FlagReader(arguments, escape: escape).rest) { return }
        for mark in marks {
            line.heredocs.append(try readHeredoc(mark, of: line))
            line.lines = line.lines.lowerBound..<next
        }
    }

    private mutating func readHeredoc(_ mark: HeredocMark, of line: LogicalLine) throws(DockerfileError) -> Heredoc {
        let name = Array(mark.name.utf8)
        var content: [UInt8] = []
        while next < source.lines.count {
            let physical = source.lines[next]
            let body = mark.stripsTabs ? physical.drop { $0 == ASCII.tab } : physical[...]
            next += 1
            if body.elementsEqual(name) {
                return Heredoc(
                    name: mark.name, content: content.text, expands: !mark.quoted, stripsTabs: mark.stripsTabs)
            }
            content += body
            content.append(ASCII.lineFeed)
        }
        let place = line.place(of: mark.range.lowerBound)
        throw source.locate(
            DockerfileError(
                .unterminatedHeredoc, "the here-document \"\(mark.name)\" has no end",
                remedy: "end it with a line that is only \(mark.name)"),
            line: place.line, byte: place.byte)
    }

    /// The first word in upper case, and what follows it without the blanks at either end.
    static func splitKeyword(_ bytes: ArraySlice<UInt8>) -> (keyword: String, arguments: ArraySlice<UInt8>) {
        let word = bytes.prefix { !ASCII.isBlank($0) }
        return (word.text.asciiUppercased, bytes[word.endIndex...].trimmed)
    }
}
