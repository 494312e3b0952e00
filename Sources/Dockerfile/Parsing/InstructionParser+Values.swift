extension InstructionParser {
    /// `ENV` and `LABEL`: `name=value …`, or the old `name value`.
    mutating func keyValues() throws(DockerfileError) -> [KeyValue] {
        _ = try someArguments()
        let words = WordSplitter.outsideQuotes(arguments, escape: escape.byte)
        guard let first = words.first else { return [] }
        guard first.text.utf8.contains(ASCII.equals) else { return [try legacyKeyValue(first)] }
        var pairs: [KeyValue] = []
        for word in words {
            let name = word.text.utf8.prefix { $0 != ASCII.equals }
            guard name.endIndex < word.text.utf8.endIndex else {
                throw fault(
                    .invalidArgument, "\(keyword) expects name=value, not \(word.text.shown)",
                    remedy: "put a value with blanks in quotes", at: word.offset)
            }
            guard !name.isEmpty else {
                throw fault(.invalidArgument, "a name is missing in front of the =", at: word.offset)
            }
            let value = word.text.utf8[name.endIndex...].dropFirst()
            _ = try checked([
                Word(text: name.text, offset: word.offset),
                Word(text: value.text, offset: word.offset + name.count + 1),
            ])
            pairs.append(KeyValue(key: name.text, value: value.text))
        }
        return pairs
    }

    private mutating func legacyKeyValue(_ first: Word) throws(DockerfileError) -> KeyValue {
        // Cut at the first blank, whatever quotes are around it: that is how the old form always was.
        let name = arguments.prefix { !ASCII.isBlank($0) }
        let value = arguments[name.endIndex...].trimmed
        guard !value.isEmpty else {
            throw fault(
                .missingArgument, "\(keyword) \(first.text) has no value", remedy: "write \(keyword) name=value",
                at: first.offset)
        }
        isLegacyKeyValue = true
        _ = try checked([
            Word(text: name.text, offset: name.startIndex), Word(text: value.text, offset: value.startIndex),
        ])
        return KeyValue(key: name.text, value: value.text)
    }

    /// `ARG name[=default] …`
    func argument() throws(DockerfileError) -> ArgumentInstruction {
        let words = WordSplitter.outsideQuotes(try someArguments(), escape: escape.byte)
        var declarations: [ArgumentInstruction.Declaration] = []
        for word in words {
            let name = word.text.utf8.prefix { $0 != ASCII.equals }
            guard !name.isEmpty else {
                throw fault(.invalidArgument, "a name is missing in front of the =", at: word.offset)
            }
            let hasDefault = name.endIndex < word.text.utf8.endIndex
            let value = hasDefault ? word.text.utf8[name.endIndex...].dropFirst().text : nil
            _ = try checked([
                Word(text: name.text, offset: word.offset),
                Word(text: value ?? "", offset: word.offset + name.count + 1),
            ])
            declarations.append(ArgumentInstruction.Declaration(name: name.text, defaultValue: value))
        }
        return ArgumentInstruction(declarations: declarations)
    }

    /// `SHELL ["program", "argument"…]`
    mutating func shell() throws(DockerfileError) -> [String] {
        _ = try someArguments()
        guard case .strings(let strings) = JSONStrings.read(arguments) else {
            throw fault(
                .invalidJSON, "SHELL requires its arguments in JSON form", remedy: "as in SHELL [\"/bin/sh\", \"-c\"]")
        }
        guard !strings.isEmpty else { throw fault(.missingArgument, "SHELL requires a program") }
        return strings
    }

    /// `ONBUILD INSTRUCTION`; the instruction has to be one that could stand in a stage. Its text is what goes into
    /// the image, here-documents included.
    mutating func onBuild() throws(DockerfileError) -> String {
        let argument = try someArguments()
        var nested = InstructionParser(line, at: argument, source: source, escape: escape)
        if ["ONBUILD", "FROM", "MAINTAINER"].contains(nested.keyword) {
            throw nested.fault(
                .invalidArgument, "ONBUILD cannot be followed by \(nested.keyword)", at: nested.keywordOffset)
        }
        _ = try nested.operation()
        var text = argument.text
        for heredoc in line.heredocs { text += "\n\(heredoc.content)\(heredoc.name)" }
        return text
    }

    /// `HEALTHCHECK NONE` or `HEALTHCHECK [--interval=]… CMD command`
    mutating func healthcheck() throws(DockerfileError) -> HealthcheckInstruction {
        let (kind, rest) = Lexer.splitKeyword(try someArguments())
        var check = HealthcheckInstruction()
        if kind == "NONE" {
            guard rest.isEmpty else {
                throw fault(.tooManyArguments, "HEALTHCHECK NONE takes no arguments", at: rest.startIndex)
            }
            return check
        }
        guard kind == "CMD" else {
            throw fault(
                .invalidArgument, "HEALTHCHECK is followed by NONE or CMD, not \(kind.asciiLowercased.shown)")
        }
        let command = InstructionParser(line, at: arguments, source: source, escape: escape)
        check.command = try command.commandForm()
        let duration = "a duration such as 30s, at least 1ms"
        check.interval = try nanoseconds("interval", duration)
        check.timeout = try nanoseconds("timeout", duration)
        check.startPeriod = try nanoseconds("start-period", duration)
        check.startInterval = try nanoseconds("start-interval", duration)
        check.retries = try withFlags { flags throws(DockerfileError) in
            try flags.parsed("retries", as: "a number from 0") { Int($0).flatMap { $0 >= 0 ? $0 : nil } }
        }
        return check
    }

    private mutating func nanoseconds(_ name: String, _ what: String) throws(DockerfileError) -> Int64? {
        try withFlags { flags throws(DockerfileError) in
            try flags.parsed(name, as: what) { text in
                // Zero means "as if not given"; anything else below a millisecond is taken for a mistake.
                GoDuration.nanoseconds(text).flatMap { $0 == 0 || $0 >= 1_000_000 ? $0 : nil }
            }
        }
    }
}
