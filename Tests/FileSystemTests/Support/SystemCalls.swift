import CLinux
import Glibc
import Linux

/// Calls `body` with another user's rights to files. Thread-wide, so `body` must not suspend.
///
/// The kernel takes the capabilities that concern files away while the user is not root.
func asUser<Result>(_ uid: UInt32, group: UInt32? = nil, _ body: () throws -> Result) rethrows -> Result {
    clinux_setfsgid(group ?? uid)
    clinux_setfsuid(uid)
    defer {
        clinux_setfsuid(0)
        clinux_setfsgid(0)
    }
    return try body()
}

/// Calls `body` with another umask, of this thread alone.
func withMask<Result>(_ mask: UInt32, _ body: () throws -> Result) throws -> Result {
    // CLONE_FS: umask and working directory no longer shared with the other threads, where other tests run.
    if clinux_unshare(0x200) < 0 { throw SetupFailure("unshare(CLONE_FS): \(Errno.current)") }
    let before = umask(mask)
    defer { umask(before) }
    return try body()
}

/// A file in memory, unmapped by itself.
struct Mapping: ~Copyable {
    private let base: UnsafeMutableRawPointer
    private let length: Int

    init(_ file: borrowing FileDescriptor, length: Int, writable: Bool, shared: Bool) throws {
        let protection = PROT_READ | (writable ? PROT_WRITE : 0)
        guard let address = mmap(nil, length, protection, shared ? MAP_SHARED : MAP_PRIVATE, file.rawValue, 0),
            address != UnsafeMutableRawPointer(bitPattern: -1)
        else { throw Errno.current }
        base = address
        self.length = length
    }

    deinit { munmap(base, length) }

    /// The first `count` bytes as text.
    func text(count: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: base, count: min(count, length)), as: UTF8.self)
    }

    func store(_ text: String, at offset: Int) {
        for (index, byte) in text.utf8.enumerated() where offset + index < length {
            base.storeBytes(of: byte, toByteOffset: offset + index, as: UInt8.self)
        }
    }

    /// msync(MS_SYNC).
    func sync() throws {
        if msync(base, length, Int32(MS_SYNC)) < 0 { throw Errno.current }
    }
}

/// fcntl locks of open file descriptions (`F_OFD_SETLK`): false where another holds the range.
func lockRange(_ file: borrowing FileDescriptor, type: Int32, start: Int, length: Int) throws -> Bool {
    var lock = flock()
    lock.l_type = Int16(type)
    lock.l_whence = Int16(SEEK_SET)
    lock.l_start = start
    lock.l_len = length
    let number = file.rawValue
    let setOpenFileDescriptionLock: Int32 = 37
    let result = withUnsafeMutablePointer(to: &lock) {
        clinux_fcntl(number, setOpenFileDescriptionLock, Int(bitPattern: $0))
    }
    if result == 0 { return true }
    if Errno.current == .EAGAIN || Errno.current == .EACCES { return false }
    throw Errno.current
}

/// Truncates by path, without opening.
func truncateFile(_ path: String, to size: Int) throws {
    if truncate(path, size) < 0 { throw Errno.current }
}

/// access(2) as the thread's file system user: `AT_EACCESS`.
func mayAccess(_ path: String, _ mode: Int32) -> Bool { faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 }
