internal import Glibc
internal import Linux
internal import Synchronization

/// The link counts of lower files that lost names without being copied up, on disk: in the file `links` of the work
/// directory, in lines. The kernel's overlay copies such a file up to have a place for its count.
///
///     ? INODE CHANGE PATH    a name is about to go: it has gone if the upper layer has something at the path, in hexadecimal
///     INODE CHANGE           it has; or, with 0, it has not
final class LinkCountLog: Sendable {
    static let file: StaticString = "../links"

    private struct State: ~Copyable {
        var file = FileDescriptor(owning: -1)
        var hasFailed = false
    }

    private let state = Mutex(State())

    /// Adds a change.
    func append(_ inode: UInt64, _ change: Int, beside index: Layer) { write("\(inode) \(change)\n", beside: index) }

    /// Adds a change that is about to be made.
    func announce(_ inode: UInt64, _ change: Int, _ path: [UInt8], beside index: Layer) {
        let text = String(decoding: HardLinkIndex.hexadecimal(path), as: UTF8.self)
        write("? \(inode) \(change) \(text)\n", beside: index)
    }

    /// One small write, which the page cache keeps when this process is killed. A disk that is full costs the count its life
    /// beyond such an end, and nothing else.
    private func write(_ line: String, beside index: Layer) {
        state.withLock { state in
            if state.hasFailed { return }
            do throws(Errno) {
                if state.file.rawValue < 0 {
                    let flags: OpenFlags = [.create, .append, .writeOnly, .noFollow]
                    state.file = try index.root.open(Self.file.cString, flags, mode: 0o600)
                }
                try state.file.writeAll(line)
            } catch {
                state.hasFailed = true
            }
        }
    }
}

extension HardLinkIndex {
    /// Writes the changes that are left at the end, one line for each file.
    func savePending(beside work: Layer) {
        let changes = allPending().filter { $0.value != 0 }
        if changes.isEmpty {
            try? work.root.unlink(LinkCountLog.file.cString)
            return
        }
        let text = changes.map { "\($0.key) \($0.value)\n" }.sorted().joined()
        guard let file = try? work.root.open("links", [.create, .truncate, .writeOnly], mode: 0o600),
            (try? file.writeAll(text)) != nil
        else { return }
        try? work.root.rename("links", to: work.root, LinkCountLog.file.cString)
    }

    /// Adds up what the mounts before this one noted. A line that a crash cut short is passed over; what was announced and
    /// not done or withdrawn is looked for in the upper layer.
    func loadPending(beside work: Layer, over upper: Layer) {
        guard let file = try? work.root.open(LinkCountLog.file.cString, [.readOnly, .noFollow]),
            let bytes = try? file.readAll(limit: 1 << 26)
        else { return }
        var announced: [UInt64: [(change: Int, path: [UInt8])]] = [:]
        for line in bytes.split(separator: 10, omittingEmptySubsequences: false).dropLast() {
            let fields = String(decoding: line, as: UTF8.self).split(separator: " ")
            if fields.count == 4, fields[0] == "?", let inode = UInt64(fields[1]), let change = Int(fields[2]),
                let path = Self.bytes(fields[3])
            {
                announced[inode, default: []].append((change, path))
            } else if fields.count == 2, let inode = UInt64(fields[0]), let change = Int(fields[1]) {
                // The names of one file come and go one after the other.
                announced[inode] = nil
                loadPending(inode, change)
            }
        }
        for (inode, open) in announced {
            for (change, path) in open {
                let isThere = try? withText(path) { (text: Text) throws(Errno) in
                    try Place.plain(upper, text).statusIfPresent() != nil
                }
                if isThere == true { loadPending(inode, change) }
            }
        }
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var result: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16) else {
                return nil
            }
            result.append(byte)
        }
        return result
    }
}
