extension InstructionParser {
    /// `RUN [--mount=]… [--network=] [--security=] COMMAND`
    mutating func run() throws(DockerfileError) -> RunInstruction {
        var run = RunInstruction(body: try runBody(), heredocs: line.heredocs)
        run.network = try withFlags { flags throws(DockerfileError) in
            try flags.parsed("network", as: "default, none or host", RunInstruction.Network.init(rawValue:))
        }
        run.security = try withFlags { flags throws(DockerfileError) in
            try flags.parsed("security", as: "sandbox or insecure", RunInstruction.Security.init(rawValue:))
        }
        run.mounts = try withFlags { flags throws(DockerfileError) in
            var mounts: [RunMount] = []
            for (value, flag) in try flags.all("mount") {
                do throws(DockerfileError) {
                    mounts.append(try RunMount.parse(value))
                } catch {
                    throw flags.fault(flag, error.message, remedy: error.remedy)
                }
            }
            return mounts
        }
        if let from = run.mounts.compactMap(\.from).first(where: { $0.utf8.contains(ASCII.dollar) }) {
            throw variableInFrom(from, flag: "from")
        }
        return run
    }

    /// A here-document on its own is a script, for the shell or for the interpreter that its first line names. With
    /// a command around it, it is the shell's own business and goes to the shell as it was written.
    private mutating func runBody() throws(DockerfileError) -> RunInstruction.Body {
        guard !line.heredocs.isEmpty else {
            switch try commandForm() {
            case .shell(let text): return .shell(text)
            case .exec(let arguments): return .exec(arguments)
            }
        }
        let marks = HeredocMark.find(in: arguments, escape: escape.byte)
        if let heredoc = line.heredocs.first, marks.count == 1, marks[0].range == arguments.indices {
            return heredoc.content.hasPrefix("#!") ? .script(heredoc.content) : .shell(heredoc.content)
        }
        var text = arguments.text
        for heredoc in line.heredocs { text += "\n\(heredoc.content)\(heredoc.name)" }
        return .shell(text)
    }
}
