internal import CLinux
internal import Glibc

/// What renameat2(2) is asked for besides the plain rename.
public struct RenameFlags: OptionSet, Hashable, Sendable {
    /// The `RENAME_*` bits.
    public let rawValue: UInt32
    /// Takes the bits as the kernel gives them.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// EEXIST where the new name exists.
    public static let noReplace = RenameFlags(rawValue: 1)
    /// The two names change places; both must exist.
    public static let exchange = RenameFlags(rawValue: 2)
    /// A whiteout takes the old name.
    public static let whiteout = RenameFlags(rawValue: 4)
}

// Paths are relative to the descriptor they are asked of (see `FileDescriptor`).
extension FileDescriptor {
    /// mkdirat(2).
    public func makeDirectory(_ path: UnsafePointer<CChar>, mode: UInt32) throws(Errno) {
        let number = rawValue
        try checkVoid { mkdirat(number, path, mode) }
    }

    /// mkdirat(2), and the mode is what was asked for, whatever the umask of this process is.
    public func makeDirectory(_ path: UnsafePointer<CChar>, exactMode mode: UInt32) throws(Errno) {
        try makeDirectory(path, mode: mode & 0o700)
        try open(path, [.directory, .noFollow]).setMode(mode)
    }

    /// mknodat(2): `mode` holds the type; `device` counts for device nodes.
    public func makeNode(_ path: UnsafePointer<CChar>, mode: UInt32, device: UInt64 = 0) throws(Errno) {
        let number = rawValue
        try checkVoid { clinux_mknodat(number, path, mode, device) }
    }

    /// symlinkat(2).
    public func makeSymbolicLink(_ path: UnsafePointer<CChar>, to target: UnsafePointer<CChar>) throws(Errno) {
        let number = rawValue
        try checkVoid { symlinkat(target, number, path) }
    }

    /// linkat(2): a further name for `path`, never through a symbolic link at its end.
    public func makeLink(
        of path: UnsafePointer<CChar>, in directory: borrowing FileDescriptor, at newPath: UnsafePointer<CChar>
    ) throws(Errno) {
        let (from, to) = (rawValue, directory.rawValue)
        try checkVoid { linkat(from, path, to, newPath, 0) }
    }

    /// Gives this open file, which may be an `O_TMPFILE` or `O_PATH` one, a name: linkat(2) through `/proc/self/fd`,
    /// which needs no capability.
    public func makeLink(in directory: borrowing FileDescriptor, at newPath: UnsafePointer<CChar>) throws(Errno) {
        let to = directory.rawValue
        try withProcPath { (path: UnsafePointer<CChar>) throws(Errno) in
            try checkVoid { linkat(AT_FDCWD, path, to, newPath, AT_SYMLINK_FOLLOW) }
        }
    }

    /// unlinkat(2).
    public func unlink(_ path: UnsafePointer<CChar>) throws(Errno) {
        let number = rawValue
        try checkVoid { unlinkat(number, path, 0) }
    }

    /// unlinkat(2) with `AT_REMOVEDIR`.
    public func removeDirectory(_ path: UnsafePointer<CChar>) throws(Errno) {
        let number = rawValue
        try checkVoid { unlinkat(number, path, AT_REMOVEDIR) }
    }

    /// renameat2(2) from a path here to a path in `directory`.
    public func rename(
        _ path: UnsafePointer<CChar>, to directory: borrowing FileDescriptor, _ newPath: UnsafePointer<CChar>,
        flags: RenameFlags = []
    ) throws(Errno) {
        let (from, to) = (rawValue, directory.rawValue)
        try checkVoid { clinux_renameat2(from, path, to, newPath, flags.rawValue) }
    }

    /// readlinkat(2): the bytes of the target, without a terminating zero. ENAMETOOLONG beyond 64 KiB.
    public func readLink(_ path: UnsafePointer<CChar>) throws(Errno) -> [UInt8] {
        let number = rawValue
        var room = 256
        while room <= 1 << 16 {
            var buffer = [UInt8](repeating: 0, count: room)
            let count = try buffer.withUnsafeMutableBytesThrowing { bytes throws(Errno) in
                try check { clinux_readlinkat(number, path, bytes.baseAddress, bytes.count) }
            }
            if count < room { return Array(buffer[..<count]) }
            room *= 4
        }
        throw .ENAMETOOLONG
    }

    /// faccessat2(2) for writing, as this process's effective user and not following a symbolic link: what an open for
    /// writing would fail with, such as EROFS, without opening.
    public func checkWritable(_ path: UnsafePointer<CChar>) throws(Errno) {
        let number = rawValue
        try checkVoid { faccessat(number, path, W_OK, AT_EACCESS | AT_SYMLINK_NOFOLLOW) }
    }

    // MARK: Attributes

    /// fchmod(2) on the open file; through `/proc` where the descriptor is `O_PATH`.
    public func setMode(_ mode: UInt32) throws(Errno) {
        let number = rawValue
        do throws(Errno) {
            try checkVoid { fchmod(number, mode) }
        } catch {
            if error != .EBADF { throw error }
            try withProcPath { (path: UnsafePointer<CChar>) throws(Errno) in try checkVoid { chmod(path, mode) } }
        }
    }

    /// fchmodat(2). It follows a symbolic link at the end of the path: Linux has no modes of links.
    public func setMode(of path: UnsafePointer<CChar>, _ mode: UInt32) throws(Errno) {
        let number = rawValue
        try checkVoid { fchmodat(number, path, mode, 0) }
    }

    /// Owner and group of the open file (`O_PATH` too); nil leaves one as it is.
    public func setOwner(uid: UInt32?, gid: UInt32?) throws(Errno) {
        let number = rawValue
        try checkVoid { fchownat(number, "", uid ?? UInt32.max, gid ?? UInt32.max, clinux_AT_EMPTY_PATH) }
    }

    /// fchownat(2), not following a symbolic link; nil leaves one as it is.
    public func setOwner(of path: UnsafePointer<CChar>, uid: UInt32?, gid: UInt32?) throws(Errno) {
        let number = rawValue
        try checkVoid { fchownat(number, path, uid ?? UInt32.max, gid ?? UInt32.max, AT_SYMLINK_NOFOLLOW) }
    }

    /// Times of the open file (`O_PATH` too, kernel 5.8 and later).
    public func setTimes(access: TimeSpec, modification: TimeSpec) throws(Errno) {
        try setTimes(of: "", access: access, modification: modification, flags: clinux_AT_EMPTY_PATH)
    }

    /// utimensat(2), not following a symbolic link.
    public func setTimes(of path: UnsafePointer<CChar>, access: TimeSpec, modification: TimeSpec) throws(Errno) {
        try setTimes(of: path, access: access, modification: modification, flags: AT_SYMLINK_NOFOLLOW)
    }

    private func setTimes(
        of path: UnsafePointer<CChar>, access: TimeSpec, modification: TimeSpec, flags: Int32
    ) throws(Errno) {
        let number = rawValue
        try checkVoid {
            clinux_utimensat(
                number, path, access.seconds, access.nanoseconds, modification.seconds, modification.nanoseconds, flags)
        }
    }

    // MARK: /proc

    /// truncate(2), of a file opened with `O_PATH`.
    public func truncateByPath(to size: Int64) throws(Errno) {
        try withProcPath { path throws(Errno) in try checkVoid { Glibc.truncate(path, Int(size)) } }
    }

    /// Calls `body` with `/proc/self/fd/N` of this descriptor, for calls that take no `AT_EMPTY_PATH`.
    public func withProcPath<Result: ~Copyable>(
        _ body: (UnsafePointer<CChar>) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        try withProcPath(appending: nil, body)
    }

    /// Calls `body` with `/proc/self/fd/N/NAME`, for path calls that have no `*at` form, such as lgetxattr(2).
    public func withProcPath<Result: ~Copyable>(
        appending name: UnsafePointer<CChar>?, _ body: (UnsafePointer<CChar>) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        let length = name.map { strlen($0) } ?? 0
        let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: length + 40)
        defer { buffer.deallocate() }
        var end = 0
        for byte in "/proc/self/fd/".utf8 {
            buffer[end] = CChar(bitPattern: byte)
            end += 1
        }
        end += Self.write(decimal: rawValue, to: buffer + end)
        if let name {
            buffer[end] = CChar(bitPattern: UInt8(ascii: "/"))
            end += 1
            memcpy(buffer + end, name, length)
            end += length
        }
        buffer[end] = 0
        return try body(buffer)
    }

    private static func write(decimal number: Int32, to buffer: UnsafeMutablePointer<CChar>) -> Int {
        if number < 0 {
            // Only AT_FDCWD is negative; /proc/self/fd has no name for it, so the path fails as it should.
            buffer[0] = CChar(bitPattern: UInt8(ascii: "-"))
            return 1
        }
        var digits = 1
        var rest = number / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        rest = number
        for index in stride(from: digits - 1, through: 0, by: -1) {
            buffer[index] = CChar(truncatingIfNeeded: 48 + rest % 10)
            rest /= 10
        }
        return digits
    }
}

extension Array {
    /// `withUnsafeMutableBytes` for a body with a typed throw.
    @inline(__always)
    mutating func withUnsafeMutableBytesThrowing<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let outcome = withUnsafeMutableBytes { bytes in
            Swift.Result { () throws(Failure) -> Result in try body(bytes) }
        }
        return try outcome.get()
    }
}
