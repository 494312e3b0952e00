import Linux
import Testing

/// Text from elsewhere as people see it.
@Suite struct VisibleTextTests {
    @Test func whatActsOnATerminalIsMadeVisible() {
        #expect(VisibleText.line("\u{1b}[2Jgone") == #"\u001b[2Jgone"#)
        #expect(VisibleText.line("a\nb\tc\rd\r\ne") == #"a\nb\tc\rd\r\ne"#)
        #expect(VisibleText.line("\u{0}\u{7}\u{8}\u{7f}") == #"\u0000\u0007\u0008\u007f"#)
        #expect(VisibleText.line("\u{80}\u{9b}31m\u{9f}") == #"\u0080\u009b31m\u009f"#)
        let bidirectional =
            "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}"
        #expect(VisibleText.line(bidirectional).utf8.allSatisfy { (0x20..<0x7f).contains($0) })
        #expect(VisibleText.line("x\u{202e}y\u{2028}z") == #"x\u202ey\u2028z"#)
    }

    @Test func otherTextStaysAsItIs() {
        for text in ["", "plain", "back\\slash", "ä € 漢字 🐢 e\u{301}", "“quoted” – … à \u{2003}", "اللغة"] {
            #expect(VisibleText.line(text) == text)
            #expect(VisibleText.lines(text) == text)
            #expect(VisibleText.output(Array(text.utf8)) == text)
        }
        #expect(VisibleText.lines("one\n\ttwo\r\n") == "one\n\ttwo\\r\n")
    }

    @Test func whatIsMadeVisibleStaysSo() {
        let once = VisibleText.line("\u{1b}\u{202e}\n")
        #expect(VisibleText.line(once) == once)
    }

    @Test func outputOfProgramsKeepsTabsAndColours() {
        func output(_ text: String, _ colours: Bool) -> String {
            VisibleText.output(Array(text.utf8), colours: colours)
        }
        #expect(output("a\tb", false) == "a\tb")
        #expect(output("\u{1b}[1;31mred\u{1b}[0m", false) == #"\u001b[1;31mred\u001b[0m"#)
        #expect(output("\u{1b}[1;31mred\u{1b}[0m", true) == "\u{1b}[1;31mred\u{1b}[0m\u{1b}[0m")
        #expect(output("\u{1b}[38:2::1:2:3mx", true) == "\u{1b}[38:2::1:2:3mx\u{1b}[0m")
        // Nothing but colours: no moves, no titles, no questions to the terminal.
        for sequence in ["[2J", "[31", "[?25l", "]0;title\u{7}", "[6n", "[1;1H", "P1$q\u{1b}\\", "[ 31m", "[>4m"] {
            #expect(!output("a\u{1b}\(sequence)b", true).utf8.contains(0x1b), "\(sequence)")
        }
        #expect(output("\u{9b}31mx", true) == #"\u009b31mx"#)
    }

    @Test func bytesThatAreNoTextAreMadeVisible() {
        #expect(VisibleText.output([0x61, 0xff, 0x62]) == #"a\xffb"#)
        #expect(VisibleText.output([0xc3, 0xa4, 0xc3, 0x1b, 0x9b]) == #"ä\xc3\u001b\x9b"#)
        #expect(VisibleText.output([0xe2, 0x80]) == #"\xe2\x80"#)
        #expect(VisibleText.output([0xc0, 0x8a]) == #"\xc0\x8a"#)
    }
}
