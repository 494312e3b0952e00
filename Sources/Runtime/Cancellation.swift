import Linux

/// A request to stop early, made from any thread, which a waiting loop notices at once.
public final class Cancellation: Sendable {
    private let read: FileDescriptor
    private let write: FileDescriptor

    /// Nothing is cancelled yet. `system` when no pipe can be made.
    public init() throws(RuntimeError) {
        let pipe = try attempting("create a pipe") { () throws(Errno) in try FileDescriptor.pipe() }
        try attempting("prepare a pipe") { () throws(Errno) in try pipe.write.setNonBlocking() }
        read = try attempting("create a pipe") { () throws(Errno) in try pipe.read.duplicate() }
        write = pipe.keepWrite()
    }

    /// Cancels; more than once is as good as once.
    public func cancel() {
        try? write.writeAll([1])
    }

    /// Whether `cancel` was called.
    public var isCancelled: Bool {
        var poll = Poll()
        _ = poll.add(read.rawValue, .readable)
        return (try? poll.wait(milliseconds: 0)) == true
    }

    /// Readable once `cancel` was called, and from then on.
    var descriptor: Int32 { read.rawValue }
}
