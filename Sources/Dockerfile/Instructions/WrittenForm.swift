/// How an instruction is written, where that makes no difference to what it does: for remarks and descriptions.
public struct WrittenForm: Sendable, Hashable {
    /// The instruction's name as it is written.
    public var keyword: String
    /// The comments above, without `#` and the blanks at either end, top down. An empty comment ends those above it.
    public var comments: [String]
    /// Whether the last comment stands on the line directly above.
    public var isCommentAdjacent: Bool
    /// `ENV` or `LABEL` in the old form, `name value`.
    public var isLegacyKeyValue = false
    /// The line in which the instruction's text ends, if there are blank lines inside it; nil if there are none.
    public var emptyContinuation: Int?

    /// What the comments say about a stage or an argument: the rest of the one that begins with its name.
    public func description(of name: String) -> String? {
        comments.first { $0.hasPrefix(name + " ") }.map { String($0.dropFirst(name.count + 1)) }
    }
}
