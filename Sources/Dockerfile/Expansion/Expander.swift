/// Replaces variables in the arguments of instructions, as the reference's "Environment replacement" has it:
/// `$name`, `${name}`, the modifiers `:-` `:+` `:?` `-` `+` `?`, `#` `##` `%` `%%`, `/` and `//`; single quotes keep
/// everything, double quotes keep blanks, the escape character takes the meaning from the next one. Quotes go away.
public struct Expander {
    /// The longest result, in bytes. Far above what a kernel takes as one argument, far below what doubling a
    /// variable a few dozen times would make.
    static let maximumLength = 4 << 20
    /// How deep `${a:-${b:-…}}` may nest.
    static let maximumDepth = 64

    let escape: EscapeCharacter
    let lookup: (String) -> String?
    /// Whether only the form is of interest, so that `${name:?}` cannot fail.
    var checksOnly = false

    /// Makes an expander for one place in a Dockerfile.
    /// - Parameters:
    ///   - escape: the escape character of the Dockerfile.
    ///   - lookup: the value of a variable, nil if it is not set. Unset variables expand to nothing.
    public init(escape: EscapeCharacter = .backslash, lookup: @escaping (String) -> String?) {
        self.escape = escape
        self.lookup = lookup
    }

    /// Expands a text to one word, blanks and all.
    ///
    /// Throws `badSubstitution`, `unterminatedQuote`, `unsetVariable`, `tooLarge`; without a place.
    public func expand(_ text: String) throws(DockerfileError) -> String {
        if !text.utf8.contains(where: isSpecial) { return text }
        var run = ExpansionRun(self, Array(text.utf8))
        return try run.whole().joined.text
    }

    /// Expands a text and cuts it into words at the blanks outside quotes, those from variables included.
    ///
    /// Throws as `expand` does.
    public func words(_ text: String) throws(DockerfileError) -> [String] {
        var run = ExpansionRun(self, Array(text.utf8))
        return try run.whole().words.map(\.text)
    }

    /// Expands the body of a here-document: quotes mean nothing there, and the escape character only before `$`
    /// and itself.
    ///
    /// Throws as `expand` does.
    public func expandBody(_ text: String) throws(DockerfileError) -> String {
        var run = ExpansionRun(self, Array(text.utf8), body: true)
        return try run.whole().joined.text
    }

    private func isSpecial(_ byte: UInt8) -> Bool {
        byte == ASCII.dollar || byte == escape.byte || byte == ASCII.quote || byte == ASCII.apostrophe
    }

    /// Looks at the form of a text only. The error's second value is the offset of the fault in bytes.
    static func check(
        _ text: String, escape: EscapeCharacter, body: Bool = false
    ) -> (error: DockerfileError, offset: Int)? {
        var expander = Expander(escape: escape) { _ in nil }
        expander.checksOnly = true
        var run = ExpansionRun(expander, Array(text.utf8), body: body)
        do {
            _ = try run.whole()
            return nil
        } catch {
            return (error, run.faultOffset)
        }
    }
}
