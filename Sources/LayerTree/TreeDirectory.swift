package import Linux

/// A file found in a directory of a tree.
package struct TreeEntry: Sendable {
    /// Its name there.
    package var name: FileName
    /// What the file that is seen says of itself.
    package var status: FileStatus
    /// Which of the directory's parts hold it, by index: for a directory all that merge, the top one first.
    package var parts: [Int]
}

/// A directory of a stack of directories, read without a mount by the rules of the union: the upper entry wins,
/// directories merge until a whiteout or an opaque one.
///
/// Everything is done relative to open descriptors and never through a symbolic link, so that nobody who moves things
/// about in a build context meanwhile can lead the reader out of it.
package final class TreeDirectory: Sendable {
    /// The real directories that merge here, the top one first; none where the tree has no such directory.
    package let parts: [OpenDirectory]
    /// How unions keep their notes in it. Nil for a build context: there character devices 0:0 and attributes are nothing
    /// but what they are.
    package let marks: OverlayMarks?

    /// Merges directories that are open, the top one first.
    package init(parts: [OpenDirectory], marks: OverlayMarks?) {
        self.parts = parts
        self.marks = marks
    }

    /// Opens the root of a stack of layers, the top one first.
    package convenience init(layers: [String], marks: OverlayMarks) throws(Errno) {
        var parts: [OpenDirectory] = []
        for layer in layers { parts.append(try OpenDirectory(path: layer)) }
        self.init(parts: parts, marks: marks)
    }

    /// Opens a plain directory.
    package convenience init(directory: String) throws(Errno) {
        self.init(parts: [try OpenDirectory(path: directory)], marks: nil)
    }

    /// Nothing: the root of an image without layers.
    package static var nothing: TreeDirectory { TreeDirectory(parts: [], marks: nil) }

    /// A directory of this tree that is in none of its layers.
    package var absent: TreeDirectory { TreeDirectory(parts: [], marks: marks) }

    /// Whether nothing is below: the root of an image without layers, or a directory that is in no layer.
    package var isEmpty: Bool { parts.isEmpty }

    /// What the directory says of itself; the top one counts.
    package func status() throws(Errno) -> FileStatus {
        guard let top = parts.first else {
            var status = FileStatus()
            status.mode = FileType.directory.rawValue | 0o755
            return status
        }
        return try top.descriptor.status()
    }

    // MARK: Looking up

    /// What the parts say together of a name.
    package enum Holding: Sendable {
        /// None of them has it.
        case nothing
        /// The first that has it says that it is gone.
        case whiteout(FileStatus, part: Int)
        /// A file or directory; whether it hides what trees further down have under the name.
        case entry(TreeEntry, isClosed: Bool)
    }

    /// What the parts say of a name, for who puts them over something else.
    package func holding(_ name: FileName) throws(Errno) -> Holding {
        try look(for: name, judgingLast: true)
    }

    /// The entry of that name, nil where there is none.
    package func entry(_ name: FileName) throws(Errno) -> TreeEntry? {
        guard case .entry(let entry, _) = try look(for: name, judgingLast: false) else { return nil }
        return entry
    }

    /// - Parameter judgingLast: whether it matters if the last part hides what lies below it.
    private func look(for name: FileName, judgingLast: Bool) throws(Errno) -> Holding {
        var found: TreeEntry?
        for index in parts.indices {
            guard let status = try parts[index].status(name) else { continue }
            if marks != nil && status.isWhiteout {
                return found.map { .entry($0, isClosed: true) } ?? .whiteout(status, part: index)
            }
            guard status.isDirectory else {
                let entry = found ?? TreeEntry(name: name, status: status, parts: [index])
                return .entry(entry, isClosed: true)
            }
            var entry = found ?? TreeEntry(name: name, status: status, parts: [])
            entry.parts.append(index)
            if judgingLast || index + 1 < parts.count, try isOpaque(name, in: index) {
                return .entry(entry, isClosed: true)
            }
            found = entry
        }
        return found.map { .entry($0, isClosed: false) } ?? .nothing
    }

    private func isOpaque(_ name: FileName, in index: Int) throws(Errno) -> Bool {
        guard let marks else { return false }
        return try parts[index].descriptor.attribute(marks.name(.opaque), of: name.cString) == [UInt8(ascii: "y")]
    }

    /// All names that any of the parts holds, sorted; some may be hidden.
    package func names() throws(Errno) -> [FileName] {
        if parts.count == 1 { return try parts[0].names() }
        var names: Set<FileName> = []
        for part in parts { names.formUnion(try part.names()) }
        return names.sorted()
    }

    /// All entries, sorted by name.
    package func entries() throws(Errno) -> [TreeEntry] {
        var entries: [TreeEntry] = []
        for name in try names() {
            if let entry = try entry(name) { entries.append(entry) }
        }
        return entries
    }

    // MARK: Opening

    /// Opens a directory found here.
    package func open(_ entry: TreeEntry) throws(Errno) -> TreeDirectory {
        var opened: [OpenDirectory] = []
        for index in entry.parts { opened.append(try parts[index].open(entry.name)) }
        return TreeDirectory(parts: opened, marks: marks)
    }

    /// The directory under some names; `absent` where there is none.
    package func descend(_ names: some Sequence<FileName>) throws(Errno) -> TreeDirectory {
        var directory = self
        for name in names {
            guard let entry = try directory.entry(name), entry.status.isDirectory else { return absent }
            directory = try directory.open(entry)
        }
        return directory
    }

    /// Where a redirect of a directory leads: from this one, the root of the whole tree, or beside the directory's own
    /// lower half.
    ///
    /// - Parameter parent: what lies below the directory that it is in.
    package func descend(
        _ redirect: OverlayRedirect, from parent: () throws(Errno) -> TreeDirectory
    ) throws(Errno) -> TreeDirectory {
        switch redirect {
        case .name(let name): try parent().descend([FileName(name)])
        case .path(let names): try descend(names.map { FileName($0) })
        }
    }

    /// Opens a file found here for reading; ESTALE when it is another kind of file by now.
    package func openFile(_ entry: TreeEntry) throws(Errno) -> FileDescriptor {
        let file = try home(of: entry).openFile(entry.name, .nonBlocking)
        if try !file.status().isRegular { throw .ESTALE }
        return file
    }

    /// The target of a symbolic link found here.
    package func readLink(_ entry: TreeEntry) throws(Errno) -> [UInt8] {
        try home(of: entry).descriptor.readLink(entry.name.cString)
    }

    /// The extended attributes of a file found here, by the names that programs know, without those that only mean
    /// something to this host's security modules.
    package func attributes(_ entry: TreeEntry) throws(Errno) -> [ExtendedAttribute] {
        Self.withoutLabels(try FileAttributes(of: entry.name, in: home(of: entry).descriptor, marks: marks))
    }

    /// The extended attributes of the directory itself.
    package func attributes() throws(Errno) -> [ExtendedAttribute] {
        guard let top = parts.first else { return [] }
        return Self.withoutLabels(try FileAttributes(of: top.descriptor, marks: marks))
    }

    private static func withoutLabels(_ attributes: FileAttributes) -> [ExtendedAttribute] {
        attributes.own.filter { !$0.name.starts(with: label) }
    }

    private static let label = "security.selinux".utf8.map { CChar(bitPattern: $0) }

    /// The real directory whose owner, mode and times are seen; ENOENT where the tree has no such directory.
    package func top() throws(Errno) -> OpenDirectory {
        guard let top = parts.first else { throw .ENOENT }
        return top
    }

    /// The real directory that holds what is seen of a file found here.
    package func home(of entry: TreeEntry) throws(Errno) -> OpenDirectory {
        guard let index = entry.parts.first, parts.indices.contains(index) else { throw .ENOENT }
        return parts[index]
    }
}
