import Dockerfile
import Testing

/// The table of the reference's "Environment replacement", and what a POSIX shell does with the same text.
@Suite struct ExpansionTests {
    static let variables = [
        "foo": "/bar", "empty": "", "str": "foobarbaz", "two": "a b", "star": "a*b?c",
        "path": "/usr/local/lib", "x": "é世",
    ]

    static let expansions: [(text: String, result: String)] = [
        // Plain, and names.
        ("", ""), ("abc", "abc"), ("a b", "a b"), ("$foo", "/bar"), ("${foo}", "/bar"), ("${foo}_x", "/bar_x"),
        ("$foo_x", ""), ("$foo-x", "/bar-x"), ("a$foo/b", "a/bar/b"), ("$unset", ""), ("$1", ""),
        ("$12x", "x"), ("$", "$"),
        ("a$", "a$"), ("$ a", "$ a"), ("$%", "$%"), ("$$", ""), ("$foo$foo", "/bar/bar"), ("é$foo世", "é/bar世"),
        // Escapes and quotes.
        ("\\$foo", "$foo"), ("\\${foo}", "${foo}"), ("\\\\$foo", "\\/bar"), ("\\a", "a"), ("a\\", "a"),
        ("\\\"", "\""),
        ("'$foo'", "$foo"), ("'a\\b'", "a\\b"), ("\"$foo\"", "/bar"), ("\"\\$foo\"", "$foo"), ("\"\\a\"", "\\a"),
        ("\"\\\\\"", "\\"), ("\"a\\\"b\"", "a\"b"), ("\"it's\"", "it's"), ("'\"'", "\""),
        ("a\"b c\"d", "ab cd"), ("''", ""),
        // :- - :+ + :? ?
        ("${foo:-w}", "/bar"), ("${empty:-w}", "w"), ("${unset:-w}", "w"),
        ("${foo-w}", "/bar"), ("${empty-w}", ""), ("${unset-w}", "w"),
        ("${foo:+w}", "w"), ("${empty:+w}", ""), ("${unset:+w}", ""),
        ("${foo+w}", "w"), ("${empty+w}", "w"), ("${unset+w}", ""),
        ("${foo:?w}", "/bar"), ("${empty?w}", ""),
        ("${unset:-$foo}", "/bar"), ("${unset:-${empty:-${foo}}}", "/bar"), ("${unset:-'$foo'}", "$foo"),
        ("${unset:-\"a}b\"}", "a}b"), ("${unset:-a\\}b}", "a}b"), ("${unset:-}", ""), ("${unset:-a b}", "a b"),
        // # ## % %% / //, the first six from the reference.
        ("${str#f*b}", "arbaz"), ("${str##f*b}", "az"), ("${str%b*}", "foobar"), ("${str%%b*}", "foo"),
        ("${str/ba/fo}", "fooforbaz"), ("${str//ba/fo}", "fooforfoz"),
        ("${str#x}", "foobarbaz"), ("${str#}", "foobarbaz"), ("${str##*}", ""), ("${str%%*}", ""),
        ("${str#*}", "foobarbaz"),
        ("${str%?}", "foobarba"), ("${str#???}", "barbaz"), ("${str/b*/X}", "fooX"), ("${str//o/}", "fbarbaz"),
        ("${str//o}", "fbarbaz"), ("${str/o}", "fobarbaz"), ("${star/\\*/X}", "aXb?c"), ("${star//\\?/X}", "a*bXc"),
        ("${path##*/}", "lib"), ("${path%/*}", "/usr/local"), ("${path//\\//-}", "-usr-local-lib"), ("${x%?}", "é"),
        ("${x#?}", "世"), ("${unset#a}", ""), ("${str/$unset/X}", "foobarbaz"), ("${str%${unset:-baz}}", "foobar"),
        ("${str/bar/$foo}", "foo/barbaz"), ("${str//?/ab}", "ababababababababab"),
        ("${empty/*/x}", "x"), ("${empty/?/x}", ""), ("${unset//*/x}", "x"), ("${star/*\\*/X}", "Xb?c"),
    ]

    @Test(arguments: expansions) func expands(text: String, result: String) throws {
        #expect(try Expander { ExpansionTests.variables[$0] }.expand(text) == result)
    }

    static let words: [(text: String, words: [String])] = [
        ("", []), ("  ", []), ("a b", ["a", "b"]), (" a\tb ", ["a", "b"]), ("'a b' c", ["a b", "c"]),
        ("\"\"", [""]),
        ("a '' b", ["a", "", "b"]), ("$two", ["a", "b"]), ("\"$two\"", ["a b"]), ("x$two", ["xa", "b"]),
        ("$two$two", ["a", "ba", "b"]),
        ("a\\ b", ["a b"]), ("$unset", []), ("\"$unset\"", [""]), ("${unset:-c d}", ["c", "d"]),
        ("a$unset b", ["a", "b"]),
    ]

    @Test(arguments: words) func splits(text: String, words: [String]) throws {
        #expect(try Expander { ExpansionTests.variables[$0] }.words(text) == words)
    }

    static let bodies: [(text: String, result: String)] = [
        ("a $foo\n", "a /bar\n"), ("'$foo' \"$foo\"\n", "'/bar' \"/bar\"\n"), ("\\$foo\n", "$foo\n"),
        ("a\\nb\\\\c\n", "a\\nb\\c\n"),
        ("  ${unset:-x}  \n", "  x  \n"), ("it's\n", "it's\n"), ("\\", "\\"),
    ]

    @Test(arguments: bodies) func expandsBodies(text: String, result: String) throws {
        #expect(try Expander { ExpansionTests.variables[$0] }.expandBody(text) == result)
    }

    static let faults: [(text: String, code: DockerfileError.Code)] = [
        ("${", .badSubstitution), ("${}", .badSubstitution), ("${foo", .badSubstitution),
        ("${foo:}", .badSubstitution),
        ("${foo:x}", .badSubstitution), ("${foo^}", .badSubstitution), ("${foo:-a", .badSubstitution),
        ("${foo/a", .badSubstitution), ("${-}x${", .badSubstitution), ("'a", .unterminatedQuote),
        ("\"a", .unterminatedQuote),
        ("a\"b'c", .unterminatedQuote), ("${unset:-'a}", .unterminatedQuote), ("${unset:?}", .unsetVariable),
        ("${empty:?}", .unsetVariable), ("${unset?}", .unsetVariable), ("${ }", .badSubstitution),
        (String(repeating: "${a:-", count: 1000), .tooLarge),
    ]

    @Test(arguments: faults) func refuses(text: String, code: DockerfileError.Code) {
        let error = #expect(throws: DockerfileError.self) {
            try Expander { ExpansionTests.variables[$0] }.expand(text)
        }
        #expect(error?.code == code)
    }

    @Test func messageOfAnUnsetVariable() {
        let error = #expect(throws: DockerfileError.self) { try Expander { _ in nil }.expand("${a:?choose one}") }
        #expect(error?.message == "a: choose one")
    }

    @Test func theEscapeCharacterCanBeAnother() throws {
        let expander = Expander(escape: .backtick) { _ in "v" }
        #expect(try expander.expand("`$a \\$a c:\\x``") == "$a \\v c:\\x`")
    }

    /// A variable that doubles with every line must end in an error, not in a full memory.
    @Test func doublingEnds() throws {
        var value = "0123456789"
        #expect(throws: DockerfileError.self) {
            for _ in 0..<40 {
                let last = value
                value = try Expander { _ in last }.expand("$a$a")
            }
        }
        #expect(value.utf8.count <= 4 << 20)
    }

    /// Patterns whose matching takes exponential time in a naive matcher.
    @Test(.timeLimit(.minutes(1))) func hardPatterns() throws {
        let text = String(repeating: "a", count: 2000)
        let stars = String(repeating: "*a", count: 20)
        let expander = Expander { _ in text }
        #expect(try expander.expand("${t##\(stars)b}") == text)
        #expect(try expander.expand("${t%%\(stars)}") == "")
        #expect(try GlobPattern("\(stars)b").matches(text) == false)
        #expect(try IgnorePatterns([String(repeating: "**/a*", count: 20) + "b"]).excludes(text) == false)
    }
}
