internal import CLinux
internal import Glibc

/// A file descriptor that closes itself.
///
/// Paths are C strings of bytes: a `String`, a `[CChar]` with its terminating zero, or a pointer from C all
/// convert by themselves. A path is relative to the descriptor it is asked of, which must be a directory, unless it is
/// absolute; `FileDescriptor.currentDirectory` stands for the working directory.
public struct FileDescriptor: ~Copyable, Sendable {
    /// The number, for calls this module does not wrap. Valid while the value lives.
    public let rawValue: Int32

    /// Takes over a descriptor that nobody else closes.
    public init(owning rawValue: Int32) { self.rawValue = rawValue }

    deinit {
        if rawValue >= 0 { Glibc.close(rawValue) }
    }

    /// `AT_FDCWD`: paths asked of it are relative to the working directory.
    public static let currentDirectory = FileDescriptor(owning: AT_FDCWD)

    /// Gives the number away without closing it.
    public consuming func release() -> Int32 {
        let number = rawValue
        discard self
        return number
    }

    /// Closes now, and reports what close(2) reports, which for some file systems is a write that failed.
    public consuming func close() throws(Errno) {
        let number = rawValue
        discard self
        // Not repeated after EINTR: Linux has released the number by then.
        if Glibc.close(number) < 0 && Errno.current != .EINTR { throw .current }
    }

    /// A second descriptor for the same open file, closed on exec; `fcntl(F_DUPFD_CLOEXEC)`.
    public func duplicate() throws(Errno) -> FileDescriptor {
        let number = rawValue
        return FileDescriptor(owning: try check { clinux_fcntl(number, F_DUPFD_CLOEXEC, 0) })
    }

    // MARK: Opening

    /// openat(2); `O_CLOEXEC` is always set. `mode` counts only with `.create` or `.temporaryFile`.
    public func open(
        _ path: UnsafePointer<CChar>, _ flags: OpenFlags = .readOnly, mode: UInt32 = 0
    ) throws(Errno) -> FileDescriptor {
        let number = rawValue
        let bits = flags.union(.closeOnExec).rawValue
        return FileDescriptor(owning: try check { clinux_openat(number, path, bits, mode) })
    }

    /// Opens a regular file of this directory for reading, no link followed.
    ///
    /// Somebody may put something else in its place at any moment: it is looked at before it is opened, so that no device
    /// is ever opened and no pipe waited for.
    ///
    /// - Throws: ESTALE where the name is no regular file.
    public func openRegularFile(_ name: UnsafePointer<CChar>) throws(Errno) -> FileDescriptor {
        let file = try open(name, [.path, .noFollow])
        if try !file.status().isRegular { throw .ESTALE }
        return try file.withProcPath { (path: UnsafePointer<CChar>) throws(Errno) in
            try FileDescriptor.currentDirectory.open(path, .readOnly)
        }
    }

    /// openat2(2): as `open`, with rules for how the path may resolve. Repeats EAGAIN, which a rename nearby causes.
    public func open(
        _ path: UnsafePointer<CChar>, _ flags: OpenFlags, mode: UInt32 = 0, resolve: ResolveFlags
    ) throws(Errno) -> FileDescriptor {
        let number = rawValue
        let bits = UInt64(UInt32(bitPattern: flags.union(.closeOnExec).rawValue))
        for _ in 0..<64 {
            do throws(Errno) {
                return FileDescriptor(
                    owning: try check { clinux_openat2(number, path, bits, UInt64(mode), resolve.rawValue) })
            } catch {
                if error != .EAGAIN { throw error }
            }
        }
        throw .EAGAIN
    }

    /// Opens a path relative to the working directory.
    public static func open(
        _ path: UnsafePointer<CChar>, _ flags: OpenFlags = .readOnly, mode: UInt32 = 0
    ) throws(Errno) -> FileDescriptor {
        try currentDirectory.open(path, flags, mode: mode)
    }

    /// pipe2(2), both ends closed on exec.
    public static func pipe() throws(Errno) -> Pipe {
        var ends: (Int32, Int32) = (-1, -1)
        let result = withUnsafeMutablePointer(to: &ends) { pointer in
            pointer.withMemoryRebound(to: Int32.self, capacity: 2) { clinux_pipe2($0, O_CLOEXEC) }
        }
        if result < 0 { throw .current }
        return Pipe(read: FileDescriptor(owning: ends.0), write: FileDescriptor(owning: ends.1))
    }
}

/// The two ends of a pipe.
public struct Pipe: ~Copyable, Sendable {
    /// The end that data come out of.
    public var read: FileDescriptor
    /// The end that data go into.
    public var write: FileDescriptor

    /// Puts two ends together.
    public init(read: consuming FileDescriptor, write: consuming FileDescriptor) {
        self.read = read
        self.write = write
    }

    /// Takes the pipe apart, giving up the write end.
    public consuming func keepRead() -> FileDescriptor { read }
    /// Takes the pipe apart, giving up the read end.
    public consuming func keepWrite() -> FileDescriptor { write }
    /// Takes the pipe apart into two numbers, which the caller closes.
    public consuming func release() -> (read: Int32, write: Int32) { (read.release(), write.release()) }
}
