import Testing

@testable import Rendering

/// Columns of a terminal.
@Suite struct DisplayWidthTests {
    @Test(arguments: [
        ("", 0), ("abc", 3), ("é", 1), ("e\u{301}", 1), ("漢字", 4), ("ｱ", 1), ("Ａ", 2), ("한글", 4),
        ("\u{1112}\u{1161}\u{11ab}", 2), ("🐳", 2), ("🇪🇺", 2), ("☕", 2), ("☎", 1), ("…", 1), ("a\u{200b}b", 2),
        ("นี่", 1), ("𠀀", 2),
    ])
    func columnsAreCounted(text: String, columns: Int) {
        #expect(DisplayWidth.of(text) == columns)
    }

    @Test func textsAreCutByColumnsAndNeverWithinACharacter() {
        #expect(ShortText.ellipsis("漢字漢字", 8) == "漢字漢字")
        #expect(ShortText.ellipsis("漢字漢字", 7) == "漢字漢…")
        #expect(ShortText.ellipsis("漢字漢字", 6) == "漢字…")
        #expect(ShortText.ellipsis("漢字", 1) == "…")
        #expect(ShortText.ellipsis("漢字", 0) == "")
        #expect(ShortText.ellipsis("e\u{301}e\u{301}e\u{301}", 2) == "e\u{301}…")
        #expect(ShortText.ellipsis("a🇪🇺b", 3) == "a…")
        for columns in 0...12 {
            #expect(DisplayWidth.of(ShortText.ellipsis("a漢b🐳c字defg", columns)) <= columns)
        }
    }

    @Test func tablesAlignWideCharacters() {
        var table = TableWriter()
        table.add(["漢字漢字漢", "x"])
        table.add(["abcdefghij", "y"])
        table.add(["e\u{301}", "z"])
        #expect(table.text == "漢字漢字漢   x\nabcdefghij   y\ne\u{301}            z\n")
    }
}
