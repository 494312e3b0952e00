import Dockerfile
import TestSupport
import Testing

/// Ignore patterns against a small matcher written from the description of moby/patternmatcher, which tries every way
/// through a pattern; on random patterns and all paths of a small tree.
@Suite struct IgnorePropertyTests {
    /// One pattern as moby/patternmatcher takes it apart.
    private struct Reference {
        enum Element {
            case scalar(Unicode.Scalar)
            case one, star, directories, everything
            case members([ClosedRange<Unicode.Scalar>], negated: Bool)
        }

        var isException = false
        var elements: [Element] = []

        /// Nil for a pattern that stands for nothing.
        init?(_ line: String) {
            var text = line.trimmed
            if text.hasPrefix("!") {
                isException = true
                text = String(text.dropFirst()).trimmed
            }
            let cleaned = Self.clean(text)
            guard !cleaned.isEmpty else { return nil }
            var rest = Array(cleaned.unicodeScalars)[...]
            let isSuffix =
                cleaned.hasPrefix("**") && cleaned.count > 2 && !cleaned.dropFirst(2).contains { "*?[]\\".contains($0) }
            if isSuffix && !cleaned.hasPrefix("**/") {
                elements = [.everything] + rest.dropFirst(2).map { .scalar($0) }
                return
            }
            while let scalar = rest.popFirst() {
                switch scalar {
                case "*" where rest.first == "*":
                    rest.removeFirst()
                    if rest.first == "/" { rest.removeFirst() }
                    elements.append(rest.isEmpty ? .everything : .directories)
                case "*": elements.append(.star)
                case "?": elements.append(.one)
                case "\\": if let next = rest.popFirst() { elements.append(.scalar(next)) }
                case "[": elements.append(Self.members(&rest))
                default: elements.append(.scalar(scalar))
                }
            }
        }

        /// The shortest path that means the same (Go's `path.Clean`), without a slash in front.
        private static func clean(_ path: String) -> String {
            var names: [Substring] = []
            for name in path.split(separator: "/") where name != "." {
                if name == "..", let last = names.last, last != ".." {
                    names.removeLast()
                } else if name != ".." || !path.hasPrefix("/") {
                    names.append(name)
                }
            }
            return names.joined(separator: "/")
        }

        private static func members(_ rest: inout ArraySlice<Unicode.Scalar>) -> Element {
            var negated = false
            if rest.first == "^" {
                negated = true
                rest.removeFirst()
            }
            var ranges: [ClosedRange<Unicode.Scalar>] = []
            while let low = rest.popFirst(), low != "]" {
                var high = low
                if rest.first == "-" {
                    rest.removeFirst()
                    high = rest.popFirst() ?? low
                }
                ranges.append(low...high)
            }
            return .members(ranges, negated: negated)
        }

        func matches(_ path: String) -> Bool {
            Self.matches(elements[...], Array(path.unicodeScalars)[...])
        }

        private static func matches(
            _ pattern: ArraySlice<Element>, _ path: ArraySlice<Unicode.Scalar>
        ) -> Bool {
            guard let element = pattern.first else { return path.isEmpty }
            let (next, rest) = (pattern.dropFirst(), path.dropFirst())
            switch element {
            case .scalar(let scalar): return path.first == scalar && matches(next, rest)
            case .one: return path.first.map { $0 != "/" } == true && matches(next, rest)
            case .members(let ranges, let negated):
                guard let first = path.first else { return false }
                return ranges.contains { $0.contains(first) } != negated && matches(next, rest)
            case .star:
                return matches(next, path) || (path.first.map { $0 != "/" } == true && matches(pattern, rest))
            case .everything: return path.indices.contains { matches(next, path[$0...]) } || matches(next, [])
            case .directories:
                return matches(next, path)
                    || path.indices.contains { path[$0] == "/" && matches(next, path[($0 + 1)...]) }
            }
        }
    }

    /// The last pattern that matches the path, or a directory that it is in, decides (Docker's documentation of ignore
    /// files; `MatchesOrParentMatches`).
    private static func excludes(_ patterns: [Reference], _ path: String) -> Bool {
        let names = path.split(separator: "/")
        var isExcluded = false
        for pattern in patterns {
            let matches = (1...names.count).contains { pattern.matches(names.prefix($0).joined(separator: "/")) }
            if matches { isExcluded = !pattern.isException }
        }
        return isExcluded
    }

    private static let names = ["a", "b", "ab", "a.b", ".a", "a*b"]
    private static let pieces = [
        "a", "b", "ab", ".", "*", "**", "?", "/", "/", "[ab]", "[^a]", "[a-b]", "\\*", "a.b", "..", "*.b", ".a", "/**",
        "**/",
    ]

    /// Every path of one, two and three names.
    private static let paths: [String] = {
        let two = names.flatMap { first in names.map { "\(first)/\($0)" } }
        return names + two + two.flatMap { first in names.map { "\(first)/\($0)" } }
    }()

    @Test func decidesAsTheReference() throws {
        var (excluded, included, pruned) = (0, 0, 0)
        try Mutator.repeated(400) { seed, random in
            let lines = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                let pieces = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                    Self.pieces.randomElement(using: &random) ?? "a"
                }
                return (Bool.random(using: &random) ? "" : "!") + pieces.joined()
            }
            let text = lines.joined(separator: "\n")
            // A lone `!` is no pattern, and refused; the reference has nothing to say about it.
            guard !lines.contains(where: { $0 == "!" }) else { return }
            let patterns = try IgnorePatterns(parsing: Array(text.utf8))
            let references = lines.compactMap(Reference.init)
            for path in Self.paths {
                let wanted = Self.excludes(references, path)
                #expect(patterns.excludes(path) == wanted, "seed \(seed): \(lines) on \(path)")
                if wanted { excluded += 1 } else { included += 1 }
                guard patterns.prunes(path) else { continue }
                pruned += 1
                let below = Self.paths.filter { $0.hasPrefix(path + "/") }
                #expect(below.allSatisfy { Self.excludes(references, $0) }, "seed \(seed): \(lines) below \(path)")
            }
        }
        #expect(excluded > 1000 && included > 1000 && pruned > 1000, "\(excluded), \(included), \(pruned)")
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
