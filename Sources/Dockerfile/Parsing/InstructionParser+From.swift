extension InstructionParser {
    /// `FROM [--platform=] BASE [AS NAME]`
    mutating func stage(index: Int) throws(DockerfileError) -> Stage {
        let platform = try withFlags { flags throws(DockerfileError) in try flags.value("platform") }
        if let flag = flags.unused {
            throw unknownFlag(flag)
        }
        let words = WordSplitter.atBlanks(try someArguments())
        guard words.count == 1 || words.count == 3 else {
            throw fault(
                words.count == 2 ? .missingArgument : .tooManyArguments,
                "FROM takes a base, or a base, AS and a name", at: words.last?.offset)
        }
        _ = try checked([words[0]])
        return Stage(
            index: index, name: try name(words), base: words[0].text, platform: platform, origin: origin, text: text,
            written: written, writtenSeparator: words.count == 3 ? words[1].text : nil,
            writtenName: words.count == 3 ? words[2].text : nil, instructions: [])
    }

    private func name(_ words: [Word]) throws(DockerfileError) -> String? {
        guard words.count == 3 else { return nil }
        guard words[1].text.asciiUppercased == "AS" else {
            throw fault(
                .invalidArgument, "AS is expected behind the base, not \(words[1].text.shown)",
                at: words[1].offset)
        }
        let name = words[2].text.asciiLowercased
        let bytes = Array(name.utf8)
        guard let first = bytes.first, ASCII.isLetter(first),
            bytes.allSatisfy({ ASCII.isName($0) || $0 == ASCII.dash || $0 == UInt8(ascii: ".") })
        else {
            throw fault(
                .invalidStageName, "\(words[2].text.shown) cannot be the name of a stage",
                remedy: "a letter, then letters, digits, -, _ and .", at: words[2].offset)
        }
        return name
    }
}
