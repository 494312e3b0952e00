import Linux

/// A request to stop early, made from any thread, which a waiting loop notices at once.
public final class Cancellation: Sendable {
    private let read: FileDescriptor
    private let write: FileDescriptor
    private let parent: Cancellation?

    /// Nothing is cancelled yet. `system` when no pipe can be made.
    ///
    /// - Parameter parent: when this one fires, the new one has fired as well; not the other way round.
    public init(following parent: Cancellation? = nil) throws(RuntimeError) {
        self.parent = parent
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
        for descriptor in descriptors { _ = poll.add(descriptor, .readable) }
        return (try? poll.wait(milliseconds: 0)) == true
    }

    /// One of them is readable once `cancel` was called, and from then on.
    package var descriptors: [Int32] { [read.rawValue] + (parent?.descriptors ?? []) }
}
