import Archive
import Linux

/// The extended attributes of a file, taken apart.
struct FileAttributes {
    /// The file's own, sorted by name, as programs call them.
    var own: [TarEntry.Attribute] = []
    /// Whether the overlay marked the directory as hiding what lies below.
    var isOpaque = false
}

/// Reads extended attributes with one call for the many files that have none.
struct AttributeReader {
    /// How the overlay that the files belong to keeps its notes; nil for a tree that is no overlay's.
    let marks: OverlayMarks?

    func attributes(of name: [CChar], in directory: borrowing FileDescriptor) throws(Errno) -> FileAttributes {
        if try !hasAny({ (buffer) throws(Errno) in try directory.attributeNames(of: name, into: buffer) }) {
            return FileAttributes()
        }
        let file = try directory.open(name, [.path, .noFollow])
        return try all(of: file)
    }

    func attributes(of file: borrowing FileDescriptor) throws(Errno) -> FileAttributes {
        if try !hasAny({ (buffer) throws(Errno) in try file.attributeNames(into: buffer) }) { return FileAttributes() }
        return try all(of: file)
    }

    private func hasAny(
        _ list: (UnsafeMutableRawBufferPointer) throws(Errno) -> Int
    ) throws(Errno) -> Bool {
        do throws(Errno) {
            return try list(UnsafeMutableRawBufferPointer(start: nil, count: 0)) > 0
        } catch {
            if error == .EOPNOTSUPP { return false }
            throw error
        }
    }

    private func all(of file: borrowing FileDescriptor) throws(Errno) -> FileAttributes {
        var result = FileAttributes()
        for name in try file.attributeNames() {
            guard let marks else {
                try add(name, kept: name, of: file, to: &result)
                continue
            }
            if let shown = marks.shown(name) {
                try add(shown, kept: name, of: file, to: &result)
            } else if name == marks.name(.opaque) {
                result.isOpaque = try file.attribute(name) == [UInt8(ascii: "y")]
            }
        }
        result.own.sort { $0.name.lexicographicallyPrecedes($1.name) }
        return result
    }

    private func add(
        _ name: [CChar], kept: [CChar], of file: borrowing FileDescriptor, to result: inout FileAttributes
    ) throws(Errno) {
        guard let value = try file.attribute(kept) else { return }
        result.own.append(TarEntry.Attribute(name: name.dropLast().map { UInt8(bitPattern: $0) }, value: value))
    }
}
