import FoundationEssentials
import ImageStore
import Linux
public import OCI

/// Which entries of a log to show.
public struct LogOptions: Hashable, Sendable {
    /// Whether to go on until the container ends.
    public var follow = false
    /// How many of the last entries; nil for all.
    public var tail: Int?
    /// Only entries of that time and later.
    public var since: Timestamp?
    /// Only entries before that time.
    public var until: Timestamp?
    /// Which streams.
    public var streams: Set<OutputStream> = [.standardOutput, .standardError]

    /// Everything there is.
    public init() {}
}

/// One entry of a log: a line with its newline, or a part of a long line.
public struct LogEntry: Hashable, Sendable {
    public var text: String
    public var stream: OutputStream
    public var time: Timestamp
}

extension ContainerEngine {
    /// Reads a container's log, oldest entry first, and with `follow` goes on until the container has ended.
    ///
    /// - Parameter body: takes an entry; false to stop.
    public func logs(
        _ id: String, _ options: LogOptions = LogOptions(), body: (LogEntry) -> Bool
    ) throws(RuntimeError) {
        let container = try container(matching: id)
        let path = store.containerPaths(container.id).log
        var reader = LogReader(path: path)
        var entries = reader.read().filter { options.includes($0) }
        if let tail = options.tail { entries = Array(entries.suffix(max(tail, 0))) }
        for entry in entries where !body(entry) { return }
        guard options.follow else { return }
        while true {
            // Asked before reading, so that what was printed last is not missed.
            let record = try? self.container(matching: container.id)
            let isOver = record?.state != .running
            for entry in reader.read() where options.includes(entry) {
                if !body(entry) { return }
            }
            if isOver { return }
            MonotonicClock.sleep(milliseconds: 50)
        }
    }
}

extension LogOptions {
    fileprivate func includes(_ entry: LogEntry) -> Bool {
        streams.contains(entry.stream) && (since.map { entry.time >= $0 } ?? true)
            && (until.map { entry.time < $0 } ?? true)
    }
}

/// Reads a log from where it stopped before.
struct LogReader: ~Copyable {
    private struct Line: Decodable {
        var log: String
        var stream: OutputStream
        var time: Timestamp
    }

    private let path: String
    private var file: FileDescriptor?
    /// What came after the last newline.
    private var partial: [UInt8] = []

    /// A log that does not exist yet counts as empty.
    init(path: String) { self.path = path }

    /// The entries that are new. Lines that cannot be read are passed over.
    mutating func read() -> [LogEntry] {
        if file == nil { file = try? FileDescriptor.open(path) }
        guard let bytes = try? file?.readAll(limit: 1 << 32) else { return [] }
        var all = partial
        all += bytes
        let end = all.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        partial = Array(all[end...])
        return all[..<end].split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard let line = try? JSON.decode(Line.self, from: Data(line)) else { return nil }
            return LogEntry(text: line.log, stream: line.stream, time: line.time)
        }
    }
}
