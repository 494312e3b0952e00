internal import Glibc
internal import Linux
internal import Synchronization

/// A lock for many readers or one writer. A waiting writer goes before new readers, so a thread that holds it for
/// reading must not ask for it again.
final class ReadWriteLock: @unchecked Sendable {
    private let lock = UnsafeMutablePointer<pthread_rwlock_t>.allocate(capacity: 1)

    init() {
        var attributes = pthread_rwlockattr_t()
        pthread_rwlockattr_init(&attributes)
        // PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP
        pthread_rwlockattr_setkind_np(&attributes, 2)
        pthread_rwlock_init(lock, &attributes)
        pthread_rwlockattr_destroy(&attributes)
    }

    deinit {
        pthread_rwlock_destroy(lock)
        lock.deallocate()
    }

    @inline(__always)
    func read<Result: ~Copyable>(_ body: () throws(Errno) -> Result) throws(Errno) -> Result {
        pthread_rwlock_rdlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        return try body()
    }

    @inline(__always)
    func write<Result: ~Copyable>(_ body: () throws(Errno) -> Result) throws(Errno) -> Result {
        pthread_rwlock_wrlock(lock)
        defer { pthread_rwlock_unlock(lock) }
        return try body()
    }
}

/// A mutual exclusion lock of four bytes that guards what its owner says it guards.
struct Lock: ~Copyable, Sendable {
    private let mutex = Mutex(())

    @inline(__always)
    func lock() { mutex._unsafeLock() }

    @inline(__always)
    func unlock() { mutex._unsafeUnlock() }

    @inline(__always)
    func with<Result: ~Copyable, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        lock()
        defer { unlock() }
        return try body()
    }

    /// `with` if `condition` holds; without the lock otherwise.
    func withIf<Result>(_ condition: Bool, _ body: () -> Result) -> Result { condition ? with(body) : body() }
}
