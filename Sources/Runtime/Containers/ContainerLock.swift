import FoundationEssentials
import ImageStore
import Linux
import OCI

/// The lock that the process which tends a container holds as long as it does: whoever can take it knows that nobody
/// tends the container.
enum ContainerLock {
    private static func path(_ paths: ContainerPaths) -> String { paths.directory + "/lock" }

    /// Takes the lock; `conflict` when another holds it.
    static func take(_ paths: ContainerPaths) throws(RuntimeError) -> FileDescriptor {
        if let lock = try takeIfFree(paths) { return lock }
        throw RuntimeError(.conflict, "container \(shortID(paths)) is running or being started")
    }

    /// Takes the lock; nil when another holds it.
    static func takeIfFree(_ paths: ContainerPaths) throws(RuntimeError) -> FileDescriptor? {
        let path = path(paths)
        let file = try attempting("open \(path)") { () throws(Errno) in
            try FileDescriptor.open(path, [.readWrite, .create], mode: 0o600)
        }
        // A program that another thread starts shares the descriptor between its fork and its exec: a lock that was
        // just given up may be held for a moment longer.
        for _ in 0..<20 {
            let taken = try attempting("lock \(path)") { () throws(Errno) in
                try file.lock(exclusive: true, blocking: false)
            }
            if taken { return file }
            MonotonicClock.sleep(milliseconds: 5)
        }
        return nil
    }

    /// Opens the lock's file to `wait` on it; nil when there is none.
    static func open(_ paths: ContainerPaths) -> FileDescriptor? {
        try? FileDescriptor.open(path(paths), .readWrite)
    }

    /// Waits until nobody tends the container, and returns the exit code that the last one left: it stays readable
    /// through `file` when the container has been removed meanwhile.
    static func wait(_ file: borrowing FileDescriptor) throws(RuntimeError) -> Int32? {
        try attempting("wait for the container") { () throws(Errno) in
            _ = try file.lock(exclusive: false)
            _ = try file.seek(0, from: .start)
            let text = String(decoding: try file.readAll(limit: 64), as: UTF8.self)
            return Int32(text.filter { !$0.isWhitespace })
        }
    }

    /// Leaves the exit code for those who wait.
    static func leave(exitCode: Int32, in lock: borrowing FileDescriptor) {
        try? lock.truncate(to: 0)
        let text = Array("\(exitCode)\n".utf8)
        _ = text.withUnsafeBytes { bytes in try? lock.write(bytes, at: 0) }
    }

    private static func shortID(_ paths: ContainerPaths) -> String {
        String(paths.directory.split(separator: "/").last?.prefix(12) ?? "")
    }
}
