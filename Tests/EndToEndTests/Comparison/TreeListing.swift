import Linux
import TestSupport

/// A file tree as lines of text, one for each path, to be compared and to be written down in a test.
///
/// A line is the type, the mode, the owner and, where there is one, the content (or its size and hash), the target of a
/// link, the device, the first name of the same file, extended attributes and the time of modification. Times of
/// directories, and times since `recent`, are left out.
struct TreeListing {
    /// By absolute path.
    private(set) var lines: [String: String] = [:]

    /// What the programs that build make by themselves.
    private static let notCounted = ["/dev/", "/proc/", "/sys/", "/run/", "/etc/mtab"]

    /// Nothing.
    init() {}

    init(of root: String, recent: Int64) throws {
        let snapshot = try TreeSnapshot(of: root, recent: recent)
        for (path, entry) in snapshot.entries where path != "." {
            let absolute = "/" + path
            if Self.notCounted.contains(where: { absolute.hasPrefix($0) }) { continue }
            lines[Self.quoted(absolute)] = try Self.line(entry, of: path, below: root)
        }
    }

    /// The lines that this tree has and another has not, and the paths that only the other has, sorted.
    func changes(since base: TreeListing) -> [String] {
        var changes: [String] = []
        for (path, line) in lines where base.lines[path] != line { changes.append("\(path) \(line)") }
        for path in base.lines.keys where lines[path] == nil { changes.append("\(path) is gone") }
        return changes.sorted()
    }

    private static func line(_ entry: TreeSnapshot.Entry, of path: String, below root: String) throws -> String {
        var words = [String(entry.mode & 0o7777, radix: 8), "\(entry.uid):\(entry.gid)"]
        let type = entry.mode & 0o170000
        switch type {
        case FileType.directory.rawValue: words.insert("d", at: 0)
        case FileType.regular.rawValue:
            words.insert("-", at: 0)
            let isText = entry.size < 200
            // A name that is not text cannot be opened by it; the hash says enough.
            if isText, let file = try? FileDescriptor.open("\(root)/\(path)", .noFollow) {
                words.append(quoted(String(decoding: try file.readAll(), as: UTF8.self), always: true))
            } else {
                words.append("\(entry.size) bytes \(String(entry.contents, radix: 16))")
            }
        case FileType.symbolicLink.rawValue:
            words.insert("l", at: 0)
            let target = try FileDescriptor.currentDirectory.readLink("\(root)/\(path)")
            words.append("-> " + quoted(String(decoding: target, as: UTF8.self)))
        default: words.insert("\(String(type, radix: 8)) device \(entry.rawDevice)", at: 0)
        }
        if entry.linkCount > 1 { words.append("= /\(entry.sameAs), \(entry.linkCount) names") }
        for name in entry.attributes.keys.sorted() where !name.hasPrefix("trusted.overlay.") {
            words.append("\(name)=\(entry.attributes[name] ?? [])")
        }
        if type != FileType.directory.rawValue, let time = entry.modified {
            words.append("@\(time.seconds)" + (time.nanoseconds == 0 ? "" : ".\(time.nanoseconds)"))
        }
        return words.joined(separator: " ")
    }

    /// A text on one line, in quotes where it has something to hide.
    private static func quoted(_ text: String, always: Bool = false) -> String {
        let isPlain = text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "\"" && $0 != "\\" }
        return isPlain && !always ? text : text.debugDescription
    }
}
