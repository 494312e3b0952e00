internal import CLinux

/// A run of a file's bytes on the disk.
public struct DiskExtent: Hashable, Sendable {
    /// Where it begins in the file, in bytes.
    public var logical: UInt64
    /// Where it begins on the disk, in bytes.
    public var physical: UInt64
    /// How many bytes it has.
    public var length: UInt64
}

extension FileDescriptor {
    /// ioctl(FIDEDUPERANGE): has a range of `target` take the same space on disk as this file's, if the bytes are the
    /// same; the kernel compares them. Neither descriptor has to be open for writing where the caller may write the file.
    ///
    /// - Returns: how many bytes share now, perhaps fewer than asked for; 0 where they differ. EOPNOTSUPP, EINVAL or
    ///   ENOTTY where the file system cannot share.
    public func shareRange(
        from offset: Int64, length: Int64, with target: borrowing FileDescriptor, at targetOffset: Int64
    ) throws(Errno) -> Int64 {
        let count = clinux_dedupe_range(rawValue, offset, length, target.rawValue, targetOffset)
        if count < 0 { throw .current }
        return count
    }

    /// ioctl(FS_IOC_FIEMAP): the first extent that ends after an offset; nil where only a hole follows.
    public func diskExtent(after offset: Int64) throws(Errno) -> DiskExtent? {
        var extent = DiskExtent(logical: 0, physical: 0, length: 0)
        let result = clinux_extent(rawValue, offset, &extent.logical, &extent.physical, &extent.length)
        if result < 0 { throw .current }
        return result == 0 ? nil : extent
    }
}
