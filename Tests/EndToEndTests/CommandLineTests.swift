import Testing

extension EndToEnd {
    /// The command line itself.
    @Suite(.serialized) struct CommandLine {
        static let commands = [
            "build", "import", "images", "history", "inspect", "tag", "rmi", "run", "create", "start", "stop",
            "restart",
            "kill", "wait", "logs", "ps", "rm", "commit", "diff", "rename", "mount", "umount", "info", "version",
            "image ls", "image rm", "image inspect", "image history", "image prune", "image build", "image import",
            "image tag", "container ls", "container run", "container rm", "container inspect", "container prune",
            "container create", "container start", "container stop", "container logs", "container commit",
            "container diff", "container kill", "exec", "container exec", "container wait", "container restart",
            "container rename", "system df",
            "system info", "image", "container", "system", "volume", "volume create", "volume inspect", "volume ls",
            "volume rm", "volume prune", "pull", "push", "load", "save",
        ]

        @Test(arguments: commands) func helpHasAnExample(command: String) throws {
            try Strata.test { strata in
                let outcome = try strata.run(command.split(separator: " ").map(String.init) + ["--help"])
                #expect(outcome.status == 0)
                #expect(outcome.output.contains("EXAMPLE: strata "), "\(outcome)")
                #expect(outcome.errors == "")
            }
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
                let flag = try strata.failure(of: "images", "--frobnicate", status: 1)
                #expect(flag.contains("--frobnicate") && flag.hasSuffix("See 'strata images --help'."))
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
                for shell in ["bash", "zsh", "fish"] {
                    #expect(try strata("--generate-completion-script", shell).contains("strata"))
                }
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
