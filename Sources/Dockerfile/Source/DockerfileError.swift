/// Why a Dockerfile, or a file of ignore patterns, cannot be used. Codes are for programs, the message for people.
public struct DockerfileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of fault it is.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The file is not UTF-8 text.
        case notText
        /// The file holds no instruction.
        case empty
        /// An instruction other than `ARG` stands before the first `FROM`, or there is no `FROM` at all.
        case missingFrom
        /// No instruction has this name.
        case unknownInstruction
        /// An argument that the instruction needs is not there.
        case missingArgument
        /// There are more arguments than the instruction takes.
        case tooManyArguments
        /// The instruction has no such flag.
        case unknownFlag
        /// A flag is given twice, lacks its value, or has one that it cannot take.
        case invalidFlag
        /// A parser directive is given twice or has a value that it cannot take.
        case invalidDirective
        /// A JSON form holds something else than strings, or is required and missing.
        case invalidJSON
        /// An argument is not in the form that the instruction asks for.
        case invalidArgument
        /// A stage's name has characters that are not allowed there.
        case invalidStageName
        /// A stage is asked for that does not exist.
        case unknownStage
        /// Stages need each other in a circle.
        case circularStages
        /// A here-document has no end.
        case unterminatedHeredoc
        /// A quote has no end.
        case unterminatedQuote
        /// A `${…}` is not well formed.
        case badSubstitution
        /// `${name:?message}` and the variable is not set.
        case unsetVariable
        /// A variable is used where the value has to be known before the build.
        case variableNotAllowed
        /// An expansion has grown beyond what can be meant.
        case tooLarge
        /// A file name pattern is not well formed.
        case invalidPattern
    }

    /// What kind of fault it is.
    public var code: Code
    /// One sentence: what is wrong with which piece of text, and why.
    public var message: String
    /// What to do about it, if that is known.
    public var remedy: String?
    /// The file, as the user named it.
    public var file: String?
    /// The place in the file.
    public var position: SourcePosition?
    /// The line of the file that the position is in.
    public var sourceLine: String?
    /// The lines of the instruction that the position is in, from one.
    public var lines: ClosedRange<Int>?

    /// Makes an error that has no place yet.
    public init(_ code: Code, _ message: String, remedy: String? = nil) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    /// One line: `file:line:column: message (remedy)`.
    public var description: String {
        var text = ""
        if let file {
            text += file + ":"
            if let position { text += "\(position):" }
            text += " "
        }
        text += message
        if let remedy { text += " (\(remedy))" }
        return text
    }

    /// The one line, then the line of the file and a mark below the place.
    public var detailedDescription: String {
        guard let sourceLine, let position else { return description }
        let number = "\(position.line)"
        var mark = ""
        for scalar in sourceLine.unicodeScalars.prefix(max(position.column - 1, 0)) {
            mark.unicodeScalars.append(scalar == "\t" ? "\t" : " ")
        }
        let indent = String(repeating: " ", count: number.utf8.count)
        return "\(description)\n \(number) | \(sourceLine)\n \(indent) | \(mark)^"
    }

    /// The same error at the start of an instruction, unless it has a place already.
    public func located(at origin: SourceOrigin) -> DockerfileError {
        guard file == nil else { return self }
        var error = self
        error.file = origin.file
        error.position = origin.range.start
        error.sourceLine = origin.firstLine
        error.lines = origin.lines
        return error
    }

    /// The same error at the start of an instruction, wherever it was found: of what a base image has asked for.
    func moved(to origin: SourceOrigin) -> DockerfileError {
        guard lines != origin.lines || file != origin.file else { return self }
        var error = self
        error.file = nil
        return error.located(at: origin)
    }

    /// The same error with the lines of the instruction that it is in.
    func within(_ line: LogicalLine) -> DockerfileError {
        guard lines == nil else { return self }
        var error = self
        error.lines = line.lines.lowerBound + 1...max(line.lines.lowerBound + 1, line.lines.upperBound)
        return error
    }
}
