internal import Glibc

/// A thread for work that changes what the kernel keeps per thread, such as namespaces.
public enum PrivateThread {
    /// Runs `body` on a thread of its own, which ends with it, and returns what it returns.
    public static func run<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let box = Box { Result { () throws(Failure) -> Value in try body() } }
        var thread = pthread_t()
        let started = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<AnyBox>.fromOpaque(argument).takeUnretainedValue().work() }
                return nil
            }, Unmanaged<AnyBox>.passUnretained(box).toOpaque())
        // Without threads left there is still this one, for which the change is then no longer private; callers do
        // nothing on it that the process could not stand.
        if started == 0 { pthread_join(thread, nil) }
        if let outcome = box.outcome { return try outcome.get() }
        return try body()
    }

    /// Runs `body` on a thread of its own beside the caller, which waits for it with `join()` where that matters.
    public static func start(_ body: @escaping @Sendable () -> Void) -> Companion { Companion(body) }

    /// The same, and nil where there are no threads left: for work that waits for the caller.
    public static func startIfPossible(_ body: @escaping @Sendable () -> Void) -> Companion? { Companion(beside: body) }

    /// Work that goes on beside its starter.
    public final class Companion: @unchecked Sendable {
        private let box: AnyBox
        private var thread: pthread_t?

        fileprivate init(_ body: @escaping @Sendable () -> Void) {
            box = Box { body() }
            if !begin() { body() }
        }

        fileprivate init?(beside body: @escaping @Sendable () -> Void) {
            box = Box { body() }
            if !begin() { return nil }
        }

        private func begin() -> Bool {
            var thread = pthread_t()
            let started = pthread_create(
                &thread, nil,
                { argument in
                    if let argument { Unmanaged<AnyBox>.fromOpaque(argument).takeUnretainedValue().work() }
                    return nil
                }, Unmanaged<AnyBox>.passUnretained(box).toOpaque())
            if started == 0 { self.thread = thread }
            return started == 0
        }

        /// Waits until the work is done; to be called by one thread only. The end of the value waits too.
        public func join() {
            if let thread { pthread_join(thread, nil) }
            thread = nil
        }

        deinit { join() }
    }

    /// Throws EAGAIN where there cannot be so many threads more: to be asked before work for which others make threads
    /// that end the process, or wait for ever, where they get none.
    public static func require(_ count: Int) throws(Errno) {
        let done = BoundedQueue<Int>(capacity: 1)
        var threads: [Companion] = []
        defer {
            done.close()
            for thread in threads { thread.join() }
        }
        for _ in 0..<count {
            guard let thread = startIfPossible({ _ = done.take() }) else { throw .EAGAIN }
            threads.append(thread)
        }
    }

    /// Runs `body` on a thread of its own and does not wait for it. False where there are no threads left: nothing is
    /// done then.
    @discardableResult
    public static func detach(_ body: @escaping @Sendable () -> Void) -> Bool {
        let box = Box { body() }
        let argument = Unmanaged<AnyBox>.passRetained(box).toOpaque()
        var thread = pthread_t()
        let started = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<AnyBox>.fromOpaque(argument).takeRetainedValue().work() }
                return nil
            }, argument)
        if started == 0 {
            pthread_detach(thread)
        } else {
            Unmanaged<AnyBox>.fromOpaque(argument).release()
        }
        return started == 0
    }
}

// A C function pointer cannot capture a generic parameter, so the thread sees the box through its plain base.
private class AnyBox: @unchecked Sendable {
    func work() {}
}

private final class Box<Outcome>: AnyBox, @unchecked Sendable {
    private let body: () -> Outcome
    private(set) var outcome: Outcome?

    init(_ body: @escaping () -> Outcome) { self.body = body }

    override func work() { outcome = body() }
}
