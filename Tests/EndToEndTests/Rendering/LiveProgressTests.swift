import Linux
import Runtime
import TestSupport
import Testing

@testable import BuildEngine
@testable import strata

/// What a terminal shows of a build.
@Suite struct LiveProgressTests {
    private static func step(_ number: Int, _ text: String) -> ProgressStep {
        ProgressStep(number: number, stage: nil, index: number, total: 3, text: text)
    }

    /// What a terminal of 24 rows and 60 columns shows of a text.
    private static func seen(_ text: String) -> [String] {
        var screen = TerminalScreen(rows: 24, columns: 60)
        screen.feed(text)
        return screen.lines
    }

    @Test func stepsScrollAwayWhenTheyAreDone() {
        var progress = LiveProgress(size: TerminalSize(rows: 24, columns: 40), tailLength: 2, colours: false)
        let first = progress.take(.started(Self.step(1, "RUN make")), at: 1000)
        #expect(
            Self.seen(first) == ["[+] Building (0 done)              0.0s", " => [1/3] RUN make                 0.0s"])
        let output = Array("one\ntwo\nthr\u{1b}[31mee\nfo".utf8)
        _ = progress.take(.output(step: 1, stream: .standardOutput, bytes: output), at: 1500)
        let drawn = progress.redrawn(at: 2000)
        #expect(Self.seen(first + drawn).suffix(2) == [" => => # three", " => => # fo"])
        let end = progress.take(.finished(step: 1, seconds: 1.04), at: 2040)
        #expect(end == "\r \u{1b}[J\r => [1/3] RUN make                 1.0s\n")
        #expect(progress.take(.started(Self.step(2, "COPY a b")), at: 2050).contains("(1 done)"))
        #expect(progress.take(.cached(step: 2), at: 2060).hasSuffix(" => CACHED [2/3] COPY a b\n"))
    }

    @Test func aFailedStepShowsItsOutput() {
        var progress = LiveProgress(size: TerminalSize(rows: 24, columns: 60), tailLength: 1, colours: true)
        _ = progress.take(.started(Self.step(1, "RUN false")), at: 0)
        _ = progress.take(.output(step: 1, stream: .standardError, bytes: Array("a\nb\rc\n".utf8)), at: 0)
        let text = progress.take(.failed(step: 1, error: BuildError(.commandFailed, "it failed")), at: 100)
        #expect(text.contains("\u{1b}[31m"))
        #expect(text.hasSuffix("------\n > [1/3] RUN false:\na\nc\n------\n"))
    }

    @Test("A step that was cancelled says so once, without what it printed")
    func aCancelledStep() {
        var progress = LiveProgress(size: TerminalSize(rows: 24, columns: 60), tailLength: 1, colours: false)
        _ = progress.take(.started(Self.step(1, "RUN sleep 9")), at: 0)
        _ = progress.take(.output(step: 1, stream: .standardError, bytes: Array("a\nb\n".utf8)), at: 0)
        let text = progress.take(.failed(step: 1, error: BuildError(.cancelled, "the build was cancelled")), at: 100)
        #expect(text.contains(" => CANCELED [1/3] RUN sleep 9"))
        #expect(!text.contains("ERROR") && !text.contains("------"))
    }

    @Test func severalRunningStepsStayOnTheTerminal() {
        var progress = LiveProgress(size: TerminalSize(rows: 10, columns: 40), tailLength: 6, colours: false)
        var text = ""
        for number in 1...3 {
            _ = progress.take(.started(Self.step(number, "RUN \(number)")), at: 0)
            let output = Array("a\(number)\nb\(number)\nc\(number)\n".utf8)
            text = progress.take(.output(step: number, stream: .standardOutput, bytes: output), at: 0)
        }
        let lines = Self.seen(text)
        #expect(lines.filter { $0.contains("RUN") }.count == 3)
        #expect(lines.filter { $0.contains("=> => #") }.map { $0.suffix(2) } == ["c1", "c2", "c3"])
        for number in 4...20 { text = progress.take(.started(Self.step(number, "RUN \(number)")), at: 0) }
        #expect(Self.seen(text).count < 10)
        #expect(text.contains("... and 13 more"))
    }

    @Test func longTitlesAreCut() {
        var progress = LiveProgress(size: TerminalSize(rows: 24, columns: 30), tailLength: 1, colours: false)
        let text = progress.take(.started(Self.step(1, String(repeating: "x", count: 100) + "\ny")), at: 0)
        #expect(Self.seen(text).allSatisfy { $0.count < 30 })
    }

    @Test("Each line takes one row, whatever characters it has and however narrow the terminal is")
    func wideCharactersAreCut() {
        for columns in [1, 2, 3, 9, 14, 20, 33] {
            var progress = LiveProgress(
                size: TerminalSize(rows: 24, columns: UInt16(columns)), tailLength: 2, colours: true)
            var screen = TerminalScreen(rows: 24, columns: columns)
            screen.feed(progress.take(.started(Self.step(1, "RUN 漢字漢字漢字漢字漢字漢字漢字")), at: 0))
            let output = Array("漢字漢字漢字漢字漢字漢字漢字\ne\u{301}e\u{301}\n".utf8)
            _ = progress.take(.output(step: 1, stream: .standardOutput, bytes: output), at: 0)
            for time in 1...3 { screen.feed(progress.redrawn(at: Int64(time) * 100)) }
            #expect((3...4).contains(screen.lines.count), "\(columns): \(screen.lines)")
            screen.feed(progress.take(.finished(step: 1, seconds: 1), at: 400))
            #expect(screen.lines.count == 1, "\(columns): \(screen.lines)")
        }
    }
}
