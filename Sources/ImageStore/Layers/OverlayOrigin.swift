import Linux

/// Where an upper file was copied from: a file handle in the attribute `origin`; `struct ovl_fb` in the kernel's
/// fs/overlayfs/overlayfs.h.
struct OverlayOrigin {
    private static let headerSize = 21
    private let handle: FileHandle

    /// Nil where nothing is noted.
    init?(of file: borrowing FileDescriptor) throws(Errno) {
        var value = try file.attribute(OverlayAttribute.origin)
        if value == nil { value = try file.attribute(OverlayAttribute.userOrigin) }
        // version, magic, length, flags, type of the handle, UUID of the file system, handle
        guard let value, value.count > OverlayOrigin.headerSize, value[0] == 0, value[1] == 0xfb,
            Int(value[2]) == value.count
        else { return nil }
        handle = FileHandle(type: Int32(value[4]), bytes: Array(value[OverlayOrigin.headerSize...]))
    }

    /// Opens the original; nil where it is gone or its file system has no handles.
    func open(near lowers: LowerStack, _ flags: OpenFlags) throws(Errno) -> FileDescriptor? {
        for directory in lowers.directories {
            if let original = try? directory.descriptor.open(handle, flags) { return original }
        }
        return nil
    }

    /// What is known of the original; nil where it is gone.
    func status(near lowers: LowerStack) throws(Errno) -> FileStatus? {
        try open(near: lowers, .path)?.status()
    }
}
