internal import CLinux
internal import Glibc

/// What a seek or a `SEEK_DATA`/`SEEK_HOLE` starts from.
public enum SeekOrigin: Sendable {
    case start, current, end
    /// The first data at or after the offset; ENXIO where there are none.
    case data
    /// The first hole at or after the offset; the end of the file counts as one.
    case hole

    var rawValue: Int32 {
        switch self {
        case .start: SEEK_SET
        case .current: SEEK_CUR
        case .end: SEEK_END
        case .data: 3
        case .hole: 4
        }
    }
}

extension FileDescriptor {
    /// read(2) into the buffer; 0 at the end of the file.
    public func read(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        let number = rawValue
        return try check { Glibc.read(number, buffer.baseAddress, buffer.count) }
    }

    /// pread(2) into the buffer at an offset in bytes; 0 at the end of the file.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(Errno) -> Int {
        let number = rawValue
        return try check { pread(number, buffer.baseAddress, buffer.count, Int(offset)) }
    }

    /// write(2): returns how many bytes were taken, which may be fewer than given.
    public func write(_ buffer: UnsafeRawBufferPointer) throws(Errno) -> Int {
        let number = rawValue
        return try check { Glibc.write(number, buffer.baseAddress, buffer.count) }
    }

    /// pwrite(2) at an offset in bytes: returns how many bytes were taken.
    public func write(_ buffer: UnsafeRawBufferPointer, at offset: Int64) throws(Errno) -> Int {
        let number = rawValue
        return try check { pwrite(number, buffer.baseAddress, buffer.count, Int(offset)) }
    }

    /// Writes all bytes, in as many calls as it takes.
    public func writeAll(_ buffer: UnsafeRawBufferPointer) throws(Errno) {
        var rest = buffer
        while !rest.isEmpty {
            let count = try write(rest)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Writes all bytes of an array.
    public func writeAll(_ bytes: [UInt8]) throws(Errno) {
        var failure: Errno?
        bytes.withUnsafeBytes { buffer in
            do throws(Errno) { try writeAll(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Writes a text as UTF-8.
    public func writeAll(_ text: String) throws(Errno) {
        try writeAll(Array(text.utf8))
    }

    /// Reads from the current position to the end; EFBIG when that is more than `limit` bytes.
    public func readAll(limit: Int = 1 << 30) throws(Errno) -> [UInt8] {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var count = 0
            var failure: Errno?
            chunk.withUnsafeMutableBytes { buffer in
                do throws(Errno) { count = try read(into: buffer) } catch { failure = error }
            }
            if let failure { throw failure }
            if count == 0 { return result }
            if result.count + count > limit { throw .EFBIG }
            result.append(contentsOf: chunk[..<count])
        }
    }

    /// lseek(2): the new position in bytes from the start.
    public func seek(_ offset: Int64, from origin: SeekOrigin) throws(Errno) -> Int64 {
        let number = rawValue
        return Int64(try check { lseek(number, Int(offset), origin.rawValue) })
    }

    /// ftruncate(2) to a size in bytes.
    public func truncate(to size: Int64) throws(Errno) {
        let number = rawValue
        try checkVoid { ftruncate(number, Int(size)) }
    }

    /// fallocate(2); `mode` is the `FALLOC_FL_*` bits.
    public func allocate(mode: Int32 = 0, offset: Int64, length: Int64) throws(Errno) {
        let number = rawValue
        try checkVoid { clinux_fallocate(number, mode, offset, length) }
    }

    /// fsync(2), or fdatasync(2) when only the data matter.
    public func sync(dataOnly: Bool = false) throws(Errno) {
        let number = rawValue
        try checkVoid { dataOnly ? fdatasync(number) : fsync(number) }
    }

    /// syncfs(2): everything of the file system that the descriptor is on.
    public func syncFileSystem() throws(Errno) {
        let number = rawValue
        try checkVoid { clinux_syncfs(number) }
    }

    /// copy_file_range(2) between explicit offsets: returns how many bytes were copied, 0 at the end of the source.
    public func copyRange(
        from offset: Int64, to target: borrowing FileDescriptor, at targetOffset: Int64, length: Int, flags: UInt32 = 0
    ) throws(Errno) -> Int {
        let (source, sink) = (rawValue, target.rawValue)
        var (from, to) = (offset, targetOffset)
        return try check { clinux_copy_file_range(source, &from, sink, &to, length, flags) }
    }

    /// ioctl(FICLONE): makes this file share all data of `source`. EOPNOTSUPP or EXDEV where the file system cannot.
    public func clone(from source: borrowing FileDescriptor) throws(Errno) {
        let (sink, from) = (rawValue, source.rawValue)
        try checkVoid { clinux_ficlone(sink, from) }
    }

    /// flock(2). False when `blocking` is off and another holds the lock.
    public func lock(exclusive: Bool, blocking: Bool = true) throws(Errno) -> Bool {
        let number = rawValue
        let operation = (exclusive ? LOCK_EX : LOCK_SH) | (blocking ? 0 : LOCK_NB)
        do throws(Errno) {
            try checkVoid { flock(number, operation) }
            return true
        } catch {
            if error == .EAGAIN { return false }
            throw error
        }
    }

    /// Locks a byte of a file that is open for writing, whether the file has that byte or not; fcntl(2),
    /// `F_OFD_SETLK`. The lock is the descriptor's and goes with it. False when another has it.
    public func lock(byte offset: UInt64) throws(Errno) -> Bool {
        let number = rawValue
        do throws(Errno) {
            try checkVoid { clinux_lock_byte(number, offset & (1 << 62 - 1)) }
            return true
        } catch {
            if error == .EAGAIN || error == .EACCES { return false }
            throw error
        }
    }

    /// Whether the descriptor is a terminal.
    public var isTerminal: Bool { isatty(rawValue) == 1 }
}
