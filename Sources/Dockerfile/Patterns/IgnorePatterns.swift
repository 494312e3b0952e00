/// The patterns of a `.dockerignore`, and of `--exclude`: which paths of a build context are left out.
///
/// The last pattern that matches a path or one of the directories it is in decides; with `!` in front it takes the
/// path back in. `*`, `?` and `[…]` are those of `GlobPattern`, and `**` stands for any number of directories. As with
/// BuildKit, a class can match a slash, and a `**` in front of a plain text stands for any text (`**.go`).
/// Patterns are relative to the context, with or without a leading slash.
public struct IgnorePatterns: Sendable, Hashable {
    private struct Pattern: Sendable, Hashable {
        let glob: Glob
        let isException: Bool
        /// The pattern's names, to see whether it can match below a directory; nil from the first `**` or class on, as
        /// both can match a slash.
        let names: [Glob?]
        /// Whether it matches whatever stands in the context itself.
        let isEverything: Bool
    }

    private var patterns: [Pattern] = []

    /// Whether there is no pattern, so that nothing is left out.
    public var isEmpty: Bool { patterns.isEmpty }

    /// Whether some pattern takes back in what others leave out.
    public var hasExceptions: Bool { patterns.contains(where: \.isException) }

    /// Whether one pattern leaves out everything.
    public var excludesEverything: Bool { patterns.contains { $0.isEverything && !$0.isException } }

    /// Reads the content of a `.dockerignore`: one pattern a line; lines that start with `#`, and blank ones, do not
    /// count.
    ///
    /// Throws `invalidPattern` or `notText` with the place.
    public init(parsing bytes: [UInt8], file: String = ".dockerignore") throws(DockerfileError) {
        let source = try SourceText(bytes, file: file)
        for (number, line) in source.lines.enumerated() where line.first != ASCII.hash {
            do {
                try add(line[...])
            } catch {
                throw source.locate(error, line: number, byte: 0)
            }
        }
    }

    /// Reads patterns that come one by one, as from `--exclude`.
    ///
    /// Throws `invalidPattern`, without a place.
    public init(_ patterns: [String]) throws(DockerfileError) {
        for pattern in patterns { try add(Array(pattern.utf8)[...]) }
    }

    /// Whether a path is left out. The context itself, the empty path, never is.
    /// - Parameter path: relative to the context, names separated by single slashes, none at either end.
    public func excludes(_ path: some Sequence<UInt8>) -> Bool {
        guard !patterns.isEmpty else { return false }
        let characters = Glob.characters(path)
        guard !characters.isEmpty else { return false }
        var excluded = false
        for pattern in patterns where pattern.isException == excluded {
            if pattern.glob.matches(characters, orParent: true) { excluded = !pattern.isException }
        }
        return excluded
    }

    /// Whether a path is left out.
    public func excludes(_ path: String) -> Bool { excludes(path.utf8) }

    /// Whether a directory and everything below it is left out, so that it need not be read. Exact if there are no
    /// exceptions; with exceptions, false also for some directories below which nothing is taken back in.
    public func prunes(_ directory: some Sequence<UInt8>) -> Bool {
        let path = Array(directory)
        guard excludes(path) else { return false }
        let names = path.split(separator: ASCII.slash).map(Glob.characters)
        return !patterns.contains { pattern in
            pattern.isException && zip(pattern.names, names).allSatisfy { $0?.matches($1) ?? true }
        }
    }

    /// Whether a directory and everything below it is left out.
    public func prunes(_ directory: String) -> Bool { prunes(directory.utf8) }

    private mutating func add(_ line: ArraySlice<UInt8>) throws(DockerfileError) {
        var rest = line.trimmed
        let isException = rest.first == UInt8(ascii: "!")
        if isException {
            rest = rest.dropFirst().trimmed
            guard !rest.isEmpty else {
                throw DockerfileError(.invalidPattern, "nothing follows the ! of an exception")
            }
        }
        guard !rest.isEmpty else { return }
        let names = IgnorePatterns.cleaned(rest)
        // A pattern for the context itself, such as ".", has never done anything.
        guard !names.isEmpty else { return }
        let glob = try Glob(names.joined(separator: "/"), doubleStars: true)
        var globs: [Glob?] = []
        for name in names {
            // Behind a ** there may be any number of names, so nothing below can be ruled out.
            guard !name.contains("**"), !name.contains("[") else {
                globs += Array(repeating: nil, count: names.count - globs.count)
                break
            }
            globs.append(try Glob(name, doubleStars: false))
        }
        let isEverything = [["*"], ["**"], ["**", "*"]].contains(names)
        patterns.append(Pattern(glob: glob, isException: isException, names: globs, isEverything: isEverything))
    }

    /// The names of a path without `.`, empty ones, and `..` with the name before it. A `..` at the front stays if the
    /// path is relative: nothing matches it.
    private static func cleaned(_ path: ArraySlice<UInt8>) -> [String] {
        var names: [String] = []
        for name in path.split(separator: ASCII.slash).map(\.text) where name != "." {
            if name != ".." {
                names.append(name)
            } else if let last = names.last, last != ".." {
                names.removeLast()
            } else if path.first != ASCII.slash {
                names.append(name)
            }
        }
        return names
    }
}
