extension Instruction {
    /// The operation with the variables of its arguments replaced, in those arguments where the reference has them
    /// replaced. `RUN`, `CMD`, `ENTRYPOINT`, `SHELL`, `HEALTHCHECK` and `ONBUILD` stay as they are, apart from the
    /// flags of `RUN`: there the shell sees the variables.
    ///
    /// All arguments of one instruction see the same values: `ENV a=1 b=$a` takes the `a` from before.
    /// - Parameter lookup: the value of a variable, nil if it is not set.
    ///
    /// Throws `badSubstitution`, `unterminatedQuote`, `unsetVariable`, `tooLarge`, `missingArgument` at the instruction.
    public func expanded(lookup: @escaping (String) -> String?) throws(DockerfileError) -> Operation {
        let expander = Expander(escape: escape, lookup: lookup)
        do {
            return try operation.expanded(expander)
        } catch {
            throw error.located(at: origin)
        }
    }
}

extension Instruction.Operation {
    func expanded(_ expander: Expander) throws(DockerfileError) -> Instruction.Operation {
        switch self {
        case .add(var add):
            add.files = try add.files.expanded(expander)
            add.checksum = try expander.optional(add.checksum)
            return .add(add)
        case .copy(var copy):
            copy.files = try copy.files.expanded(expander)
            return .copy(copy)
        case .argument(var argument):
            for index in argument.declarations.indices {
                argument.declarations[index].name = try expander.expand(argument.declarations[index].name)
                argument.declarations[index].defaultValue =
                    try expander.optional(argument.declarations[index].defaultValue)
            }
            return .argument(argument)
        case .environment(let pairs): return .environment(try expander.pairs(pairs))
        case .label(let pairs): return .label(try expander.pairs(pairs))
        case .expose(let ports):
            var words: [String] = []
            for port in ports { words += try expander.words(port) }
            return .expose(words)
        case .volume(let paths): return .volume(try expander.all(paths, not: "a volume's path"))
        case .user(let user): return .user(try expander.nonEmpty(user, "the user"))
        case .workingDirectory(let path): return .workingDirectory(try expander.expand(path))
        case .stopSignal(let signal): return .stopSignal(try expander.nonEmpty(signal, "the signal"))
        case .run(var run):
            for index in run.mounts.indices {
                run.mounts[index].target = try expander.optional(run.mounts[index].target)
                run.mounts[index].source = try expander.optional(run.mounts[index].source)
                run.mounts[index].id = try expander.optional(run.mounts[index].id)
            }
            return .run(run)
        case .command, .entrypoint, .healthcheck, .maintainer, .onBuild, .shell: return self
        }
    }
}

extension FileTransfer {
    func expanded(_ expander: Expander) throws(DockerfileError) -> FileTransfer {
        var files = self
        for index in files.sources.indices {
            switch files.sources[index] {
            case .path(let path):
                // Nothing is the directory that sources are relative to, as BuildKit has it.
                let source = try expander.expand(path)
                files.sources[index] = .path(source.isEmpty ? "." : source)
            case .heredoc(var heredoc):
                if heredoc.expands { heredoc.content = try expander.expandBody(heredoc.content) }
                files.sources[index] = .heredoc(heredoc)
            }
        }
        files.destination = try expander.nonEmpty(destination, "the destination")
        files.owner = try expander.optional(owner)
        files.mode = try expander.optional(mode)
        files.excludes = try expander.all(excludes, not: "a pattern of --exclude")
        return files
    }
}

extension Expander {
    func optional(_ text: String?) throws(DockerfileError) -> String? {
        guard let text else { return nil }
        return try expand(text)
    }

    func pairs(_ pairs: [KeyValue]) throws(DockerfileError) -> [KeyValue] {
        var result: [KeyValue] = []
        for pair in pairs {
            result.append(KeyValue(key: try nonEmpty(pair.key, "a name"), value: try expand(pair.value)))
        }
        return result
    }

    func all(_ texts: [String], not what: String) throws(DockerfileError) -> [String] {
        var result: [String] = []
        for text in texts { result.append(try nonEmpty(text, what)) }
        return result
    }

    func nonEmpty(
        _ text: String, _ what: String, remedy: String = "declare the variable with ARG or ENV in this stage"
    ) throws(DockerfileError) -> String {
        let value = try expand(text)
        guard value.isEmpty else { return value }
        throw DockerfileError(
            .missingArgument, "\(what) is empty: \(text.shown) expands to nothing", remedy: remedy)
    }
}
