/// Sorts instructions into global arguments and stages.
struct DocumentParser {
    private let source: SourceText
    private let directives: Directives
    private var lexer: Lexer
    private var warnings: [Diagnostic] = []
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
            var parser = InstructionParser(line, source: source, escape: directives.escape)
            if parser.keyword == "FROM" {
                let stage = try parser.stage(index: stages.count)
                try checkName(of: stage, parser)
                stages.append(stage)
            } else {
                let operation = try parser.operation()
                try add(parser.instruction(operation), parser)
            }
            warnings += parser.warnings
        }
        guard !stages.isEmpty else {
            throw globalArguments.isEmpty
                ? source.locate(DockerfileError(.empty, "the file contains no instructions"), line: 0, byte: 0)
                : source.locate(
                    DockerfileError(.missingFrom, "the file contains no FROM"), line: source.lines.count - 1, byte: 0)
        }
        for stage in stages { remarkOnRepetitions(in: stage) }
        let remarks = (warnings + lexer.warnings).sorted { $0.position < $1.position }
        return DockerfileDocument(
            file: source.file, directives: directives, globalArguments: globalArguments, stages: stages,
            warnings: remarks)
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

    private mutating func checkName(of stage: Stage, _ parser: InstructionParser) throws(DockerfileError) {
        guard let name = stage.name else { return }
        if let other = stages.first(where: { $0.name == name }) {
            throw parser.fault(
                .duplicateStageName, "the stage name \"\(name)\" is taken by line \(other.origin.range.start.line)",
                at: parser.keywordOffset)
        }
    }

    private mutating func remarkOnRepetitions(in stage: Stage) {
        for name in ["CMD", "ENTRYPOINT", "HEALTHCHECK"] {
            for instruction in stage.instructions.filter({ $0.name == name }).dropLast() {
                warnings.append(
                    Diagnostic(
                        .multipleInstructionsDisallowed, "only the last \(name) of a stage counts, and this is not it",
                        file: source.file, position: instruction.origin.range.start))
            }
        }
    }
}
