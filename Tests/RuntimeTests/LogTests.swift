import Linux
import OCI
import Testing

@testable import Runtime

@Suite struct LogTests {
    private func entries(_ path: String) -> [LogEntry] {
        var reader = LogReader(path: path)
        return reader.read()
    }

    private func append(_ writer: LogWriter, _ text: String, _ stream: OutputStream = .standardOutput) {
        Array(text.utf8).withUnsafeBytes { writer.append(stream, $0) }
    }

    @Test func linesComeBackAsTheyWere() throws {
        try withTemporaryDirectory { root in
            let writer = try LogWriter(path: "\(root)/log")
            append(writer, "one\ntw")
            append(writer, "error\n", .standardError)
            append(writer, "o \"quoted\" \\ \t\u{1} ü\n")
            append(writer, "no newline")
            writer.flush()
            let read = entries("\(root)/log")
            #expect(read.map(\.text) == ["one\n", "error\n", "two \"quoted\" \\ \t\u{1} ü\n", "no newline"])
            #expect(read.map(\.stream) == [.standardOutput, .standardError, .standardOutput, .standardOutput])
            #expect(read[0].time <= read[3].time)
        }
    }

    @Test func longLinesAreContinued() throws {
        try withTemporaryDirectory { root in
            let writer = try LogWriter(path: "\(root)/log")
            let long = String(repeating: "x", count: 40_000)
            append(writer, long + "\nend\n")
            writer.flush()
            let read = entries("\(root)/log")
            #expect(read.map(\.text.utf8.count) == [16384, 16384, 40_001 - 2 * 16384, 4])
            #expect(read.map(\.text).joined() == long + "\nend\n")
        }
    }

    @Test func bytesThatAreNotTextAreReplaced() throws {
        try withTemporaryDirectory { root in
            let writer = try LogWriter(path: "\(root)/log")
            [UInt8]([0xff, 0x41, 0x0a]).withUnsafeBytes { writer.append(.standardOutput, $0) }
            #expect(entries("\(root)/log").map(\.text) == ["\u{fffd}A\n"])
        }
    }
}
