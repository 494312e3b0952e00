internal import Glibc

/// A counting semaphore of the C library.
final class Semaphore: @unchecked Sendable {
    // On the heap, because it must not move.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func post() { sem_post(semaphore) }

    /// Returns after a post, or when a signal arrives.
    func wait() { sem_wait(semaphore) }
}
