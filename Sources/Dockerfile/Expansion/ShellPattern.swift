/// The patterns of `${name#pattern}` and its like: `*` is any text, `?` any one character, an escaped character
/// itself.
struct ShellPattern: Sendable {
    private enum Token: Sendable {
        case scalar(Unicode.Scalar)
        case one
        case any
    }

    private var tokens: [Token] = []

    init(_ text: String, escape: EscapeCharacter) {
        var escaped = false
        for scalar in text.unicodeScalars {
            if escaped {
                tokens.append(.scalar(scalar))
                escaped = false
            } else if String(scalar) == escape.rawValue {
                escaped = true
            } else {
                tokens.append(scalar == "*" ? .any : scalar == "?" ? .one : .scalar(scalar))
            }
        }
    }

    /// The pattern that matches the same texts read backwards.
    func reversed() -> ShellPattern {
        var pattern = self
        pattern.tokens.reverse()
        return pattern
    }

    /// How much of the front of a text matches, at most or at least; nil if nothing does.
    ///
    /// All ways through the pattern are followed at once, so that no pattern takes more time than its length times
    /// the text's.
    func prefixLength(in text: ArraySlice<Unicode.Scalar>, longest: Bool) -> Int? {
        var states = close([0])
        var best: Int?
        var length = 0
        for scalar in text {
            if states.contains(tokens.count) {
                best = length
                if !longest { return best }
            }
            var following: Set<Int> = []
            for state in states where state < tokens.count {
                switch tokens[state] {
                case .scalar(let wanted): if wanted == scalar { following.insert(state + 1) }
                case .one: following.insert(state + 1)
                case .any: following.insert(state)
                }
            }
            states = close(following)
            if states.isEmpty { return best }
            length += 1
        }
        return states.contains(tokens.count) ? length : best
    }

    /// Adds the states that a `*` reaches by matching nothing.
    private func close(_ states: Set<Int>) -> Set<Int> {
        var closed = states
        for state in states {
            var state = state
            while state < tokens.count, case .any = tokens[state] {
                state += 1
                closed.insert(state)
            }
        }
        return closed
    }
}
