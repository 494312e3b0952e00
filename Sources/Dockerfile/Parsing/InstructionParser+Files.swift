extension InstructionParser {
    /// `COPY [--from=] [--chown=] [--chmod=] [--link] [--parents] [--exclude=] SOURCE… DESTINATION`
    mutating func copy() throws(DockerfileError) -> CopyInstruction {
        var copy = CopyInstruction(files: try transfer())
        copy.from = try withFlags { flags throws(DockerfileError) in try flags.value("from") }
        copy.parents = try withFlags { flags throws(DockerfileError) in try flags.boolean("parents") } ?? false
        if let from = copy.from, from.utf8.contains(ASCII.dollar) {
            throw variableInFrom(from, flag: "--from")
        }
        return copy
    }

    /// `ADD [--checksum=] [--keep-git-dir] [--unpack] …` and what `COPY` has.
    mutating func add() throws(DockerfileError) -> AddInstruction {
        var add = AddInstruction(files: try transfer())
        add.checksum = try withFlags { flags throws(DockerfileError) in try flags.value("checksum") }
        add.keepGitDirectory =
            try withFlags { flags throws(DockerfileError) in try flags.boolean("keep-git-dir") } ?? false
        add.unpack = try withFlags { flags throws(DockerfileError) in try flags.boolean("unpack") }
        return add
    }

    /// The stages that a build needs have to be known before its first step, so a stage cannot be named by a variable.
    func variableInFrom(_ from: String, flag: String) -> DockerfileError {
        fault(
            .variableNotAllowed, "\(flag)=\(from) of \(keyword) cannot contain a variable",
            remedy: "add a stage \"FROM \(from) AS name\" and use its name", at: keywordOffset)
    }

    private mutating func transfer() throws(DockerfileError) -> FileTransfer {
        let words = try stringsOrJSON()
        guard let destination = words.last, words.count > 1 else {
            throw fault(
                .missingArgument, "\(keyword) requires at least one source and a destination", at: keywordOffset)
        }
        var files = FileTransfer(sources: try sources(words.dropLast()), destination: destination.text)
        files.owner = try withFlags { flags throws(DockerfileError) in try flags.value("chown") }
        files.mode = try withFlags { flags throws(DockerfileError) in
            try flags.parsed("chmod", as: "an octal or symbolic mode") { text in
                // A variable can become anything; the builder parses it again when it knows its value.
                text.utf8.contains(ASCII.dollar) || (try? ModeChange.parse(text)) != nil ? text : nil
            }
        }
        files.link = try withFlags { flags throws(DockerfileError) in try flags.boolean("link") } ?? false
        files.excludes = try withFlags { flags throws(DockerfileError) in try flags.all("exclude").map(\.value) }
        return files
    }

    /// Each mark of a here-document stands where its file is a source.
    private func sources(_ words: ArraySlice<Word>) throws(DockerfileError) -> [FileTransfer.Source] {
        let marks = line.heredocs.isEmpty ? [] : HeredocMark.find(in: line.bytes[keywordOffset...], escape: escape.byte)
        var sources: [FileTransfer.Source] = []
        for word in words {
            guard let index = marks.firstIndex(where: { $0.range.lowerBound == word.offset }),
                line.heredocs.indices.contains(index)
            else {
                sources.append(.path(word.text))
                continue
            }
            let heredoc = line.heredocs[index]
            if heredoc.expands, let (error, _) = Expander.check(heredoc.content, escape: escape, body: true) {
                let place = line.place(of: word.offset)
                throw source.locate(error, line: place.line, byte: place.byte)
            }
            sources.append(.heredoc(heredoc))
        }
        return sources
    }
}
