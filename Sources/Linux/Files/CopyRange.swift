internal import Glibc

extension FileDescriptor {
    /// Copies `source`'s data, holes kept, into this empty file: by sharing blocks where the file system can (`FICLONE`),
    /// then `copy_file_range`, then reading and writing.
    ///
    /// - Parameter size: the size of the source in bytes, which this file has afterwards.
    public func copyContents(of source: borrowing FileDescriptor, size: Int64) throws(Errno) {
        if size == 0 { return }
        do throws(Errno) {
            try clone(from: source)
            return
        } catch {
            // Not able to share: copy. Anything worse shows again below.
        }
        var position: Int64 = 0
        while position < size {
            guard let data = try source.nextData(from: position, size: size) else { break }
            try copyExtent(of: source, data)
            position = data.upperBound
        }
        try truncate(to: size)
    }

    /// The next run of bytes that is not a hole; the whole rest where the file system cannot tell.
    func nextData(from position: Int64, size: Int64) throws(Errno) -> Range<Int64>? {
        do throws(Errno) {
            let start = try seek(position, from: .data)
            if start >= size { return nil }
            let end = min(try seek(start, from: .hole), size)
            return start..<max(end, start)
        } catch {
            switch error {
            case .ENXIO: return nil
            case .EINVAL, .EOPNOTSUPP: return position..<size
            default: throw error
            }
        }
    }

    private func copyExtent(of source: borrowing FileDescriptor, _ extent: Range<Int64>) throws(Errno) {
        var position = extent.lowerBound
        while position < extent.upperBound {
            let length = Int(min(extent.upperBound - position, 1 << 30))
            do throws(Errno) {
                let count = try source.copyRange(from: position, to: self, at: position, length: length)
                if count == 0 { return }
                position += Int64(count)
            } catch {
                switch error {
                case .EXDEV, .EINVAL, .ENOSYS, .EOPNOTSUPP, .EBADF, .ETXTBSY:
                    try copyByReading(of: source, position..<extent.upperBound)
                    return
                default: throw error
                }
            }
        }
    }

    private func copyByReading(of source: borrowing FileDescriptor, _ extent: Range<Int64>) throws(Errno) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 4096)
        defer { buffer.deallocate() }
        var position = extent.lowerBound
        while position < extent.upperBound {
            let wanted = Int(min(extent.upperBound - position, Int64(buffer.count)))
            let count = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: position)
            if count == 0 { return }
            var done = 0
            while done < count {
                done += try write(UnsafeRawBufferPointer(rebasing: buffer[done..<count]), at: position + Int64(done))
            }
            position += Int64(count)
        }
    }
}
