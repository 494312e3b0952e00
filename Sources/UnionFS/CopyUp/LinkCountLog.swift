internal import Glibc
internal import Linux
internal import Synchronization

/// The link counts of lower files that lost names without being copied up, on disk: in the file `links` of the work
/// directory, one line for each change. The kernel's overlay copies such a file up to have a place for its count.
final class LinkCountLog: Sendable {
    static let file: StaticString = "../links"

    private struct State: ~Copyable {
        var file = FileDescriptor(owning: -1)
        var hasFailed = false
    }

    private let state = Mutex(State())

    /// Adds a line: one small write, which the page cache keeps when this process is killed. A disk that is full costs the
    /// count its life beyond such an end, and nothing else.
    func append(_ inode: UInt64, _ change: Int, beside index: Layer) {
        state.withLock { state in
            if state.hasFailed { return }
            do throws(Errno) {
                if state.file.rawValue < 0 {
                    let flags: OpenFlags = [.create, .append, .writeOnly, .noFollow]
                    state.file = try index.root.open(Self.file.cString, flags, mode: 0o600)
                }
                try state.file.writeAll("\(inode) \(change)\n")
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

    /// Adds up what the mounts before this one noted. A line that a crash cut short is passed over.
    func loadPending(beside work: Layer) {
        guard let file = try? work.root.open(LinkCountLog.file.cString, [.readOnly, .noFollow]),
            let bytes = try? file.readAll(limit: 1 << 26)
        else { return }
        for line in bytes.split(separator: 10) {
            let fields = String(decoding: line, as: UTF8.self).split(separator: " ")
            guard fields.count == 2, let inode = UInt64(fields[0]), let change = Int(fields[1]) else { continue }
            loadPending(inode, change)
        }
    }
}
