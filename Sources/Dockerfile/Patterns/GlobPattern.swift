/// A pattern for paths, as the sources of `COPY` have it (Go's `filepath.Match`): `*` is any text without a slash, `?`
/// any one character but a slash, `[a-z]` and `[^a-z]` one of or none of some characters, `\` takes the meaning from
/// the next character. The whole path has to match. Paths are bytes; a byte that is not UTF-8 counts as a character.
public struct GlobPattern: Sendable, Hashable {
    /// The pattern as it was written.
    public let text: String
    let glob: Glob

    /// Reads a pattern.
    ///
    /// Throws `invalidPattern`, without a place, for a class that is empty, is not closed or ends in `-`, and for `\`
    /// at the end.
    public init(_ text: String) throws(DockerfileError) {
        self.text = text
        glob = try Glob(text, doubleStars: false)
    }

    /// The one path that the pattern matches, without escapes, if it has no `*`, `?` or `[…]`.
    public var literal: String? { glob.literal }

    /// Whether a path matches.
    public func matches(_ path: some Sequence<UInt8>) -> Bool { glob.matches(Glob.characters(path)) }

    /// Whether a path matches.
    public func matches(_ path: String) -> Bool { matches(path.utf8) }

    /// The patterns of the single names of the path, cut at slashes, empty ones and `.` left out: for a walk that
    /// reads only the directories which can hold a match.
    ///
    /// Throws `invalidPattern`, without a place, if a slash stands in a class.
    public func components() throws(DockerfileError) -> [GlobPattern] {
        var components: [GlobPattern] = []
        for part in text.utf8.split(separator: ASCII.slash) where part.text != "." {
            components.append(try GlobPattern(part.text))
        }
        return components
    }
}
