/// Turns one logical line into an instruction.
struct InstructionParser {
    let source: SourceText
    let line: LogicalLine
    let escape: EscapeCharacter
    /// The name in upper case.
    let keyword: String
    /// Where the name starts in the logical line.
    let keywordOffset: Int
    /// What follows the name.
    private(set) var arguments: ArraySlice<UInt8>
    private(set) var flags: FlagSet
    /// Whether `ENV` or `LABEL` turned out to be in the old form.
    var isLegacyKeyValue = false

    /// The instructions, for suggestions.
    static let keywords = [
        "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
        "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
    ]

    init(_ line: LogicalLine, source: SourceText, escape: EscapeCharacter) {
        self.init(line, at: line.bytes[...], source: source, escape: escape)
    }

    /// For an instruction that is a part of a line, behind `ONBUILD`.
    init(_ line: LogicalLine, at bytes: ArraySlice<UInt8>, source: SourceText, escape: EscapeCharacter) {
        self.line = line
        self.source = source
        self.escape = escape
        keywordOffset = bytes.startIndex
        let (keyword, arguments) = Lexer.splitKeyword(bytes)
        self.keyword = keyword
        let reader = FlagReader(arguments, escape: escape.byte)
        // Only MAINTAINER is plain text; everywhere else a leading `--` is a flag, known or not.
        let takesFlags = keyword != "MAINTAINER" && keyword != "ONBUILD"
        self.arguments = takesFlags ? reader.rest : arguments
        flags = FlagSet(takesFlags ? reader.flags : [])
    }

    /// What the instruction asks for. `FROM` is the business of the caller.
    mutating func operation() throws(DockerfileError) -> Instruction.Operation {
        guard InstructionParser.keywords.contains(keyword) else { throw unknownInstruction() }
        let operation = try parse()
        if let flag = flags.unused { throw unknownFlag(flag) }
        return operation
    }

    /// To be thrown when all that the instruction knows have been asked for.
    func unknownFlag(_ flag: Flag) -> DockerfileError {
        let meant = Suggestion.nearest(to: flag.name, in: flags.asked)
        return fault(
            .unknownFlag, "\(keyword) has no flag --\(flag.name)", remedy: meant.map { "did you mean --\($0)?" },
            at: flag.offset)
    }

    private mutating func parse() throws(DockerfileError) -> Instruction.Operation {
        switch keyword {
        case "ADD": return .add(try add())
        case "COPY": return .copy(try copy())
        case "RUN": return .run(try run())
        case "ARG": return .argument(try argument())
        case "ENV": return .environment(try keyValues())
        case "LABEL": return .label(try keyValues())
        case "CMD": return .command(try commandForm())
        case "ENTRYPOINT": return .entrypoint(try commandForm())
        case "SHELL": return .shell(try shell())
        case "HEALTHCHECK": return .healthcheck(try healthcheck())
        case "EXPOSE": return .expose(try checked(WordSplitter.atBlanks(try someArguments())).map(\.text))
        case "VOLUME": return .volume(try stringsOrJSON().map(\.text))
        case "USER": return .user(try single())
        case "WORKDIR": return .workingDirectory(try single())
        case "STOPSIGNAL": return .stopSignal(try single())
        case "ONBUILD": return .onBuild(try onBuild())
        default: return .maintainer(try someArguments().text)
        }
    }

    /// The whole instruction, with its place and text.
    func instruction(_ operation: Instruction.Operation) -> Instruction {
        Instruction(operation: operation, origin: origin, text: text, escape: escape, written: written)
    }

    /// How it is written.
    var written: WrittenForm {
        WrittenForm(
            keyword: line.bytes[keywordOffset...].prefix { !ASCII.isBlank($0) }.text, comments: line.comments,
            isCommentAdjacent: line.isCommentAdjacent, isLegacyKeyValue: isLegacyKeyValue,
            emptyContinuation: line.emptyContinuation)
    }

    /// The instruction in one line.
    var text: String {
        let (_, arguments) = Lexer.splitKeyword(line.bytes[keywordOffset...])
        return arguments.isEmpty ? keyword : "\(keyword) \(arguments.text)"
    }

    /// Where it stands, with its here-documents.
    var origin: SourceOrigin {
        let start = line.place(of: keywordOffset)
        let last = line.lines.upperBound - 1
        return SourceOrigin(
            file: source.file,
            range: SourceRange(
                start: source.position(line: start.line, byte: start.byte),
                end: source.position(line: last, byte: Int.max)),
            text: line.lines.map { source.text(line: $0) }.joined(separator: "\n"))
    }

    func unknownInstruction() -> DockerfileError {
        let typed = line.bytes[keywordOffset...].prefix { !ASCII.isBlank($0) }.text
        let meant = Suggestion.nearest(to: keyword, in: InstructionParser.keywords)
        return fault(
            .unknownInstruction, "unknown instruction \(typed.shown)",
            remedy: meant.map { "did you mean \($0)?" }, at: keywordOffset)
    }

    // MARK: Pieces that several instructions share

    /// An error at an offset of the logical line.
    func fault(
        _ code: DockerfileError.Code, _ message: String, remedy: String? = nil, at offset: Int? = nil
    ) -> DockerfileError {
        let place = line.place(of: offset ?? arguments.startIndex)
        return source.locate(DockerfileError(code, message, remedy: remedy), line: place.line, byte: place.byte)
    }

    /// The arguments, of which there has to be something.
    func someArguments() throws(DockerfileError) -> ArraySlice<UInt8> {
        guard !arguments.isEmpty else {
            throw fault(.missingArgument, "\(keyword) requires an argument", at: keywordOffset)
        }
        return arguments
    }

    /// All arguments as one text that can be expanded.
    private func single() throws(DockerfileError) -> String {
        let argument = try someArguments()
        return try checked([Word(text: argument.text, offset: argument.startIndex)])[0].text
    }

    /// Words whose variables and quotes are well formed.
    func checked(_ words: [Word]) throws(DockerfileError) -> [Word] {
        for word in words {
            guard let (error, offset) = Expander.check(word.text, escape: escape) else { continue }
            let place = line.place(of: word.offset + offset)
            throw source.locate(error, line: place.line, byte: place.byte)
        }
        return words
    }

    /// A JSON array of strings; nil if the arguments are none.
    func jsonStrings() throws(DockerfileError) -> [String]? {
        switch JSONStrings.read(arguments) {
        case .strings(let strings): return strings
        case .otherValues:
            throw fault(
                .invalidJSON, "the JSON form of \(keyword) takes strings only", remedy: "put every argument in \"…\"")
        case .notJSON: return nil
        }
    }

    /// Words separated by blanks, or the JSON form where they may contain blanks.
    func stringsOrJSON() throws(DockerfileError) -> [Word] {
        _ = try someArguments()
        let words: [Word]
        if let strings = try jsonStrings() {
            let start = arguments.startIndex
            words = strings.map { Word(text: $0, offset: start) }
        } else {
            words = WordSplitter.atBlanks(arguments)
        }
        if words.isEmpty { throw fault(.missingArgument, "\(keyword) requires an argument", at: keywordOffset) }
        return try checked(words)
    }

    /// The JSON form, or text for the shell.
    func commandForm() throws(DockerfileError) -> CommandForm {
        _ = try someArguments()
        if let strings = try jsonStrings() { return .exec(strings) }
        return .shell(arguments.text)
    }

    /// Runs a closure on the flags, giving its errors a place.
    mutating func withFlags<Value>(
        _ body: (inout FlagSet) throws(DockerfileError) -> Value
    ) throws(DockerfileError) -> Value {
        do {
            return try body(&flags)
        } catch {
            let place = line.place(of: flags.faultOffset ?? keywordOffset)
            throw source.locate(error, line: place.line, byte: place.byte)
        }
    }
}
