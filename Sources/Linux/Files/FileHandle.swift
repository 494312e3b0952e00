internal import CLinux

/// A file system's own name for an inode, which survives renames: `struct file_handle` of name_to_handle_at(2).
public struct FileHandle: Hashable, Sendable {
    /// The type the file system gave the handle.
    public var type: Int32
    /// Its bytes, at most 128.
    public var bytes: [UInt8]

    /// Puts a handle together that was read from disk.
    public init(type: Int32, bytes: [UInt8]) {
        self.type = type
        self.bytes = bytes
    }
}

extension FileDescriptor {
    /// The handle of the open file itself, which may be `O_PATH`. EOPNOTSUPP where the file system has none.
    public func fileHandle() throws(Errno) -> FileHandle { try fileHandle(of: "") }

    /// The handle of a path here, a symbolic link not followed; of the open file itself with an empty path.
    public func fileHandle(of path: UnsafePointer<CChar>) throws(Errno) -> FileHandle {
        var bytes = [UInt8](repeating: 0, count: 128)
        var (size, type, mount): (UInt32, Int32, Int32) = (0, 0, 0)
        let number = rawValue
        let flags = path[0] == 0 ? clinux_AT_EMPTY_PATH : 0
        try checkVoid { clinux_name_to_handle_at(number, path, flags, &bytes, &size, &type, &mount) }
        return FileHandle(type: type, bytes: Array(bytes.prefix(Int(size))))
    }

    /// open_by_handle_at(2) on the file system that this descriptor is on. Needs CAP_DAC_READ_SEARCH; ESTALE where the
    /// inode is gone.
    public func open(_ handle: FileHandle, _ flags: OpenFlags) throws(Errno) -> FileDescriptor {
        let number = rawValue
        let bits = flags.union(.closeOnExec).rawValue
        return FileDescriptor(
            owning: try check {
                clinux_open_by_handle_at(number, handle.bytes, UInt32(handle.bytes.count), handle.type, bits)
            })
    }
}
