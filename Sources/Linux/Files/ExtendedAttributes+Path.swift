internal import CLinux
internal import Glibc

// Extended attributes by path relative to this directory, into the caller's buffers. A symbolic link at the end of the
// path is not followed.
extension FileDescriptor {
    /// Reads an attribute into a buffer and returns its size (an empty buffer asks for the size alone). ENODATA where
    /// there is none, ERANGE where it does not fit.
    public func attribute(
        _ name: UnsafePointer<CChar>, of path: UnsafePointer<CChar>, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        let number = rawValue
        let count = clinux_getxattrat(number, path, name, buffer.baseAddress, buffer.count)
        if count < 0 { throw .current }
        return count
    }

    /// Lists the names, each ended by a zero byte, and returns their size (an empty buffer asks for the size alone).
    public func attributeNames(
        of path: UnsafePointer<CChar>, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        let number = rawValue
        let list = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
        let count = clinux_listxattrat(number, path, list, buffer.count)
        if count < 0 { throw .current }
        return count
    }

    /// Sets an attribute.
    public func setAttribute(
        _ name: UnsafePointer<CChar>, of path: UnsafePointer<CChar>, _ value: UnsafeRawBufferPointer,
        mode: AttributeWrite = .createOrReplace
    ) throws(Errno) {
        let number = rawValue
        try checkVoid { clinux_setxattrat(number, path, name, value.baseAddress, value.count, mode.rawValue) }
    }

    /// Removes an attribute; ENODATA where there is none.
    public func removeAttribute(_ name: UnsafePointer<CChar>, of path: UnsafePointer<CChar>) throws(Errno) {
        let number = rawValue
        try checkVoid { clinux_removexattrat(number, path, name) }
    }

    /// The UUID of the file system that the open file is on, 16 bytes; nil where the kernel or the file system does not
    /// tell.
    public func fileSystemUUID() -> [UInt8]? {
        var uuid = [UInt8](repeating: 0, count: 16)
        return clinux_filesystem_uuid(rawValue, &uuid) == 0 ? uuid : nil
    }
}
