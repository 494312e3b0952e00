internal import FUSE
internal import Glibc
internal import Linux

/// The names under which the union and the kernel's overlay keep what belongs to them.
struct Marks: Sendable {
    let opaque: StaticString
    let redirect: StaticString
    /// On an empty file that stands for a whiteout, in a lower directory whose opaque mark has the value `x`.
    let whiteout: StaticString
    let origin: StaticString
    let impure: StaticString
    let linkCount: StaticString
    /// On a file of which only the attributes were copied up.
    let metacopy: StaticString
    /// Ours alone: inode number and link count of the origin, where handles cannot be opened.
    let number: StaticString
    /// All own attributes start with this.
    let prefix: StaticString
    /// What a program stores under `prefix` is kept under this, so that unions can be stacked.
    let escapedPrefix: StaticString
    /// Whether what other overlays leave counts too: names that begin with `.wh.`, and opaque marks under other prefixes.
    var readsForeign = true

    static let trusted = Marks(OverlayMarks.trusted)
    static let user = Marks(OverlayMarks.user)

    private init(_ marks: OverlayMarks) {
        opaque = marks.literal(.opaque)
        redirect = marks.literal(.redirect)
        whiteout = marks.literal(.whiteout)
        origin = marks.literal(.origin)
        impure = marks.literal(.impure)
        linkCount = marks.literal(.linkCount)
        metacopy = marks.literal(.metacopy)
        number = marks.literal(.number)
        prefix = marks.prefix
        escapedPrefix = marks.escapedPrefix
    }

    /// Names that hide the rest of the name below (`.wh.NAME`) or everything below (`.wh..wh..opq`), as AUFS, OCI layer
    /// archives and an unprivileged fuse-overlayfs have them. They are never written; read, and not shown, where
    /// `readsForeign` is set.
    static let markerPrefix = WhiteoutName.prefix
    static let opaqueMarker = WhiteoutName.opaque

    static func isMarker(_ name: Text) -> Bool { name.hasPrefix(markerPrefix) }

    /// Whether a name in a layer is such a marker rather than a file's.
    func isMarkerHere(_ name: Text) -> Bool { readsForeign && Marks.isMarker(name) }

    /// What the attributes of a directory in a layer say of the layers below it.
    struct Directory {
        var isOpaque = false
        /// Files in it may be whiteouts in the form of an attribute: the kernel's Documentation/filesystems/overlayfs.rst,
        /// "Nesting overlayfs mounts".
        var hasWhiteoutFiles = false
        /// Where the directory is in the layers below: a name, or a path from the root with a leading slash.
        var redirect: [UInt8]?
        var isImpure = false
    }

    /// Reads the attributes of a directory: one call where there are none of ours.
    func directory(at place: borrowing Place) throws(Errno) -> Directory {
        var result = Directory()
        var found: Found = []
        do throws(Errno) {
            found = try names(at: place)
        } catch {
            if error == .EOPNOTSUPP || error == .EPERM || error == .EACCES { return result }
            throw error
        }
        if found.contains(.opaque) {
            let value = try place.attribute(opaque)
            result.isOpaque = value?.first == UInt8(ascii: "y")
            result.hasWhiteoutFiles = value == [UInt8(ascii: "x")]
        }
        if found.contains(.foreignOpaque) {
            for name in Marks.foreignOpaque where !result.isOpaque { result.isOpaque = try hasValueY(place, name) }
        }
        if found.contains(.redirect) { result.redirect = try place.attribute(redirect) }
        result.isImpure = found.contains(.impure)
        return result
    }

    /// What the attributes of an upper file say of it.
    struct File {
        /// It was copied up.
        var hasOrigin = false
        /// Its data were not.
        var isMetacopy = false
        /// It has been renamed since, or got another name.
        var hasRedirect = false
    }

    /// Reads which attributes a file has: one call.
    func file(at place: borrowing Place) throws(Errno) -> File {
        do throws(Errno) {
            let found = try names(at: place)
            return File(
                hasOrigin: found.contains(.origin), isMetacopy: found.contains(.metacopy),
                hasRedirect: found.contains(.redirect))
        } catch {
            if error == .EOPNOTSUPP || error == .EPERM || error == .EACCES { return File() }
            throw error
        }
    }

    /// Whether a file holds nothing but its attributes.
    func isMetacopy(at place: borrowing Place) throws(Errno) -> Bool {
        do throws(Errno) {
            let none = UnsafeMutableRawBufferPointer(start: nil, count: 0)
            _ = try place.directory.attribute(metacopy.cString, of: place.path, into: none)
            return true
        } catch {
            // Whoever may not read the attribute may not read the data either.
            if error == .ENODATA || error == .EOPNOTSUPP || error == .EPERM || error == .EACCES { return false }
            throw error
        }
    }

    /// Whether a file at a path below a directory is one, which is in a directory that may have such files.
    func isWhiteoutFile(
        _ path: UnsafePointer<CChar>, in directory: borrowing FileDescriptor, _ status: FileStatus
    ) throws(Errno) -> Bool {
        guard status.isRegular, status.size == 0 else { return false }
        return try directory.attribute(whiteout.cString, of: path) != nil
    }

    private func hasValueY(_ place: borrowing Place, _ name: StaticString) throws(Errno) -> Bool {
        try place.attribute(name)?.first == UInt8(ascii: "y")
    }

    private struct Found: OptionSet {
        let rawValue: Int
        static let opaque = Found(rawValue: 1)
        static let redirect = Found(rawValue: 2)
        static let impure = Found(rawValue: 4)
        static let foreignOpaque = Found(rawValue: 8)
        static let origin = Found(rawValue: 16)
        static let metacopy = Found(rawValue: 32)
    }

    /// What else means "opaque" on reading.
    private static let foreignOpaque: [StaticString] = [
        OverlayMarks.trusted.literal(.opaque), OverlayMarks.user.literal(.opaque), "user.fuseoverlayfs.opaque",
    ]

    private func names(at place: borrowing Place) throws(Errno) -> Found {
        let small = 512
        return try withMemory(small) { (buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Found in
            do throws(Errno) {
                let count = try place.directory.attributeNames(of: place.path, into: buffer)
                return scan(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            } catch {
                if error != .ERANGE { throw error }
            }
            return try withMemory(1 << 16) { (buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Found in
                let count = try place.directory.attributeNames(of: place.path, into: buffer)
                return scan(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        }
    }

    private func scan(_ list: UnsafeRawBufferPointer) -> Found {
        var found: Found = []
        forEachName(list) { name in
            if name.equals(opaque) {
                found.insert(.opaque)
            } else if name.equals(redirect) {
                found.insert(.redirect)
            } else if name.equals(impure) {
                found.insert(.impure)
            } else if name.equals(origin) || name.equals(number) {
                found.insert(.origin)
            } else if name.equals(metacopy) {
                found.insert(.metacopy)
            } else if readsForeign && Marks.foreignOpaque.contains(where: { name.equals($0) }) {
                found.insert(.foreignOpaque)
            }
        }
        return found
    }
}

extension Name {
    func equals(_ other: StaticString) -> Bool {
        length == other.utf8CodeUnitCount && memcmp(pointer, other.utf8Start, length) == 0
    }
}

/// Calls `body` for each name of a listxattr(2) result.
func forEachName(_ list: UnsafeRawBufferPointer, _ body: (Name) -> Void) {
    guard let start = list.baseAddress?.assumingMemoryBound(to: CChar.self) else { return }
    var position = 0
    while position < list.count {
        let length = strnlen(start + position, list.count - position)
        if position + length >= list.count { return }
        body(Name(start + position, length: length))
        position += length + 1
    }
}

/// Memory for the time of a call.
@inline(__always)
func withMemory<Result: ~Copyable>(
    _ size: Int, _ body: (UnsafeMutableRawBufferPointer) throws(Errno) -> Result
) throws(Errno) -> Result {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
    defer { buffer.deallocate() }
    return try body(buffer)
}

extension StaticString {
    /// The bytes and their zero.
    var cString: UnsafePointer<CChar> { UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self) }
    /// The bytes without the zero, as a name.
    var text: Text { Text(cString, length: utf8CodeUnitCount) }
}
