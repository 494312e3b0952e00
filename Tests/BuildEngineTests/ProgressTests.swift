import Runtime
import Synchronization
import Testing

@testable import BuildEngine

@Suite struct ProgressTests {
    /// A clock that a test sets.
    private final class Clock: Sendable {
        let now = Mutex<Int64>(0)
    }

    @Test func plainLines() {
        let clock = Clock()
        var progress = PlainProgress(clock: { clock.now.withLock { $0 } })
        var text = ""
        func render(_ event: ProgressEvent) { text += String(decoding: progress.render(event), as: UTF8.self) }
        render(.started(ProgressStep(number: 1, stage: nil, index: nil, total: nil, text: "[internal] load x")))
        render(.finished(step: 1, seconds: 0.04))
        render(.started(ProgressStep(number: 2, stage: "build", index: 2, total: 12, text: "RUN make")))
        clock.now.withLock { $0 = 1512 }
        render(.output(step: 2, stream: .standardOutput, bytes: Array("one\ntw".utf8)))
        render(.output(step: 2, stream: .standardError, bytes: Array("o\nhalf\rwhole\r\nrest".utf8)))
        render(.failed(step: 2, error: BuildError(.commandFailed, "it failed")))
        render(.started(ProgressStep(number: 3, stage: nil, index: 10, total: 12, text: "COPY a b")))
        render(.cached(step: 3))
        #expect(
            text == """
                #1 [internal] load x
                #1 DONE 0.0s

                #2 [build  2/12] RUN make
                #2 1.512 one
                #2 1.512 two
                #2 1.512 whole
                #2 1.512 rest
                #2 ERROR: it failed

                #3 [10/12] COPY a b
                #3 CACHED


                """)
    }

    @Test func whatActsOnATerminalIsMadeVisible() {
        func rendered(_ colours: Bool) -> String {
            var progress = PlainProgress(colours: colours, clock: { 0 })
            var text = ""
            func render(_ event: ProgressEvent) { text += String(decoding: progress.render(event), as: UTF8.self) }
            render(
                .started(ProgressStep(number: 1, stage: nil, index: nil, total: nil, text: "RUN \u{1b}]0;t\u{7}\n#9 x"))
            )
            let output: [UInt8] = Array("\u{1b}[2J\u{1b}[32mgreen\ta\u{202e}b\u{9b}1m".utf8) + [0xff, 0x0a]
            render(.output(step: 1, stream: .standardOutput, bytes: output))
            render(.note(step: 1, text: "a\nb"))
            render(.warning("c\nd"))
            render(.failed(step: 1, error: BuildError(.commandFailed, "e\n\u{1b}f")))
            return text
        }
        #expect(
            rendered(false) == #"""
                #1 RUN \u001b]0;t\u0007\n#9 x
                #1 0.000 \u001b[2J\u001b[32mgreen	a\u202eb\u009b1m\xff
                #1 a\nb
                c\nd
                #1 ERROR: e\n\u001bf


                """#)
        #expect(rendered(true).contains("#1 0.000 \\u001b[2J\u{1b}[32mgreen\ta\\u202eb\\u009b1m\\xff\u{1b}[0m\n"))
    }

    @Test func linesOfTwoStepsAreNeverMixed() {
        var progress = PlainProgress(clock: { 0 })
        var text = ""
        func render(_ event: ProgressEvent) { text += String(decoding: progress.render(event), as: UTF8.self) }
        for number in [1, 2] {
            render(.started(ProgressStep(number: number, stage: "s\(number)", index: 1, total: 1, text: "RUN make")))
        }
        for piece in ["on", "e\nt", "wo\nthree"] {
            for number in [1, 2] {
                render(.output(step: number, stream: .standardOutput, bytes: Array(piece.utf8)))
            }
        }
        render(.finished(step: 2, seconds: 1))
        #expect(
            text == """
                #1 [s1 1/1] RUN make
                #2 [s2 1/1] RUN make
                #1 0.000 one
                #2 0.000 one
                #1 0.000 two
                #2 0.000 two
                #2 0.000 three
                #2 DONE 1.0s


                """)
    }

    @Test(arguments: [(0.04, 1, "0.0"), (0.06, 1, "0.1"), (12.0, 3, "12.000"), (1.0999, 3, "1.100"), (-1, 1, "0.0")])
    func decimals(_ value: Double, _ places: Int, _ text: String) {
        #expect(PlainProgress.decimal(value, places: places) == text)
    }

    @Test func keysTellFieldsApart() {
        func key(_ lists: [String]...) -> CacheKey { CacheKey.scratch.step("RUN", definition: lists) }
        #expect(key(["a", "b"]) == key(["a", "b"]))
        #expect(key(["a", "b"]) != key(["ab"]))
        #expect(key(["a"], ["b"]) != key(["a", "b"]))
        #expect(key(["a"], []) != key(["a"]))
        #expect(CacheKey.scratch.step("RUN", definition: []) != CacheKey.scratch.step("COPY", definition: []))
        #expect(key(["a"]).step("RUN", definition: []) != key(["b"]).step("RUN", definition: []))
    }
}
