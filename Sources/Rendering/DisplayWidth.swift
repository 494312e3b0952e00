/// How many columns of a terminal text takes.
///
/// A character takes one column, and two where East Asian Width (UAX #11) calls it wide or full-width or Unicode shows it
/// as an emoji by default (UTS #51). Marks that combine with the character before them, joiners and the middle and end of
/// a syllable in Hangul take none. The ranges are those of Unicode 15.1; the classes of marks and emojis are those that the
/// standard library knows. These are the rules of wcwidth(3) and of most terminals: an emoji that several characters
/// make takes the columns of all of them.
package enum DisplayWidth {
    /// The columns of a text without characters that act on a terminal.
    package static func of(_ text: String) -> Int {
        if isPlain(text) { return text.utf8.count }
        return text.unicodeScalars.reduce(0) { $0 + of($1) }
    }

    /// The columns of one character: 0, 1 or 2.
    package static func of(_ scalar: Unicode.Scalar) -> Int {
        if scalar.value < 0x300 { return 1 }
        if takesNone(scalar) { return 0 }
        let isWide = wide.contains { $0.contains(scalar.value) }
        return isWide || (scalar.properties.isEmojiPresentation && !regional.contains(scalar.value)) ? 2 : 1
    }

    /// The beginning of a text that fits in so many columns. What is seen as one character is not cut.
    package static func prefix(of text: String, columns: Int) -> Substring {
        var taken = 0
        var end = text.startIndex
        for index in text.indices {
            taken += of(String(text[index]))
            if taken > columns { break }
            end = text.index(after: index)
        }
        return text[..<end]
    }

    /// A text with blanks behind it, so that it takes so many columns; longer ones stay as they are.
    package static func padded(_ text: String, to columns: Int) -> String {
        text + String(repeating: " ", count: max(0, columns - of(text)))
    }

    /// Whether the text is one column for each byte, as nearly all are.
    private static func isPlain(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } }

    private static func takesNone(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: true
        default: (0x1160...0x11ff).contains(scalar.value) || (0xd7b0...0xd7ff).contains(scalar.value)
        }
    }

    /// The letters of flags are emojis, but narrow.
    private static let regional: ClosedRange<UInt32> = 0x1f1e6...0x1f1ff

    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115f, 0x2329...0x232a, 0x2e80...0x303e, 0x3041...0x3247, 0x3250...0x4dbf, 0x4e00...0xa4c6,
        0xa960...0xa97c, 0xac00...0xd7a3, 0xf900...0xfaff, 0xfe10...0xfe6b, 0xff01...0xff60, 0xffe0...0xffe6,
        0x16fe0...0x1b2fb, 0x1f200...0x1f265, 0x20000...0x3fffd,
    ]
}
