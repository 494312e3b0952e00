import Distribution
import Linux
import TestSupport
import Testing

@testable import strata

/// What a terminal shows of a pull.
@Suite struct TransferLinesTests {
    private static let ids = ["0123456789ab", "cdef01234567", "89abcdef0123"]

    @Test("A pull leaves one line for each layer, however narrow the terminal is and whatever becomes of its width")
    func widths() {
        for reflows in [false, true] {
            for widths in [[1, 1], [2, 90], [5, 1], [30, 12], [80, 30], [120, 40], [40, 200]] {
                var lines = TransferLines(isLive: true)
                var screen = TerminalScreen(rows: 10, columns: widths[0], reflows: reflows)
                lines.size = TerminalSize(rows: 10, columns: UInt16(widths[0]))
                for id in Self.ids { screen.feed(lines.take(.layer(id: id, .waiting), at: 0)) }
                for step in 1...40 {
                    if step == 20 {
                        screen.resize(rows: 10, columns: widths[1])
                        lines.size = TerminalSize(rows: 10, columns: UInt16(widths[1]))
                    }
                    for id in Self.ids {
                        let state = TransferEvent.LayerState.downloading(done: Int64(step) << 20, total: 40 << 20)
                        screen.feed(lines.take(.layer(id: id, state), at: Int64(step * 100)))
                    }
                    #expect(screen.lines.count == 3, "\(widths) \(reflows): \(screen.lines)")
                }
                #expect(screen.unknown == [])
                for id in Self.ids { screen.feed(lines.take(.layer(id: id, .pulled), at: 5000)) }
                screen.feed(lines.end())
                // What lasts is not cut: the terminal breaks it.
                #expect(screen.lines.joined().count { $0 == "P" } == 3, "\(widths) \(reflows): \(screen.lines)")
                #expect(!screen.lines.joined().contains("D"))
            }
        }
    }

    @Test func whatStillMovesStaysAtTheEnd() {
        var lines = TransferLines(isLive: true)
        var screen = TerminalScreen(rows: 10, columns: 80)
        for id in Self.ids { screen.feed(lines.take(.layer(id: id, .waiting), at: 0)) }
        screen.feed(lines.take(.remark("漢字"), at: 0))
        screen.feed(lines.end() + "next\n")
        #expect(screen.lines == ["WARNING: 漢字"] + Self.ids.map { "\($0): Waiting" } + ["next"])
    }

    @Test func aTerminalOfFewRowsShowsTheFirst() {
        var lines = TransferLines(isLive: true)
        lines.size = TerminalSize(rows: 1, columns: 80)
        var screen = TerminalScreen(rows: 1, columns: 80)
        for id in Self.ids { screen.feed(lines.take(.layer(id: id, .waiting), at: 0)) }
        #expect(screen.lines == ["\(Self.ids[0]): Waiting"])
    }
}
