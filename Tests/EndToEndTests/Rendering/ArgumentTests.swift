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
        (["run", "-itw/x", "img", "--help"], ["-itw/x", "img", "--help"]),
        // Only flags: what is an option keeps its value, whatever it is called.
        (["run", "--user=0", "--name=t", "-h=1", "x"], ["--user=0", "--name=t", "-h=1", "x"]),
        (["logs", "--tail=1", "-f=true", "c"], ["--tail=1", "-f", "c"]),
        (["stop", "--time=0", "c"], ["--time=0", "c"]),
        (["ps", "-f=true", "-a=true"], ["-f=true", "-a"]), (["run", "--pull=true", "x"], ["--pull=true", "x"]),
        (["build", "--pull=true", "-t=1", "."], ["--pull", "-t=1", "."]),
        (["pull", "--disable-content-trust=false", "x"], ["--no-disable-content-trust", "x"]),
        (["rm", "-v=true", "--", "-x=true"], ["-v", "--", "-x=true"]),
    ]

    @Test(arguments: cases)
    func normalizes(arguments: [String], result: [String]) {
        #expect(CommandPath(arguments).arguments == result)
        #expect(!CommandPath(arguments).wantsHelp)
    }

    @Test(arguments: [
        ["run", "-e", "x", "--help"], ["container", "run", "--name", "n", "--help"], ["images", "x", "--help"],
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
