import Testing

@testable import strata

/// Arguments before the parser sees them.
@Suite struct ArgumentTests {
    static let cases: [([String], [String])] = [
        (["--root", "/x", "images", "-q"], ["--root", "/x", "-q"]),
        (["--root=/x", "image", "ls"], ["--root=/x"]),
        (["build", "--rm=false", "--no-cache=true", "-q=false", "."], ["--no-rm", "--no-cache", "."]),
        (["run", "--rm=true", "-e", "A=true", "x", "--rm=false"], ["--rm", "-e", "A=true", "x", "--rm=false"]),
        (["run", "-it", "x", "--help"], ["-it", "x", "--help"]),
        (["run", "-itw/x", "img", "--help"], ["-it", "--workdir=/x", "img", "--help"]),
        // Only flags: what is an option keeps its value, whatever it is called.
        (["run", "--user=0", "--name=t", "-h=1", "x"], ["--user=0", "--name=t", "--hostname=1", "x"]),
        (["logs", "--tail=1", "-f=true", "c"], ["--tail=1", "-f", "c"]),
        (["stop", "--time=0", "c"], ["--time=0", "c"]),
        (["ps", "-f=true", "-a=true"], ["--filter=true", "-a"]),
        (["run", "--pull=true", "x"], ["--pull=true", "x"]),
        (["build", "--pull=true", "-t=1", "."], ["--pull", "--tag=1", "."]),
        (["pull", "--disable-content-trust=false", "x"], ["--no-disable-content-trust", "x"]),
        (["rm", "-v=true", "--", "-x=true"], ["-v", "--", "-x=true"]),
        // Short options in groups, the last with its value.
        (["run", "-eA=1", "-e=B=2", "-e=", "x", "-eC=3"], ["--env=A=1", "--env=B=2", "--env==", "x", "-eC=3"]),
        (["run", "-v/a:/b", "-p80:80", "-lx=y", "x"], ["--volume=/a:/b", "--publish=80:80", "--label=x=y", "x"]),
        (["run", "-itd", "-ite", "A=1", "x"], ["-itd", "-it", "-e", "A=1", "x"]),
        (["run", "-it=false", "-itd=true", "x"], ["-i", "-it", "-d", "x"]),
        (["run", "-e漢=字", "-uroot", "--", "-x"], ["--env=漢=字", "--user=root", "--", "-x"]),
        (["exec", "-itw", "/", "c", "sh", "-eA"], ["-it", "-w", "/", "c", "sh", "-eA"]),
        (["logs", "c", "-fn5"], ["c", "-f", "--tail=5"]),
        // A value is what comes next, whatever it is like.
        (["run", "-e", "--help", "--name", "-x", "x"], ["--env=--help", "--name=-x", "x"]),
        (["run", "--name", "--", "x"], ["--name=--", "x"]),
        (["build", "-f", "-", "-"], ["--file=-", "-"]),
        // These are no options.
        (["ps", "-aX", "-Z=1", "-n"], ["-aX", "-Z=1", "-n"]), (["run", "-X", "x"], ["-X", "x"]),
    ]

    @Test(arguments: cases)
    func normalizes(arguments: [String], result: [String]) {
        #expect(CommandPath(arguments).arguments == result)
        #expect(!CommandPath(arguments).wantsHelp)
    }

    @Test(
        "Each short option of each command takes its value in every form, and groups with the flags",
        arguments: CommandTree.names)
    func shortOptions(names: [String]) throws {
        let options = CommandOptions(of: CommandPath(names).command)
        func result(_ arguments: String...) -> [String] {
            DockerArguments(arguments, options: options, endsAtPositional: true).resolved
        }
        let flags = options.shortNames.filter(options.isFlag).joined().filter { $0 != "-" }
        for name in options.shortNames where options.takesValue(name) {
            let long = try #require(options.written(name, value: "").first)
            for value in ["a", "a=b", "/a:/b", "-a", "==", "a b"] {
                let joined = value == "==" ? "=" : value
                #expect(result(name + value) == [long + joined])
                #expect(result("\(name)=\(value)") == [long + value])
                let apart = result(name, value)
                #expect(apart == (value == "-a" ? [long + value] : [name, value]))
                if flags.isEmpty { continue }
                #expect(result("-" + flags + name.dropFirst() + value) == ["-" + flags, long + joined])
                #expect(result("-" + flags + name.dropFirst(), value) == ["-" + flags] + apart)
            }
        }
    }

    @Test(arguments: [
        ["run", "-e", "x", "--help"], ["container", "run", "--name", "n", "--help"], ["images", "x", "--help"],
        ["exec", "-h"], ["exec", "-ih", "x"],
    ])
    func findsCallsForHelp(arguments: [String]) {
        #expect(CommandPath(arguments).wantsHelp)
    }

    @Test func unknownCommandsAreFound() {
        #expect(CommandPath(["imags"]).unknownCommand == "imags")
        #expect(CommandPath(["imags"]).explanation(of: "imags").contains("Did you mean 'images'?"))
        #expect(CommandPath(["image", "frob"]).unknownCommand == "frob")
        #expect(CommandPath(["run", "frob"]).unknownCommand == nil)
        #expect(CommandPath(["help", "run"]).unknownCommand == nil)
        #expect(CommandPath([]).unknownCommand == nil)
    }
}
