import Dockerfile
import Testing

/// What Go's documentation of `filepath.Match` says, and the reference of `.dockerignore`.
@Suite struct PatternTests {
    static let globs: [(pattern: String, path: String, matches: Bool)] = [
        ("abc", "abc", true), ("*", "abc", true), ("*c", "abc", true), ("a*", "a", true), ("a*", "abc", true),
        ("a*", "ab/c", false), ("a*/b", "abc/b", true), ("a*/b", "a/c/b", false),
        ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
        ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true), ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false),
        ("a*b?c*x", "abxbbxdbxebxczzx", true),
        ("a*b?c*x", "abxbbxdbxebxczzy", false), ("ab[c]", "abc", true), ("ab[b-d]", "abc", true),
        ("ab[e-g]", "abc", false),
        ("ab[^c]", "abc", false), ("ab[^e-g]", "abc", true), ("a\\*b", "a*b", true), ("a\\*b", "ab", false),
        ("a?b", "a☺b", true),
        ("a[^a]b", "a☺b", true), ("a???b", "a☺b", false), ("[a-ζ]*", "α", true), ("*[a-ζ]", "A", false),
        ("a?b", "a/b", false),
        ("a*b", "a/b", false), ("[\\]a]", "]", true), ("[\\-]", "-", true), ("[x\\-]", "z", false),
        ("*x", "xxx", true), ("**", "a/b", false),
        ("[^a]", "/", false), ("hom*", "home.txt", true), ("hom?.txt", "home.txt", true), ("", "", true),
        ("a[[]b", "a[b", true),
        ("[z-a]", "m", false), ("a", "ab", false), ("?", "", false), (".*", ".git", true), ("*", ".git", true),
    ]

    @Test(arguments: globs) func matches(pattern: String, path: String, matches: Bool) throws {
        #expect(try GlobPattern(pattern).matches(path) == matches)
    }

    @Test(arguments: ["[]a]", "[-]", "[x-]", "[-x]", "[", "[^", "[^bc", "[a", "a\\", "[]", "[^]"])
    func refuses(pattern: String) {
        let error = #expect(throws: DockerfileError.self) { try GlobPattern(pattern) }
        #expect(error?.code == .invalidPattern)
    }

    /// More places than fit into one machine word.
    @Test func longPatterns() throws {
        let name = String(repeating: "ab", count: 150)
        #expect(try GlobPattern("*\(name)?").matches("x\(name)y"))
        #expect(try !GlobPattern("*\(name)?").matches("x\(name)"))
        #expect(try IgnorePatterns(["**/\(name)/*"]).excludes("x/y/\(name)/z/w"))
        #expect(try !IgnorePatterns(["**/\(name)/*"]).excludes("x/y/\(name)"))
    }

    @Test func namesThatAreNotText() throws {
        let name: [UInt8] = [0x61, 0xFF, 0x62]
        #expect(try GlobPattern("a?b").matches(name))
        #expect(try GlobPattern("a*").matches(name))
        #expect(try !GlobPattern("a\u{FFFD}b").matches(name))
        #expect(try !GlobPattern("a??b").matches(name))
    }

    @Test func literalsAndComponents() throws {
        #expect(try GlobPattern("a/b\\*").literal == "a/b*")
        #expect(try GlobPattern("a/b*").literal == nil)
        #expect(try GlobPattern("/a/./b*//c/").components().map(\.text) == ["a", "b*", "c"])
    }

    static let ignored: [(patterns: [String], path: String, excluded: Bool)] = [
        // The examples of the reference.
        (["*/temp*"], "somedir/temporary.txt", true), (["*/temp*"], "somedir/temp", true),
        (["*/temp*"], "temp", false),
        (["*/*/temp*"], "somedir/subdir/temporary.txt", true), (["*/*/temp*"], "somedir/temp", false),
        (["temp?"], "tempa", true), (["temp?"], "temp", false), (["temp?"], "temp/a", false),
        (["**/*.go"], "a.go", true),
        (["**/*.go"], "a/b/c.go", true), (["**/*.go"], "a.got", false), (["*.md", "!README.md"], "a.md", true),
        (["*.md", "!README.md"], "README.md", false),
        (["*.md", "!README*.md", "README-secret.md"], "README-secret.md", true),
        (["*.md", "!README*.md", "README-secret.md"], "README.md", false),
        (["*.md", "README-secret.md", "!README*.md"], "README-secret.md", false), (["/foo/bar"], "foo/bar", true),
        (["foo/bar"], "foo/bar", true), (["foo/../bar"], "bar", true), (["./foo/"], "foo", true),
        (["."], "a", false), (["/"], "a", false),
        // A directory takes what is in it along, unless a later exception takes it back.
        (["dir"], "dir/a/b", true), (["dir"], "direct", false), (["dir", "!dir/a"], "dir/a", false),
        (["dir", "!dir/a"], "dir/a/b", false), (["dir", "!dir/a"], "dir/b", true),
        (["*", "!src"], "src/a/b.c", false),
        (["*", "!src"], "other/a", true), (["*", "!src", "src/tmp"], "src/tmp/x", true),
        (["!a", "a"], "a", true), (["**"], "a/b", true),
        (["**", "!a/b"], "a/b", false), (["a/**"], "a", false), (["a/**"], "a/b/c", true),
        (["a/**/b"], "a/b", true),
        (["a/**/b"], "a/x/y/b", true), (["a/**/b"], "ab", false), (["**/node_modules"], "x/node_modules/y", true),
        (["**/node_modules"], "xnode_modules", false), (["a**b"], "ax/b", true), (["a**b"], "axb", false),
        (["**/a/**"], "x/a/y", true),
        (["**/a/**"], "x/ab/y", false), (["a\\*"], "a*", true), (["[ab]/c"], "b/c/d", true),
        (["../a"], "a", false), ([" a "], "a", true),
        (["! a", "a"], "a", true), (["a", "! a"], "a", false), ([], "a", false), (["**"], "", false),
    ]

    @Test(arguments: ignored) func excludes(patterns: [String], path: String, excluded: Bool) throws {
        #expect(try IgnorePatterns(patterns).excludes(path) == excluded)
    }

    @Test func file() throws {
        let text = "\u{FEFF}# comment\r\n\r\n  *.o \r\n!keep.o\n #not-a-comment\n"
        let patterns = try IgnorePatterns(parsing: Array(text.utf8))
        #expect(patterns.excludes("a.o"))
        #expect(!patterns.excludes("keep.o"))
        #expect(patterns.excludes("#not-a-comment"))
        #expect(!patterns.excludes("# comment"))
        #expect(try IgnorePatterns(parsing: []).isEmpty)
    }

    @Test func faultsHaveAPlace() {
        for text in ["a\n[\n", "a\n!\n", "a\n  b\\\n"] {
            let error = #expect(throws: DockerfileError.self) {
                try IgnorePatterns(parsing: Array(text.utf8), file: "x/.dockerignore")
            }
            #expect(error?.code == .invalidPattern)
            #expect(error?.description.hasPrefix("x/.dockerignore:2:1: ") == true)
        }
    }

    static let pruned: [(patterns: [String], directory: String, pruned: Bool)] = [
        (["a"], "a", true), (["a"], "b", false), (["a"], "a/b", true), (["*", "!a/b"], "a", false),
        (["*", "!a/b"], "c", true),
        (["*", "!a/b"], "a/c", true), (["*", "!a/*/c"], "a/x", false), (["*", "!a/*/c"], "b/x", true),
        (["*", "!**/x"], "c/d", false),
        (["*", "!a/**"], "b", true), (["*", "!a/**"], "a/d/e", false), (["*", "!a"], "a", false),
    ]

    @Test(arguments: pruned) func prunes(patterns: [String], directory: String, pruned: Bool) throws {
        #expect(try IgnorePatterns(patterns).prunes(directory) == pruned)
    }

    /// Pruning must never lose a path that is taken back in, whatever the patterns.
    @Test func pruningLosesNothing() throws {
        let names = ["a", "b", "*", "**", "a*", "?"]
        let paths = ["a", "b"].flatMap { x in ["a", "b"].flatMap { y in ["a", "b"].map { "\(x)/\(y)/\($0)" } } }
        var pruned = 0
        for first in names {
            for second in names {
                for third in names {
                    let exceptions = ["!\(first)/\(second)/\(third)", "!\(third)/\(second)"]
                    let patterns = try IgnorePatterns([first] + exceptions + [second])
                    for path in paths {
                        let parts = path.split(separator: "/")
                        for depth in 1...2 where patterns.prunes(parts.prefix(depth).joined(separator: "/")) {
                            pruned += 1
                            #expect(patterns.excludes(path), "\(first) \(second) \(third): \(path)")
                        }
                    }
                }
            }
        }
        #expect(pruned > 100)
    }
}
