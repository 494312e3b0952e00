/// Sorts instructions into global arguments and stages.
struct DocumentParser {
    private let source: SourceText
    private let directives: Directives
    private var lexer: Lexer
    private var globalArguments: [Instruction] = []
    private var stages: [Stage] = []

    init(_ bytes: [UInt8], file: String) throws(DockerfileError) {
        source = try SourceText(bytes, file: file)
        let (directives, firstLine) = try Directives.read(source)
        self.directives = directives
        lexer = Lexer(source, escape: directives.escape, firstLine: firstLine)
    }

    /// The whole file.
    mutating func document() throws(DockerfileError) -> DockerfileDocument {
        while let line = try lexer.nextLine() {
            do throws(DockerfileError) {
                try read(line)
            } catch {
                throw error.within(line)
            }
        }
        guard !stages.isEmpty else {
            throw globalArguments.isEmpty
                ? source.locate(DockerfileError(.empty, "the file contains no instructions"), line: 0, byte: 0)
                : source.locate(
                    DockerfileError(.missingFrom, "the file contains no FROM"), line: source.lines.count - 1, byte: 0)
        }
        return documentSoFar
    }

    /// What was read of a file, if there was a fault in it.
    var documentSoFar: DockerfileDocument {
        DockerfileDocument(
            file: source.file, directives: directives, globalArguments: globalArguments, stages: stages)
    }

    private mutating func read(_ line: LogicalLine) throws(DockerfileError) {
        var parser = InstructionParser(line, source: source, escape: directives.escape)
        if parser.keyword == "FROM" {
            stages.append(try parser.stage(index: stages.count))
        } else {
            let operation = try parser.operation()
            try add(parser.instruction(operation), parser)
        }
    }

    /// Instructions without a stage.
    mutating func looseInstructions() throws(DockerfileError) -> [Instruction] {
        var instructions: [Instruction] = []
        while let line = try lexer.nextLine() {
            var parser = InstructionParser(line, source: source, escape: directives.escape)
            guard parser.keyword != "FROM" else {
                throw parser.fault(.invalidArgument, "FROM is not allowed here", at: 0)
            }
            let operation = try parser.operation()
            instructions.append(parser.instruction(operation))
        }
        return instructions
    }

    private mutating func add(_ instruction: Instruction, _ parser: InstructionParser) throws(DockerfileError) {
        if !stages.isEmpty {
            stages[stages.count - 1].instructions.append(instruction)
        } else if case .argument = instruction.operation {
            globalArguments.append(instruction)
        } else {
            throw parser.fault(
                .missingFrom, "\(parser.keyword) stands before the first FROM",
                remedy: "only ARG may; begin with FROM image or FROM scratch", at: parser.keywordOffset)
        }
    }
}
