internal import CLinux
public import Glibc

/// An error number of a system call, as `errno.h` names them.
///
/// The error type of `Linux`, `FUSE` and `UnionFS`; only `FUSE` turns one into a reply to the kernel.
public struct Errno: Error, RawRepresentable, Hashable, Sendable {
    /// The positive number, as in `errno.h`.
    public let rawValue: Int32

    /// Wraps a number taken from `errno` or from the kernel.
    @inlinable
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// The calling thread's current `errno`.
    @inlinable
    public static var current: Errno { Errno(rawValue: Glibc.errno) }

    // The constants below carry the names of `errno.h`, so that each is found by the name manual pages use.
    public static let EPERM = Errno(rawValue: Glibc.EPERM)
    public static let ENOENT = Errno(rawValue: Glibc.ENOENT)
    public static let ESRCH = Errno(rawValue: Glibc.ESRCH)
    public static let EINTR = Errno(rawValue: Glibc.EINTR)
    public static let EIO = Errno(rawValue: Glibc.EIO)
    public static let ENXIO = Errno(rawValue: Glibc.ENXIO)
    public static let E2BIG = Errno(rawValue: Glibc.E2BIG)
    public static let EBADF = Errno(rawValue: Glibc.EBADF)
    public static let ECHILD = Errno(rawValue: Glibc.ECHILD)
    public static let EAGAIN = Errno(rawValue: Glibc.EAGAIN)
    public static let ENOMEM = Errno(rawValue: Glibc.ENOMEM)
    public static let EACCES = Errno(rawValue: Glibc.EACCES)
    public static let EFAULT = Errno(rawValue: Glibc.EFAULT)
    public static let EBUSY = Errno(rawValue: Glibc.EBUSY)
    public static let EEXIST = Errno(rawValue: Glibc.EEXIST)
    public static let EXDEV = Errno(rawValue: Glibc.EXDEV)
    public static let ENODEV = Errno(rawValue: Glibc.ENODEV)
    public static let ENOTDIR = Errno(rawValue: Glibc.ENOTDIR)
    public static let EISDIR = Errno(rawValue: Glibc.EISDIR)
    public static let EINVAL = Errno(rawValue: Glibc.EINVAL)
    public static let ENFILE = Errno(rawValue: Glibc.ENFILE)
    public static let EMFILE = Errno(rawValue: Glibc.EMFILE)
    public static let ENOTTY = Errno(rawValue: Glibc.ENOTTY)
    public static let ETXTBSY = Errno(rawValue: Glibc.ETXTBSY)
    public static let EFBIG = Errno(rawValue: Glibc.EFBIG)
    public static let ENOSPC = Errno(rawValue: Glibc.ENOSPC)
    public static let ESPIPE = Errno(rawValue: Glibc.ESPIPE)
    public static let EROFS = Errno(rawValue: Glibc.EROFS)
    public static let EMLINK = Errno(rawValue: Glibc.EMLINK)
    public static let EPIPE = Errno(rawValue: Glibc.EPIPE)
    public static let ERANGE = Errno(rawValue: Glibc.ERANGE)
    public static let EDEADLK = Errno(rawValue: Glibc.EDEADLK)
    public static let ENAMETOOLONG = Errno(rawValue: Glibc.ENAMETOOLONG)
    public static let ENOLCK = Errno(rawValue: Glibc.ENOLCK)
    public static let ENOSYS = Errno(rawValue: Glibc.ENOSYS)
    public static let ENOTEMPTY = Errno(rawValue: Glibc.ENOTEMPTY)
    public static let ELOOP = Errno(rawValue: Glibc.ELOOP)
    public static let ENODATA = Errno(rawValue: Glibc.ENODATA)
    public static let EOVERFLOW = Errno(rawValue: Glibc.EOVERFLOW)
    public static let EILSEQ = Errno(rawValue: Glibc.EILSEQ)
    public static let EOPNOTSUPP = Errno(rawValue: Glibc.EOPNOTSUPP)
    public static let ENOTCONN = Errno(rawValue: Glibc.ENOTCONN)
    public static let ETIMEDOUT = Errno(rawValue: Glibc.ETIMEDOUT)
    public static let ESTALE = Errno(rawValue: Glibc.ESTALE)
    public static let EDQUOT = Errno(rawValue: Glibc.EDQUOT)
}

extension Errno: CustomStringConvertible {
    /// The C library's sentence for the number, such as "No such file or directory".
    public var description: String { String(cString: clinux_error_text(rawValue)) }
}

/// Repeats a call that a signal interrupted; throws its `errno` when it returns a negative number.
@inline(__always)
func check<Result: SignedInteger>(_ call: () -> Result) throws(Errno) -> Result {
    while true {
        let result = call()
        if result >= 0 { return result }
        let error = Errno.current
        if error != .EINTR { throw error }
    }
}

/// `check` for a call whose result says nothing more than that it succeeded.
@inline(__always)
func checkVoid(_ call: () -> Int32) throws(Errno) {
    _ = try check(call)
}
