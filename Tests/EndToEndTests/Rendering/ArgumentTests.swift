import Testing

@testable import strata

/// Arguments before the parser sees them.
@Suite struct ArgumentTests {
    static let cases: [([String], [String])] = [
        (["--root", "/x", "images", "-q"], ["images", "--root", "/x", "-q"]),
        (["--root=/x", "image", "ls"], ["image", "ls", "--root=/x"]),
        (["build", "--rm=false", "--no-cache=true", "-q=false", "."], ["build", "--no-rm", "--no-cache", "."]),
        (["run", "--rm=true", "-e", "A=true", "x", "--rm=false"], ["run", "--rm", "-e", "A=true", "x", "--rm=false"]),
        (["run", "-it", "x", "--help"], ["run", "-it", "x", "--help"]),
        (["run", "-e", "x", "--help"], ["help", "run"]),
        (["run", "-itw/x", "img", "--help"], ["run", "-itw/x", "img", "--help"]),
        (["container", "run", "--name", "n", "--help"], ["help", "container", "run"]),
        (["rm", "-f=true", "--", "-x=true"], ["rm", "-f=true", "--", "-x=true"]),
    ]

    @Test(arguments: cases)
    func normalizes(arguments: [String], result: [String]) {
        #expect(CommandPath(arguments).normalizedArguments == result)
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
