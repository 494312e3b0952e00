import Linux
import OCI
import Testing

/// Everything that belongs to the files of a tree, for comparing two trees.
struct TreeSnapshot: Equatable {
    /// One line per file, by path.
    var files: [String: String] = [:]

    struct Options: OptionSet {
        let rawValue: Int
        /// Times of directories are left out: a union's merged directories have others.
        static let ignoreDirectoryTimes = Options(rawValue: 1)
        /// Link counts of directories are left out, as file systems differ in them; those of files are kept.
        static let includeRoot = Options(rawValue: 2)
        /// Extended attributes are left out.
        static let ignoreAttributes = Options(rawValue: 4)
    }

    init(_ path: String, _ options: Options = []) throws {
        let root = try FileDescriptor.open(path, [.directory])
        if options.contains(.includeRoot) { files["."] = try TreeSnapshot.describe(".", in: root, options) }
        var links: [UInt64: [String]] = [:]
        try add(root, "", options, &links)
        for names in links.values where names.count > 1 {
            for name in names { files[name]? += " links=\(names.sorted().joined(separator: ","))" }
        }
    }

    /// One line for each file that is another in the other tree.
    func differences(to other: TreeSnapshot) -> [String] {
        Set(files.keys).union(other.files.keys).sorted().compactMap { path in
            let (left, right) = (files[path], other.files[path])
            return left == right ? nil : "\(path): \(left ?? "missing") | \(right ?? "missing")"
        }
    }

    private mutating func add(
        _ directory: borrowing FileDescriptor, _ path: String, _ options: Options, _ links: inout [UInt64: [String]]
    ) throws {
        for name in try directory.sortedEntryNames() {
            // The kernel's overlay lists a whiteout in a directory that it need not merge.
            guard let status = try directory.statusIfPresent(of: name) else { continue }
            let text =
                path
                + name.dropLast().map { byte in
                    let value = UInt8(bitPattern: byte)
                    return value < 0x80 ? String(UnicodeScalar(value)) : "\\x" + String(value, radix: 16)
                }.joined()
            files[text] = try TreeSnapshot.describe(name, in: directory, options)
            if status.isDirectory {
                try add(try directory.open(name, [.directory, .noFollow]), text + "/", options, &links)
            } else if status.linkCount > 1 {
                links[status.inode, default: []].append(text)
            }
        }
    }

    private static func describe(
        _ name: [CChar], in directory: borrowing FileDescriptor, _ options: Options
    ) throws -> String {
        let status = try directory.status(of: name)
        var text = "\(status.type) \(String(status.permissions, radix: 8)) \(status.uid):\(status.gid)"
        if !(status.isDirectory && options.contains(.ignoreDirectoryTimes)) {
            text += " \(status.modificationTime.seconds).\(status.modificationTime.nanoseconds)"
        }
        switch status.type {
        case .regular:
            let content = try directory.open(name, [.noFollow]).readAll()
            text += " \(status.size) \(Digest.sha256(of: content).short)"
        case .symbolicLink: text += " -> " + String(decoding: try directory.readLink(name), as: UTF8.self)
        case .characterDevice, .blockDevice: text += " device \(status.rawDevice)"
        default: break
        }
        if options.contains(.ignoreAttributes) { return text }
        let file = try directory.open(name, [.path, .noFollow])
        for attribute in try file.attributeNames().sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            let key = String(decoding: attribute.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            text += " \(key)=\(try file.attribute(attribute) ?? [])"
        }
        return text
    }

    private static func describe(
        _ name: String, in directory: borrowing FileDescriptor, _ options: Options
    ) throws -> String {
        try describe(Array(name.utf8CString), in: directory, options)
    }
}

/// Expects two trees to be the same, and names the differences.
func expectSameTree(
    _ left: TreeSnapshot, _ right: TreeSnapshot, _ location: SourceLocation = #_sourceLocation
) {
    #expect(left.differences(to: right) == [], sourceLocation: location)
}
