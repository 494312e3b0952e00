/// Lines at the end of what a terminal shows that are drawn again and again, as text with control sequences.
///
/// The cursor stays on the first of them. So they are erased whole when the terminal has become narrower or wider since,
/// whether it breaks lines anew or not. While they are drawn the terminal breaks none (DECAWM): each takes one row.
package struct LiveLines {
    private var lines: [String] = []

    /// No lines.
    package init() {}

    /// Takes the lines off the terminal.
    package mutating func erased() -> String {
        defer { lines = [] }
        // tmux keeps in its history what is erased from the screen's first column and row: hence a blank before.
        return lines.isEmpty ? "" : "\r \u{1b}[J\r"
    }

    /// Shows these lines in the place of those before. They may choose colours; they have no line feeds, and are no more
    /// than the terminal has rows.
    package mutating func drawn(_ lines: [String]) -> String {
        let before = erased()
        if lines.isEmpty { return before }
        self.lines = lines
        return before + text + "\r" + (lines.count > 1 ? "\u{1b}[\(lines.count - 1)A" : "")
    }

    /// Leaves the lines as they are and goes on below them.
    package mutating func left() -> String {
        let text = lines.isEmpty ? "" : text + "\n"
        return erased() + text
    }

    private var text: String { "\u{1b}[?7l" + lines.joined(separator: "\n") + "\u{1b}[?7h" }
}
