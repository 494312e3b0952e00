import Glibc
import Linux
import TestSupport
import Testing

/// What two tools agree on about one image, as a table in `docs/interoperability.md` shows it.
struct InteroperationMatrix {
    /// A property of images and trees, and how the table calls it.
    enum Column: String, CaseIterable {
        case identity = "image ID"
        case manifest = "manifest digest"
        case names = "names, whiteouts, opaque directories"
        case contents = "types, contents, devices"
        case owners = "modes, owners"
        case times = "times of files"
        case attributes = "user attributes"
        case capabilities
        case accessLists = "ACLs"
        case links = "hard links"
        case holes = "sparse files"
    }

    /// One transfer of an image.
    struct Row {
        var direction: String
        var tool: String
        var form: String
        var cells: [Column: String] = [:]

        init(_ direction: String, _ tool: String, _ form: String) {
            self.direction = direction
            self.tool = tool
            self.form = form
        }

        /// Notes whether something is the same on both sides.
        mutating func compare(_ column: Column, _ left: String, _ right: String) {
            cells[column] = !left.isEmpty && left == right ? "same" : "differs"
        }

        /// Notes what is the same of two trees: the one that was sent and the one that arrived.
        mutating func compare(_ sent: Tree, _ arrived: Tree) {
            let (left, right) = (sent.snapshot.entries, arrived.snapshot.entries)
            cells[.names] = left.keys.sorted() == right.keys.sorted() ? "same" : "differs"
            let pairs = left.compactMap { path, entry in right[path].map { (entry, $0) } }
            func all(_ column: Column, _ isSame: (TreeSnapshot.Entry, TreeSnapshot.Entry) -> Bool) {
                cells[column] = pairs.allSatisfy(isSame) ? "same" : "differs"
            }
            let format: UInt32 = 0o170000
            all(.contents) {
                $0.mode & format == $1.mode & format && $0.contents == $1.contents && $0.size == $1.size
                    && $0.rawDevice == $1.rawDevice
            }
            all(.owners) { $0.mode == $1.mode && $0.uid == $1.uid && $0.gid == $1.gid }
            all(.times) { $0.mode & format == 0o040000 || $0.modified == $1.modified }
            for (column, prefix) in [
                (Column.attributes, "user."), (Column.capabilities, "security.capability"),
                (Column.accessLists, "system.posix_acl"),
            ] {
                all(column) { one, two in
                    one.attributes.filter { $0.key.hasPrefix(prefix) }
                        == two.attributes.filter { $0.key.hasPrefix(prefix) }
                }
            }
            all(.links) { $0.sameAs == $1.sameAs && $0.linkCount == $1.linkCount }
            cells[.holes] = sent.hasHoles == arrived.hasHoles ? "same" : "differs"
        }
    }

    /// A tree to be compared.
    struct Tree {
        var snapshot: TreeSnapshot
        /// Whether the file `sparse` takes less space than its size.
        var hasHoles: Bool

        init(_ path: String) throws {
            snapshot = try TreeSnapshot(of: path)
            let status = try FileDescriptor.currentDirectory.status(of: path + "/sparse")
            hasHoles = status.allocatedSize < status.size
        }
    }

    private(set) var rows: [Row] = []

    mutating func add(_ row: Row) { rows.append(row) }

    /// The table in Markdown, without the text around it.
    var table: String {
        let titles = ["", "tool", "by way of"] + Column.allCases.map(\.rawValue)
        var lines = [titles, titles.map { _ in "---" }]
        for row in rows {
            lines.append([row.direction, row.tool, row.form] + Column.allCases.map { row.cells[$0] ?? "–" })
        }
        return lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
    }

    /// Expects the table that stands in the document, or writes it there when `STRATA_WRITE_INTEROPERABILITY` is set.
    func expect(in document: String) throws {
        let (begin, end) = ("<!-- begin of the table -->\n", "<!-- end of the table -->")
        let text = String(decoding: try FileDescriptor.open(document).readAll(), as: UTF8.self)
        let parts = text.components(separatedBy: begin)
        let rest = parts.last?.components(separatedBy: end) ?? []
        try #require(parts.count == 2 && rest.count == 2, "\(document) has no place for the table")
        if getenv("STRATA_WRITE_INTEROPERABILITY") != nil {
            try FileDescriptor.open(document, [.writeOnly, .truncate]).writeAll(
                parts[0] + begin + table + end + rest[1])
        } else {
            #expect(rest[0] == table)
        }
    }
}

extension String {
    /// The parts between separators; as Foundation's.
    fileprivate func components(separatedBy separator: String) -> [String] {
        var parts: [String] = []
        var rest = Substring(self)
        while let range = rest.firstRange(of: separator) {
            parts.append(String(rest[..<range.lowerBound]))
            rest = rest[range.upperBound...]
        }
        return parts + [String(rest)]
    }
}
