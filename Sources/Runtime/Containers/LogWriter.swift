import Linux
import OCI

/// Writes a container's log in Docker's json-file format: one JSON object a line with `log`, `stream` and `time`.
final class LogWriter {
    /// Docker's limit for one entry; a longer line is continued in the next, and only its last part ends in a newline.
    private static let longestEntry = 16 * 1024

    private let file: FileDescriptor
    /// What each stream has printed since its last newline.
    private var partial: [OutputStream: [UInt8]] = [:]

    /// Opens the log to append to it.
    init(path: String) throws(RuntimeError) {
        file = try attempting("open \(path)") { () throws(Errno) in
            try FileDescriptor.open(path, [.writeOnly, .create, .append], mode: 0o640)
        }
    }

    /// Takes what a container printed. A disk that is full costs log entries, never the container.
    func append(_ stream: OutputStream, _ bytes: UnsafeRawBufferPointer) {
        var lines: [UInt8] = []
        let time = Timestamp.now.description
        var rest = bytes[...]
        while !rest.isEmpty {
            let pending = partial[stream]?.count ?? 0
            let room = Self.longestEntry - pending
            let window = rest.prefix(room)
            if let newline = window.firstIndex(of: UInt8(ascii: "\n")) {
                flush(stream, adding: rest[...newline], time, into: &lines)
                rest = rest[(newline + 1)...]
            } else if window.count == room {
                flush(stream, adding: window, time, into: &lines)
                rest = rest[window.endIndex...]
            } else {
                partial[stream, default: []].append(contentsOf: window)
                rest = rest[window.endIndex...]
            }
        }
        if !lines.isEmpty { try? file.writeAll(lines) }
    }

    /// Writes what came after the last newlines.
    func flush() {
        var lines: [UInt8] = []
        let time = Timestamp.now.description
        for stream in [OutputStream.standardOutput, .standardError] where partial[stream]?.isEmpty == false {
            flush(stream, adding: [], time, into: &lines)
        }
        if !lines.isEmpty { try? file.writeAll(lines) }
    }

    private func flush(
        _ stream: OutputStream, adding bytes: some Sequence<UInt8>, _ time: String, into lines: inout [UInt8]
    ) {
        var entry = partial[stream] ?? []
        entry.append(contentsOf: bytes)
        partial[stream] = []
        lines += Array("{\"log\":\"".utf8)
        // Bytes that are not UTF-8 have no place in JSON and become U+FFFD, as in Docker's logs.
        var text = String(decoding: entry, as: UTF8.self)
        text.withUTF8 { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let plain = rest.prefix(while: Self.isPlain)
                lines.append(contentsOf: plain)
                rest = rest[plain.endIndex...]
                if let byte = rest.popFirst() { Self.escape(byte, into: &lines) }
            }
        }
        lines += Array("\",\"stream\":\"\(stream.rawValue)\",\"time\":\"\(time)\"}\n".utf8)
    }

    /// Whether a byte stands for itself in a JSON string.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    private static func escape(_ byte: UInt8, into text: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
        case UInt8(ascii: "\n"): text += Array("\\n".utf8)
        case UInt8(ascii: "\r"): text += Array("\\r".utf8)
        case UInt8(ascii: "\t"): text += Array("\\t".utf8)
        case 0..<0x20:
            let low = byte & 15
            text.append(contentsOf: "\\u00".utf8)
            text.append(byte < 16 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
            text.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
        default: text.append(byte)
        }
    }
}
