import Linux
import TestSupport

/// What the operations so far have made of a tree, as far as choosing names for the next ones needs it. It may be wrong:
/// then the next operation fails, on both sides.
struct NameModel: Sendable {
    enum Kind: Sendable { case directory, file, link, other }

    struct Entry: Sendable {
        var path: String
        var kind: Kind
        /// Has, or had, further names: what is done to it shows elsewhere.
        var isShared = false
    }

    /// Sorted by path, bytewise.
    private(set) var entries: [Entry] = []

    init() {}

    init(_ snapshot: TreeSnapshot) {
        entries = snapshot.entries.compactMap { path, entry in
            guard path != "." else { return nil }
            return Entry(path: path, kind: Self.kind(FileType(mode: entry.mode)), isShared: entry.linkCount > 1)
        }
        entries.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private static func kind(_ type: FileType?) -> Kind {
        switch type {
        case .directory: .directory
        case .regular: .file
        case .symbolicLink: .link
        default: .other
        }
    }

    /// Several models of different subtrees in one.
    init(joining parts: [NameModel]) {
        entries = parts.flatMap(\.entries)
        entries.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    /// What is below a directory, or with nil what is below none of `others`.
    func part(below directory: String) -> NameModel {
        var part = NameModel()
        part.entries = entries.filter { Self.isBelow($0.path, directory) }
        return part
    }

    func part(outside directories: [String]) -> NameModel {
        var part = NameModel()
        part.entries = entries.filter { entry in !directories.contains { Self.isBelow(entry.path, $0) } }
        return part
    }

    static func isBelow(_ path: String, _ directory: String) -> Bool {
        path.utf8.count > directory.utf8.count && path.utf8.starts(with: directory.utf8)
            && path.utf8.dropFirst(directory.utf8.count).first == UInt8(ascii: "/")
    }

    private func index(_ path: String) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].path.utf8.lexicographicallyPrecedes(path.utf8) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    func entry(_ path: String) -> Entry? {
        let place = index(path)
        return place < entries.count && entries[place].path == path ? entries[place] : nil
    }

    /// Whether the name or anything below it has further names.
    func isShared(_ path: String) -> Bool {
        entries.contains { $0.isShared && ($0.path == path || Self.isBelow($0.path, path)) }
    }

    mutating func insert(_ path: String, _ kind: Kind, isShared: Bool = false) {
        let place = index(path)
        if place < entries.count && entries[place].path == path {
            entries[place].isShared = entries[place].isShared || isShared
        } else {
            entries.insert(Entry(path: path, kind: kind, isShared: isShared), at: place)
        }
    }

    /// Takes a name and what is below it away.
    mutating func remove(_ path: String) {
        entries.removeAll { $0.path == path || Self.isBelow($0.path, path) }
    }

    mutating func move(_ from: String, _ to: String, exchange: Bool) {
        if from == to { return }
        let moved = entries.filter { $0.path == from || Self.isBelow($0.path, from) }
        let other = entries.filter { $0.path == to || Self.isBelow($0.path, to) }
        remove(from)
        remove(to)
        for var entry in moved {
            entry.path = to + entry.path.dropFirst(from.count)
            insert(entry.path, entry.kind, isShared: entry.isShared)
        }
        for var entry in exchange ? other : [] {
            entry.path = from + entry.path.dropFirst(to.count)
            insert(entry.path, entry.kind, isShared: entry.isShared)
        }
    }

    /// What an operation has changed that was successful.
    mutating func apply(_ operation: Operation) {
        let (first, second) = (operation.text(0), operation.text(1))
        switch operation.verb {
        case .mkdir: insert(first, .directory)
        case .create, .tmpfile: insert(operation.verb == .create ? first : second, .file)
        case .open: if operation.text(2).contains("creat") { insert(second, .file) }
        case .mknod: insert(first, second == "file" ? .file : .other)
        case .symlink: insert(first, .link)
        case .link:
            let kind = entry(first)?.kind ?? .file
            insert(first, kind, isShared: true)
            insert(second, kind, isShared: true)
        case .flink: insert(second, .file, isShared: true)
        case .unlink, .rmdir, .rmtree, .whiteout: remove(first)
        case .rename: move(first, second, exchange: operation.text(2) == "exchange")
        default: break
        }
    }
}
