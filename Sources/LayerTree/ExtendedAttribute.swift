package import Linux

/// One extended attribute.
package struct ExtendedAttribute: Hashable, Sendable {
    /// The name with its zero.
    package var name: [CChar]
    /// Its value.
    package var value: [UInt8]
}

/// The extended attributes of a file, taken apart.
package struct FileAttributes: Sendable {
    /// The file's own, sorted by name, as programs call them.
    package var own: [ExtendedAttribute] = []
    /// Whether the overlay marked the directory as hiding what lies below.
    package var isOpaque = false

    /// The attributes of a name in a directory, found with one call for the many files that have none.
    ///
    /// - Parameter marks: how the overlay that the file belongs to keeps its notes; nil for a tree that is no overlay's.
    package init(
        of name: FileName, in directory: borrowing FileDescriptor, marks: OverlayMarks?
    ) throws(Errno) {
        let isBare = try Self.isEmpty { (buffer) throws(Errno) in
            try directory.attributeNames(of: name.cString, into: buffer)
        }
        if isBare { return }
        try read(try directory.open(name.cString, [.path, .noFollow]), marks)
    }

    /// The attributes of an open file.
    package init(of file: borrowing FileDescriptor, marks: OverlayMarks?) throws(Errno) {
        if try Self.isEmpty({ (buffer) throws(Errno) in try file.attributeNames(into: buffer) }) { return }
        try read(file, marks)
    }

    private static func isEmpty(
        _ list: (UnsafeMutableRawBufferPointer) throws(Errno) -> Int
    ) throws(Errno) -> Bool {
        do throws(Errno) {
            return try list(UnsafeMutableRawBufferPointer(start: nil, count: 0)) == 0
        } catch {
            if error == .EOPNOTSUPP { return true }
            throw error
        }
    }

    private mutating func read(_ file: borrowing FileDescriptor, _ marks: OverlayMarks?) throws(Errno) {
        for name in try file.attributeNames() {
            guard let shown = marks.map({ $0.shown(name) }) ?? name else {
                if name == marks?.name(.opaque) { isOpaque = try file.attribute(name) == [UInt8(ascii: "y")] }
                continue
            }
            guard let value = try file.attribute(name) else { continue }
            own.append(ExtendedAttribute(name: shown, value: value))
        }
        own.sort { $0.name.lexicographicallyPrecedes($1.name) }
    }
}
