import Glibc
package import Linux

/// Everything that can be seen of a tree, to be compared with another one or with itself later.
package struct TreeSnapshot: Equatable {
    /// What is known of one name.
    package struct Entry: Equatable {
        package var mode: UInt32
        package var uid: UInt32
        package var gid: UInt32
        /// Zero for directories: their size is the file system's own affair.
        package var size: Int64
        /// Zero for directories, which a union counts differently.
        package var linkCount: UInt32
        package var rawDevice: UInt64
        package var modified: TimeSpec?
        package var changed: TimeSpec?
        /// Hash of the contents, or of the target of a symbolic link.
        package var contents: UInt64
        package var attributes: [String: [UInt8]]
        /// The first name, in the walk's order, of the same inode.
        package var sameAs: String
        /// The inode number; not compared.
        package var inode: InodeNumber
    }

    /// A number that takes no part in comparisons: two trees never have the same ones.
    package struct InodeNumber: Equatable {
        package var value: UInt64

        package static func == (left: InodeNumber, right: InodeNumber) -> Bool { true }
    }

    /// By path, relative to the root, which is ".".
    package private(set) var entries: [String: Entry] = [:]
    /// Names whose `d_ino` or `d_type` does not agree with their status.
    package private(set) var directoryFaults: [String] = []

    /// - Parameters:
    ///   - changeTimes: whether ctime counts; it does for a tree that nobody may touch.
    ///   - recent: modification times from this second on all count as the same: "during the test".
    package init(of path: String, changeTimes: Bool = false, recent: Int64? = nil) throws {
        var walk = Walk(changeTimes: changeTimes, recent: recent)
        let root = try FileDescriptor.open(path, [.directory])
        try walk.record(".", status: try root.status(), at: root, name: ".")
        try walk.descend(root, prefix: "")
        entries = walk.entries
        directoryFaults = walk.faults
    }

    /// One line for each difference, sorted; empty where the trees are the same.
    ///
    /// - Parameter links: whether files with several names are looked at, besides being there.
    package func differences(to other: TreeSnapshot, links: Bool = true) -> [String] {
        var lines: [String] = []
        for (path, entry) in entries {
            guard let counterpart = other.entries[path] else {
                lines.append("\(path): gone")
                continue
            }
            if !links && max(entry.linkCount, counterpart.linkCount) > 1 { continue }
            if entry != counterpart { lines.append("\(path): \(entry.difference(to: counterpart))") }
        }
        for path in other.entries.keys where entries[path] == nil { lines.append("\(path): new") }
        return lines.sorted()
    }

    /// Names whose inode number is not the one they have in `earlier`.
    package func changedInodes(since earlier: TreeSnapshot) -> [String] {
        entries.compactMap { path, entry in
            guard let before = earlier.entries[path], before.inode.value != entry.inode.value else { return nil }
            return "\(path): inode \(before.inode.value), then \(entry.inode.value)"
        }.sorted()
    }
}

extension TreeSnapshot.Entry {
    package func difference(to other: TreeSnapshot.Entry) -> String {
        var parts: [String] = []
        func compare<Value: Equatable>(_ name: String, _ a: Value, _ b: Value) {
            if a != b { parts.append("\(name) \(a) != \(b)") }
        }
        compare("mode", String(mode, radix: 8), String(other.mode, radix: 8))
        compare("uid", uid, other.uid)
        compare("gid", gid, other.gid)
        compare("size", size, other.size)
        compare("links", linkCount, other.linkCount)
        compare("device", rawDevice, other.rawDevice)
        compare("mtime", Self.text(of: modified), Self.text(of: other.modified))
        compare("ctime", changed, other.changed)
        compare("contents", contents, other.contents)
        compare("first name", sameAs, other.sameAs)
        for name in Set(attributes.keys).union(other.attributes.keys).sorted() {
            compare(name, Self.text(of: attributes[name]), Self.text(of: other.attributes[name]))
        }
        return parts.joined(separator: ", ")
    }

    private static func text(of time: TimeSpec?) -> String {
        time.map { "\($0.seconds).\($0.nanoseconds)" } ?? "recent"
    }

    private static func text(of value: [UInt8]?) -> String {
        value.map { $0.count > 40 ? "\($0.count) bytes, hash \(hash($0))" : "\($0)" } ?? "none"
    }
}

/// The walk that fills a snapshot.
private struct Walk {
    let changeTimes: Bool
    let recent: Int64?
    var entries: [String: TreeSnapshot.Entry] = [:]
    var faults: [String] = []
    private var firstNames: [UInt64: String] = [:]

    init(changeTimes: Bool, recent: Int64?) {
        self.changeTimes = changeTimes
        self.recent = recent
    }

    mutating func descend(_ directory: borrowing FileDescriptor, prefix: String) throws {
        var found: [(name: [CChar], inode: UInt64, type: FileType?)] = []
        try directory.forEachEntry { (entry: DirectoryEntry) throws(Errno) in
            found.append((entry.bytes, entry.inode, entry.type))
            return true
        }
        found.sort { strcmp($0.name, $1.name) < 0 }
        for (name, inode, type) in found {
            let path = prefix + String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            // The kernel's overlay lists a whiteout in a directory that it need not merge.
            guard let status = try directory.statusIfPresent(of: name) else {
                faults.append("\(path): listed, and not there")
                continue
            }
            if status.inode != inode { faults.append("\(path): d_ino \(inode), st_ino \(status.inode)") }
            if let type, type != status.type { faults.append("\(path): d_type \(type), type \(status.type)") }
            if entries[path] != nil { faults.append("\(path): listed twice") }
            try record(path, status: status, at: directory, name: name)
            if status.isDirectory {
                try descend(try directory.open(name, [.directory, .noFollow, .noAccessTime]), prefix: path + "/")
            }
        }
    }

    mutating func record(
        _ path: String, status: FileStatus, at directory: borrowing FileDescriptor, name: UnsafePointer<CChar>
    ) throws {
        let isDirectory = status.isDirectory
        var time: TimeSpec? = status.modificationTime
        if let recent, status.modificationTime.seconds >= recent { time = nil }
        // Hard links are told by the inode number; of a file with one name only the number itself must be unique.
        let first = firstNames[status.inode] ?? path
        firstNames[status.inode] = first
        entries[path] = TreeSnapshot.Entry(
            mode: status.mode, uid: status.uid, gid: status.gid, size: isDirectory ? 0 : status.size,
            linkCount: isDirectory ? 0 : status.linkCount, rawDevice: status.rawDevice, modified: time,
            changed: changeTimes ? status.changeTime : nil,
            contents: try contents(of: name, status, at: directory),
            attributes: try attributes(of: name, at: directory), sameAs: first,
            inode: TreeSnapshot.InodeNumber(value: status.inode))
    }

    private func contents(
        of name: UnsafePointer<CChar>, _ status: FileStatus, at directory: borrowing FileDescriptor
    ) throws -> UInt64 {
        switch status.type {
        case .regular: hash(try directory.open(name, [.noFollow, .noAccessTime]).readAll())
        case .symbolicLink: hash(try directory.readLink(name))
        default: 0
        }
    }

    private func attributes(
        of name: UnsafePointer<CChar>, at directory: borrowing FileDescriptor
    ) throws -> [String: [UInt8]] {
        let file = try directory.open(name, [.path, .noFollow])
        var result: [String: [UInt8]] = [:]
        for attribute in try file.attributeNames() {
            let text = String(decoding: attribute.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            result[text] = try file.attribute(attribute) ?? []
        }
        return result
    }
}

/// FNV-1a over words of 64 bits: enough to notice a difference that nobody made on purpose.
package func hash(_ bytes: [UInt8]) -> UInt64 {
    var result: UInt64 = 0xcbf2_9ce4_8422_2325 ^ UInt64(bytes.count)
    bytes.withUnsafeBytes { buffer in
        var position = 0
        while position < buffer.count {
            var word: UInt64 = 0
            if buffer.count - position >= 8 {
                word = buffer.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            } else {
                for byte in buffer[position...] { word = word << 8 | UInt64(byte) }
            }
            result = (result ^ word) &* 0x100_0000_01b3
            result ^= result >> 29
            position += 8
        }
    }
    return result
}
