import Linux

/// The extended attributes of a file, taken apart.
struct FileAttributes {
    /// The file's own, sorted by name.
    var own: [TarEntry.Attribute] = []
    /// Whether an overlay marked the directory as hiding what lies below.
    var isOpaque = false
    /// Whether an overlay marked the file as a whiteout.
    var isWhiteout = false
}

/// Reads extended attributes with one call for the many files that have none.
enum AttributeReader {
    static func attributes(of name: [CChar], in directory: borrowing FileDescriptor) throws(Errno) -> FileAttributes {
        if try !hasAny({ (buffer) throws(Errno) in try directory.attributeNames(of: name, into: buffer) }) {
            return FileAttributes()
        }
        let file = try directory.open(name, [.path, .noFollow])
        return try all(of: file)
    }

    static func attributes(of file: borrowing FileDescriptor) throws(Errno) -> FileAttributes {
        if try !hasAny({ (buffer) throws(Errno) in try file.attributeNames(into: buffer) }) { return FileAttributes() }
        return try all(of: file)
    }

    private static func hasAny(
        _ list: (UnsafeMutableRawBufferPointer) throws(Errno) -> Int
    ) throws(Errno) -> Bool {
        do throws(Errno) {
            return try list(UnsafeMutableRawBufferPointer(start: nil, count: 0)) > 0
        } catch {
            if error == .EOPNOTSUPP { return false }
            throw error
        }
    }

    private static func all(of file: borrowing FileDescriptor) throws(Errno) -> FileAttributes {
        var result = FileAttributes()
        for name in try file.attributeNames() {
            let bytes = name.dropLast().map { UInt8(bitPattern: $0) }
            let isOverlay = OverlayAttribute.isOverlay(bytes)
            if isOverlay && !OverlayAttribute.isOpaque(bytes) && !OverlayAttribute.isWhiteout(bytes) { continue }
            guard let value = try file.attribute(name) else { continue }
            if !isOverlay {
                result.own.append(TarEntry.Attribute(name: bytes, value: value))
            } else if OverlayAttribute.isOpaque(bytes) {
                result.isOpaque = result.isOpaque || value == [UInt8(ascii: "y")]
            } else {
                result.isWhiteout = true
            }
        }
        result.own.sort { $0.name.lexicographicallyPrecedes($1.name) }
        return result
    }
}
