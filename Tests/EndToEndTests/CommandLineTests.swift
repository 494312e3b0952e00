import Linux
import Testing

extension EndToEnd {
    /// The command line itself.
    @Suite(.serialized) struct CommandLine {
        /// What needs no store.
        private static func run(_ arguments: [String]) throws -> Outcome {
            try Program.run([try Strata.binary()] + arguments, environment: ["STRATA_ROOT": "/nowhere"])
        }

        @Test(arguments: CommandTree.names) func helpHasAnExample(names: [String]) throws {
            let outcome = try Self.run(names + ["--help"])
            #expect(outcome.status == 0)
            #expect(outcome.output.contains(#/EXAMPLES?:\s+strata /#), "\(outcome)")
            #expect(outcome.output.contains("\nUSAGE: strata "), "\(outcome)")
            #expect(outcome.errors == "")
        }

        @Test("An unknown flag is one line that names it and says where to read on", arguments: CommandTree.names)
        func unknownFlags(names: [String]) throws {
            let cases = [("--frobnicate", "--frobnicate"), ("--nothing=1", "--nothing"), ("-9", "'9' in -9")]
            for (flag, name) in cases {
                let outcome = try Self.run(names + [flag])
                let isRun = [["run"], ["create"], ["container", "run"], ["container", "create"]].contains(names)
                #expect(outcome.status == (isRun ? 125 : 1))
                #expect(outcome.output == "")
                #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome)")
                #expect(outcome.errors.hasPrefix("strata: unknown ") && outcome.errors.contains(name), "\(outcome)")
                let hint = " See 'strata \(names.joined(separator: " ")) --help'.\n"
                #expect(outcome.errors.hasSuffix(hint), "\(outcome)")
            }
        }

        @Test("bash completes the name of each command and its flags")
        func completion() throws {
            try Strata.test { strata in
                let script = try strata.write(
                    try strata("--generate-completion-script", "bash"), to: "completion.bash")
                let asked = CommandTree.names.map { names in
                    let begun = names.dropLast() + [String((names.last ?? "").prefix(1))]
                    return "ask '\(names.joined(separator: " "))' '\(begun.joined(separator: " "))'"
                }.joined(separator: "\n")
                let answers = try Program.shell(
                    """
                    set +eu
                    . '\(script)'
                    complete_words() {
                        COMP_WORDS=(strata "$@"); COMP_CWORD=$#; COMP_LINE="strata $*"; COMP_POINT=${#COMP_LINE}
                        COMPREPLY=(); _strata strata "${@: -1}" "${COMP_WORDS[COMP_CWORD - 1]}" 2>/dev/null
                        printf ' %s' "${COMPREPLY[@]}"
                    }
                    ask() {
                        echo "$1:$(complete_words $2):$(complete_words $1 --)"
                    }
                    \(asked)
                    """
                ).split(separator: "\n").map(String.init)
                #expect(answers.count == CommandTree.names.count)
                for answer in answers {
                    let parts = answer.split(separator: ":", omittingEmptySubsequences: false)
                    try #require(parts.count == 3, "\(answer)")
                    let name = parts[0].split(separator: " ").last ?? ""
                    #expect(parts[1].split(separator: " ").contains { $0 == name }, "\(answer)")
                    #expect(parts[2].contains("--help"), "\(answer)")
                }
                for shell in ["zsh", "fish"] {
                    let script = try strata("--generate-completion-script", shell)
                    for names in CommandTree.names { #expect(script.contains(names.last ?? ""), "\(shell): \(names)") }
                }
            }
        }

        @Test("docs/commands.md says what the program says of itself")
        func theirPageIsCurrent() throws {
            let outcome = try Self.document("--check")
            #expect(outcome.status == 0, "\(outcome.errors)")
        }

        @Test("Each command has a page of the manual")
        func manual() throws {
            try Strata.test { strata in
                let directory = try strata.directory("man1")
                let outcome = try Self.document("--man", directory)
                try #require(outcome.status == 0, "\(outcome)")
                for names in [[]] + CommandTree.names {
                    let page = try FileDescriptor.open(
                        "\(directory)/\((["strata"] + names).joined(separator: "-")).1")
                    let text = String(decoding: try page.readAll(), as: UTF8.self)
                    for heading in ["NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"] {
                        #expect(text.contains("\n.SH \(heading)\n"), "\(names)")
                    }
                }
            }
        }

        /// Runs `tools/document-commands` on the program under test.
        private static func document(_ arguments: String...) throws -> Outcome {
            let sources = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
            return try Program.run(
                ["\(sources)/tools/document-commands"] + arguments, environment: ["STRATA": try Strata.binary()])
        }

        @Test func librariesAreLoadedByThoseWhoNeedThem() throws {
            try Strata.test { strata in
                func loaded(_ arguments: String...) throws -> [String] {
                    let words = try strata.run(arguments, environment: ["LD_DEBUG": "files"]).errors
                    return ["libcurl", "libcrypto"].filter { words.contains($0) }
                }
                let archive = try Busybox.archive()
                #expect(try loaded("ps") == [])
                #expect(try loaded("import", archive, "busybox") == ["libcrypto"])
                #expect(try loaded("pull", "localhost:1/nothing:here") == ["libcurl", "libcrypto"])
            }
        }

        @Test func aLibraryThatIsMissingIsOneLine() throws {
            try Strata.test { strata in
                let archive = try Busybox.archive()
                // What the loader finds first is no library.
                let directory = try strata.directory("lib")
                try strata.write("", to: "lib/libcurl.so.4")
                let network = try strata.failure(
                    of: "pull", "localhost:1/nothing:here", status: 1, environment: ["LD_LIBRARY_PATH": directory])
                #expect(network.contains("install the package libcurl4"), "\(network)")
                try strata.write("", to: "lib/libcrypto.so.3")
                let hash = try strata.failure(
                    of: "import", archive, "busybox", status: 1, environment: ["LD_LIBRARY_PATH": directory])
                #expect(hash.contains("install the package libssl3"), "\(hash)")
                #expect(try strata.run(["ps"], environment: ["LD_LIBRARY_PATH": directory]).status == 0)
            }
        }

        @Test func unknownWordsAreOneLineWithAHint() throws {
            try Strata.test { strata in
                let command = try strata.failure(of: "imagse", status: 1)
                #expect(command == "'imagse' is not a strata command. Did you mean 'image'? See 'strata --help'.")
                let flag = try strata.failure(of: "rm", "--forc", status: 1)
                #expect(flag == "unknown flag: --forc. Did you mean '--force'? See 'strata rm --help'.")
                let letter = try strata.failure(of: "run", "-itX", "busybox", status: 125)
                #expect(letter == "unknown shorthand flag: 'X' in -itX. See 'strata run --help'.")
                try strata.failure(of: "image", "frobnicate", status: 1)
                try strata.failure(of: "tag", "one", status: 1)
                try strata.failure(of: "run", "--name", status: 125)
                try strata.failure(of: "images", "--format", "{{.Nothing", status: 1)
                #expect(try strata.run([]).status == 0)
            }
        }

        @Test func theStoreIsChosenByOptionOrEnvironment() throws {
            try Strata.testWithBusybox { strata in
                let other = strata.scratch + "/other"
                try strata("--root", other, "volume", "create", "vol")
                let none = try strata("--root", other, "images", "-q")
                #expect(none == "")
                #expect(try strata("images", "--root", other, "-q") == "")
                #expect(try strata("image", "ls", "--root=\(other)", "-q") == "")
                #expect(try strata("images", "-q") != "")
                #expect(try strata("info", "--format", "{{.Images}} {{.StrataRootDir}}") == "1 \(strata.root)")
                #expect(try strata("--version").hasPrefix("strata version "))
                #expect(try strata("version", "--format", "{{.Os}}") == "linux")
            }
        }

        @Test func aReaderThatHasGoneIsNoFault() throws {
            try Strata.testWithBusybox { strata in
                let binary = try Strata.binary()
                let status = try Program.shell(
                    "set +eo pipefail; '\(binary)' --root '\(strata.root)' inspect busybox | true; echo ${PIPESTATUS[0]}"
                )
                #expect(["0\n", "141\n"].contains(status))
            }
        }
    }
}
