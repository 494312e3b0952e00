import LayerTree
import Linux

/// Where an upper file was copied from: a file handle in the note `origin`; `struct ovl_fb` in the kernel's
/// fs/overlayfs/overlayfs.h.
///
/// A handle names any file of the file system, so it only ever says which file is meant: what is read is the file of
/// that identity that is found in a layer, never what the handle opens.
struct OverlayOrigin {
    private static let headerSize = 21
    private let handle: FileHandle

    /// Nil where nothing is noted, or where whoever writes files may write notes: handles are for root alone.
    init?(of file: borrowing FileDescriptor, marks: OverlayMarks) throws(Errno) {
        guard marks == .trusted else { return nil }
        // version, magic, length, flags, type of the handle, UUID of the file system, handle
        guard let value = try file.attribute(marks.name(.origin)), value.count > OverlayOrigin.headerSize,
            value[0] == 0, value[1] == 0xfb, Int(value[2]) == value.count
        else { return nil }
        handle = FileHandle(type: Int32(value[4]), bytes: Array(value[OverlayOrigin.headerSize...]))
    }

    /// Which file the original is; nil where it is gone or its file system has no handles.
    func identity(near lowers: TreeDirectory) throws(Errno) -> FileIdentity? {
        for directory in lowers.parts {
            guard let original = try? directory.descriptor.open(handle, .path) else { continue }
            return FileIdentity(try original.status())
        }
        return nil
    }
}

/// Finds files with several names in the layers by which files they are.
struct LinkedFiles {
    private var places: [FileIdentity: (root: Int, path: [FileName])] = [:]
    private let lowers: TreeDirectory

    /// Walks through all of the layers.
    init(_ lowers: TreeDirectory) throws(Errno) {
        self.lowers = lowers
        for (index, root) in lowers.parts.enumerated() { try collect(root, index, []) }
    }

    private mutating func collect(_ directory: OpenDirectory, _ root: Int, _ path: [FileName]) throws(Errno) {
        for name in try directory.names() {
            guard let status = try directory.status(name) else { continue }
            if status.isDirectory {
                try collect(try directory.open(name), root, path + [name])
            } else if status.isRegular, status.linkCount > 1 {
                places[FileIdentity(status)] = (root, path + [name])
            }
        }
    }

    /// Opens a file for reading; nil where no layer has it.
    func open(_ identity: FileIdentity) throws(Errno) -> FileDescriptor? {
        guard let place = places[identity], let name = place.path.last else { return nil }
        var directory = lowers.parts[place.root]
        for component in place.path.dropLast() { directory = try directory.open(component) }
        return try directory.openFile(name)
    }
}
