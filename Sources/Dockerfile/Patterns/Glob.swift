/// A compiled path pattern. Matching follows all ways through it at once, so that no pattern, however many stars it
/// has, takes more time than its length times the path's.
struct Glob: Sendable, Hashable {
    /// A character: a Unicode scalar, or `invalid` plus a byte that is not UTF-8.
    typealias Character = UInt32

    private enum Token: Sendable, Hashable {
        case literal(Character)
        /// Any one character but a slash.
        case one
        /// Any text without a slash.
        case star
        /// Any text.
        case everything
        /// Nothing, or any text that ends in a slash: always in front of `insideDirectories`, which it may skip.
        case directories
        /// The rest of such a text, once it has begun.
        case insideDirectories
        case oneOf([ClosedRange<Character>], negated: Bool)
    }

    static let slash = Character(ASCII.slash)
    private static let invalid: Character = 0x11_0000

    private var tokens: [Token] = []
    /// The characters, if all tokens are literals: most patterns are, and need no more than a comparison.
    private var literals: [Character]?
    /// Whether a class can match a slash. Go's `filepath.Match` says no; those who read ignore files make a regular
    /// expression of the pattern, where it can.
    private let classesMatchSlashes: Bool

    /// Reads a pattern.
    /// - Parameter doubleStars: whether `**` stands for any directories, as in ignore files.
    ///
    /// Throws `invalidPattern`, without a place.
    init(_ text: String, doubleStars: Bool) throws(DockerfileError) {
        var rest = Array(text.unicodeScalars.map(\.value))[...]
        classesMatchSlashes = doubleStars
        if doubleStars, let suffix = Glob.suffix(rest) {
            tokens = [.everything] + suffix.map { .literal($0) }
            return
        }
        func fault(_ why: String) -> DockerfileError {
            DockerfileError(.invalidPattern, "the pattern \(text.shown) is not well formed: \(why)")
        }
        while let character = rest.popFirst() {
            switch character {
            case Glob.star where doubleStars && rest.first == Glob.star:
                rest.removeFirst()
                if rest.first == Glob.slash { rest.removeFirst() }
                tokens += rest.isEmpty ? [.everything] : [.directories, .insideDirectories]
            case Glob.star: if tokens.last != .star { tokens.append(.star) }
            case Character(ASCII.question): tokens.append(.one)
            case Character(ASCII.openBracket):
                guard let token = Glob.characterClass(&rest) else { throw fault("a [ starts no class") }
                tokens.append(token)
            case Character(ASCII.backslash):
                guard let escaped = rest.popFirst() else { throw fault("nothing follows the \\ at its end") }
                tokens.append(.literal(escaped))
            default: tokens.append(.literal(character))
            }
        }
        let characters = tokens.compactMap { if case .literal(let character) = $0 { character } else { nil } }
        literals = characters.count == tokens.count ? characters : nil
    }

    /// What stands behind a `**` that the pattern starts with, if there are no other wildcards and no slash follows: then
    /// the `**` stands for any text, as `**.go` for `a.go` (moby/patternmatcher, `suffixMatch`).
    private static func suffix(_ pattern: ArraySlice<Character>) -> ArraySlice<Character>? {
        let special: [Character] =
            [star, Character(ASCII.question), Character(ASCII.openBracket)]
            + [Character(ASCII.closeBracket), Character(ASCII.backslash)]
        let suffix = pattern.dropFirst(2)
        guard pattern.starts(with: [star, star]), let first = suffix.first, first != slash else { return nil }
        return suffix.contains(where: special.contains) ? nil : suffix
    }

    /// The pattern as a text, if it has no wildcards.
    var literal: String? {
        guard let literals else { return nil }
        var text = String.UnicodeScalarView()
        text.append(contentsOf: literals.compactMap(Unicode.Scalar.init))
        return String(text)
    }

    /// Whether a path, from `characters(_:)`, matches as a whole.
    /// - Parameter orParent: whether it is enough that one of the directories which the path is in matches.
    func matches(_ path: some Collection<Character>, orParent: Bool = false) -> Bool {
        if let literals {
            guard path.starts(with: literals) else { return false }
            let rest = path.dropFirst(literals.count)
            return rest.isEmpty || (orParent && rest.first == Glob.slash)
        }
        var states = StateSet(upTo: tokens.count)
        add(0, to: &states)
        for character in path {
            if orParent, character == Glob.slash, states.contains(tokens.count) { return true }
            var following = StateSet(upTo: tokens.count)
            for index in tokens.indices where states.contains(index) {
                step(from: index, over: character, into: &following)
            }
            if following.isEmpty { return false }
            states = following
        }
        return states.contains(tokens.count)
    }

    /// Adds the states that one state leads to when it meets a character.
    private func step(from index: Int, over character: Character, into states: inout StateSet) {
        let isSlash = character == Glob.slash
        switch tokens[index] {
        case .literal(let wanted): if wanted == character { add(index + 1, to: &states) }
        case .one: if !isSlash { add(index + 1, to: &states) }
        case .star: if !isSlash { add(index, to: &states) }
        case .everything: add(index, to: &states)
        case .directories: break
        case .insideDirectories:
            add(index, to: &states)
            if isSlash { add(index + 1, to: &states) }
        case .oneOf(let ranges, let negated):
            guard !isSlash || classesMatchSlashes else { return }
            if ranges.contains(where: { $0.contains(character) }) != negated { add(index + 1, to: &states) }
        }
    }

    /// Adds a state and those that it reaches by matching nothing.
    private func add(_ state: Int, to states: inout StateSet) {
        var state = state
        while !states.contains(state) {
            states.insert(state)
            guard state < tokens.count else { return }
            switch tokens[state] {
            case .star, .everything: state += 1
            case .directories:
                states.insert(state + 1)
                state += 2
            case .literal, .one, .insideDirectories, .oneOf: return
            }
        }
    }

    private static let star = Character(ASCII.star)

    /// What follows a `[`, up to its `]`; nil if that is not well formed.
    private static func characterClass(_ rest: inout ArraySlice<Character>) -> Token? {
        var negated = false
        if rest.first == Character(UInt8(ascii: "^")) {
            negated = true
            rest.removeFirst()
        }
        func member() -> Character? {
            guard let character = rest.popFirst() else { return nil }
            if character == Character(ASCII.backslash) { return rest.popFirst() }
            return character == Character(ASCII.dash) || character == Character(ASCII.closeBracket) ? nil : character
        }
        var ranges: [ClosedRange<Character>] = []
        while let next = rest.first {
            if next == Character(ASCII.closeBracket), !ranges.isEmpty {
                rest.removeFirst()
                return .oneOf(ranges, negated: negated)
            }
            guard let low = member() else { return nil }
            var high = low
            if rest.first == Character(ASCII.dash) {
                rest.removeFirst()
                guard let last = member() else { return nil }
                high = last
            }
            // A range that runs backwards is well formed in Go and holds nothing.
            ranges.append(low <= high ? low...high : Character.max...Character.max)
        }
        return nil
    }

    /// A path as characters, so that `?` is one of them whatever its length in bytes.
    static func characters(_ path: some Sequence<UInt8>) -> [Character] {
        let bytes = Array(path)
        if bytes.allSatisfy({ $0 < 0x80 }) { return bytes.map(Character.init) }
        var characters: [Character] = []
        var index = 0
        while index < bytes.count {
            let length = [1, 2, 3, 4].first { length in
                index + length <= bytes.count
                    && String(validating: bytes[index..<index + length], as: UTF8.self)?.unicodeScalars.count == 1
            }
            if let length, let scalar = bytes[index..<index + length].text.unicodeScalars.first {
                characters.append(scalar.value)
                index += length
            } else {
                characters.append(invalid + Character(bytes[index]))
                index += 1
            }
        }
        return characters
    }
}
