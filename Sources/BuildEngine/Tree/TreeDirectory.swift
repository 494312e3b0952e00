import Linux

/// A file found in a directory of a tree.
struct TreeEntry: Sendable {
    /// Its name there.
    var name: FileName
    /// What the file that is seen says of itself.
    var status: FileStatus
    /// Which of the directory's parts hold it, by index: for a directory all that merge, the top one first.
    var parts: [Int]
}

/// A directory of a stack of directories, read without a mount by the rules of the union: the upper entry wins,
/// directories merge until a whiteout or an opaque one.
///
/// Everything is done relative to open descriptors and never through a symbolic link, so that nobody who moves things
/// about in a build context meanwhile can lead the builder out of it.
final class TreeDirectory: Sendable {
    /// The real directories that merge here, the top one first.
    private let parts: [SharedDescriptor]
    /// How unions keep their notes in it. Nil for a build context: there character devices 0:0 and attributes are nothing
    /// but what they are.
    private let marks: OverlayMarks?

    private init(parts: [SharedDescriptor], marks: OverlayMarks?) {
        self.parts = parts
        self.marks = marks
    }

    /// Opens the root of a stack of layers, the top one first.
    init(layers: [String], marks: OverlayMarks) throws(Errno) {
        var parts: [SharedDescriptor] = []
        for layer in layers { parts.append(SharedDescriptor(try FileDescriptor.open(layer, [.directory]))) }
        self.parts = parts
        self.marks = marks
    }

    /// Nothing: the root of an image without layers.
    static var nothing: TreeDirectory { TreeDirectory(parts: [], marks: nil) }

    /// Opens a plain directory.
    init(directory: String) throws(Errno) {
        parts = [SharedDescriptor(try FileDescriptor.open(directory, [.directory]))]
        marks = nil
    }

    /// Whether nothing is below: the root of an image without layers.
    var isEmpty: Bool { parts.isEmpty }

    /// What the directory says of itself; the top one counts.
    func status() throws(Errno) -> FileStatus {
        guard let top = parts.first else {
            var status = FileStatus()
            status.mode = FileType.directory.rawValue | 0o755
            return status
        }
        return try top.descriptor.status()
    }

    // MARK: Looking up

    /// The entry of that name, nil where there is none.
    func entry(_ name: FileName) throws(Errno) -> TreeEntry? {
        var found: TreeEntry?
        for index in parts.indices {
            guard let status = try parts[index].descriptor.statusIfPresent(of: name.cString) else { continue }
            if try !merge(name, status, at: index, into: &found) { break }
        }
        return found
    }

    /// All entries, sorted by name.
    func entries() throws(Errno) -> [TreeEntry] {
        if parts.count == 1 { return try plainEntries(0) }
        var names: Set<FileName> = []
        for part in parts { names.formUnion(try Self.names(part.descriptor)) }
        var entries: [TreeEntry] = []
        for name in names.sorted() {
            if let entry = try entry(name) { entries.append(entry) }
        }
        return entries
    }

    private func plainEntries(_ index: Int) throws(Errno) -> [TreeEntry] {
        var entries: [TreeEntry] = []
        for name in try Self.names(parts[index].descriptor).sorted() {
            guard let status = try parts[index].descriptor.statusIfPresent(of: name.cString) else { continue }
            if marks != nil && status.isWhiteout { continue }
            entries.append(TreeEntry(name: name, status: status, parts: [index]))
        }
        return entries
    }

    /// The position of a descriptor is shared state, so the directory is opened anew.
    private static func names(_ directory: borrowing FileDescriptor) throws(Errno) -> [FileName] {
        let stream = try directory.open(".", [.directory])
        var names: [FileName] = []
        try stream.forEachEntry { (entry: DirectoryEntry) throws(Errno) in
            names.append(FileName(cString: entry.bytes))
            return true
        }
        return names
    }

    /// Takes one more part's entry into account; false when nothing below it counts.
    private func merge(
        _ name: FileName, _ status: FileStatus, at index: Int, into found: inout TreeEntry?
    ) throws(Errno) -> Bool {
        if marks != nil && status.isWhiteout { return false }
        if found == nil {
            found = TreeEntry(name: name, status: status, parts: [index])
        } else {
            guard status.isDirectory else { return false }
            found?.parts.append(index)
        }
        guard status.isDirectory, index + 1 < parts.count else { return false }
        return try !isOpaque(name, in: index)
    }

    private func isOpaque(_ name: FileName, in index: Int) throws(Errno) -> Bool {
        guard let marks else { return false }
        return try parts[index].descriptor.attribute(marks.name(.opaque), of: name.cString) == [UInt8(ascii: "y")]
    }

    // MARK: Opening

    /// Opens a directory found here.
    func open(_ entry: TreeEntry) throws(Errno) -> TreeDirectory {
        var opened: [SharedDescriptor] = []
        for index in entry.parts {
            let directory = try parts[index].descriptor.open(entry.name.cString, [.directory, .noFollow])
            opened.append(SharedDescriptor(directory))
        }
        return TreeDirectory(parts: opened, marks: marks)
    }

    /// Opens a file found here for reading; ESTALE when it is another kind of file by now.
    func openFile(_ entry: TreeEntry) throws(Errno) -> FileDescriptor {
        let file = try holder(entry).descriptor.open(entry.name.cString, [.noFollow, .nonBlocking])
        if try !file.status().isRegular { throw .ESTALE }
        return file
    }

    /// The target of a symbolic link found here.
    func readLink(_ entry: TreeEntry) throws(Errno) -> [UInt8] {
        try holder(entry).descriptor.readLink(entry.name.cString)
    }

    /// The extended attributes of a file found here, by the names that programs know, without those that only mean
    /// something to this host's security modules.
    func attributes(_ entry: TreeEntry) throws(Errno) -> [ExtendedAttribute] {
        try ExtendedAttribute.list(of: entry.name, in: holder(entry).descriptor, marks: marks)
    }

    /// The extended attributes of the directory itself.
    func attributes() throws(Errno) -> [ExtendedAttribute] {
        guard let top = parts.first else { return [] }
        return try ExtendedAttribute.list(of: FileName("."), in: top.descriptor, marks: marks)
    }

    private func holder(_ entry: TreeEntry) throws(Errno) -> SharedDescriptor {
        guard let index = entry.parts.first, parts.indices.contains(index) else { throw .ENOENT }
        return parts[index]
    }
}

/// One extended attribute.
struct ExtendedAttribute: Hashable, Sendable {
    /// The name with its zero.
    var name: [CChar]
    var value: [UInt8]

    /// The attributes of a name in a directory, sorted, that belong to the file rather than to where it is.
    ///
    /// - Parameter marks: how the union that the directory belongs to keeps its notes; nil for a directory of nobody's.
    static func list(
        of name: FileName, in directory: borrowing FileDescriptor, marks: OverlayMarks?
    ) throws(Errno) -> [ExtendedAttribute] {
        var names: [[CChar]] = []
        do throws(Errno) {
            let size = try directory.attributeNames(
                of: name.cString, into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
            if size == 0 { return [] }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size + 1024, alignment: 1)
            defer { buffer.deallocate() }
            let count = try directory.attributeNames(of: name.cString, into: buffer)
            names = buffer[..<count].split(separator: 0).map { $0.map { CChar(bitPattern: $0) } + [0] }
        } catch {
            if error == .EOPNOTSUPP { return [] }
            throw error
        }
        var attributes: [ExtendedAttribute] = []
        for kept in names where !kept.starts(with: label) {
            guard let shown = marks.map({ $0.shown(kept) }) ?? kept else { continue }
            guard let value = try directory.attribute(kept, of: name.cString) else { continue }
            attributes.append(ExtendedAttribute(name: shown, value: value))
        }
        return attributes.sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }

    private static let label = "security.selinux".utf8.map { CChar(bitPattern: $0) }
}
