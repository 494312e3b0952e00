/// A place in a Dockerfile. Both numbers start at one; a column counts Unicode scalars.
public struct SourcePosition: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The line, from one.
    public var line: Int
    /// The column, from one, in Unicode scalars.
    public var column: Int

    /// Makes a position from a line and a column, both from one.
    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// `line:column`.
    public var description: String { "\(line):\(column)" }

    /// Orders by line, then by column.
    public static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// The part of a Dockerfile that something was read from: from its first character to behind its last.
public struct SourceRange: Sendable, Hashable, CustomStringConvertible {
    /// The first character.
    public var start: SourcePosition
    /// The place behind the last character.
    public var end: SourcePosition

    /// Makes a range from its first character and the place behind its last.
    public init(start: SourcePosition, end: SourcePosition) {
        self.start = start
        self.end = end
    }

    /// `line:column-line:column`.
    public var description: String { "\(start)-\(end)" }
}

/// Where an instruction stands: its file, its range there, and the text itself, kept so that an error found
/// long after parsing can still show the line it is about.
public struct SourceOrigin: Sendable, Hashable, CustomStringConvertible {
    /// The name of the file as the user gave it.
    public var file: String
    /// The range in that file, here-documents included.
    public var range: SourceRange
    /// The lines of that range as they stand in the file, joined by line feeds.
    public var text: String

    /// Makes an origin.
    public init(file: String, range: SourceRange, text: String) {
        self.file = file
        self.range = range
        self.text = text
    }

    /// The first line of the text.
    public var firstLine: String {
        String(text.prefix { $0 != "\n" })
    }

    /// The lines of that range.
    public var lines: ClosedRange<Int> { range.start.line...max(range.start.line, range.end.line) }

    /// `file:line`.
    public var description: String { "\(file):\(range.start.line)" }
}
