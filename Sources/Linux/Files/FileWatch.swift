internal import Glibc

/// Notices that a file was written to or its times were set; inotify(7).
public struct FileWatch: ~Copyable {
    private let descriptor: FileDescriptor

    /// Watches a file that exists.
    public init(_ path: String) throws(Errno) {
        let number = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        if number < 0 { throw .current }
        let watch = FileDescriptor(owning: number)
        if inotify_add_watch(number, path, UInt32(IN_MODIFY | IN_ATTRIB)) < 0 { throw .current }
        descriptor = watch
    }

    /// The descriptor to poll: readable once the file has changed.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Forgets the changes until now.
    public func clear() throws(Errno) {
        // Notices carry no name where a file is watched, so that whole ones always fit.
        try withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer throws(Errno) in
            while true {
                do throws(Errno) {
                    if try descriptor.read(into: buffer) == 0 { return }
                } catch {
                    if error == .EAGAIN { return }
                    throw error
                }
            }
        }
    }
}
