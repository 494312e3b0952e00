internal import CFuse
internal import Glibc
internal import Linux
internal import Synchronization

/// The threads that serve a session: as many as are busy, and one that listens.
///
/// Each waits in read(2) on the session's device. Whoever takes a request and leaves nobody waiting starts another
/// thread, up to a maximum; threads are not given up again, because an idle one costs a few kilobytes.
final class WorkerPool: @unchecked Sendable {
    private let core: OpaquePointer
    private let maximum: Int
    /// Threads that wait for a request.
    private let idle = Atomic<Int>(0)
    /// Threads that have not ended.
    private let alive = Atomic<Int>(0)
    /// Workers shall leave although the kernel has not closed the session.
    private let stopping = Atomic<Bool>(false)
    /// Gets a byte from each worker that ends, which it does when the kernel has closed the session.
    private let closing: Pipe
    private let threads = Mutex<[pthread_t]>([])

    init(core: OpaquePointer, maximum: Int, closing: consuming Pipe) {
        self.core = core
        self.maximum = maximum
        self.closing = closing
    }

    /// Receives and answers INIT, the first request of each session, on the calling thread.
    func answerInit() -> Bool {
        guard let worker = cfuse_worker_new(core) else { return false }
        defer { cfuse_worker_free(worker) }
        while cfuse_session_agreed(core) == 0 {
            let size = cfuse_worker_receive(worker)
            if size < 0 && Errno.current != .EINTR { return false }
            if size > 0 { cfuse_worker_process(worker) }
        }
        return true
    }

    /// Starts the first threads. Throws if there is not one.
    func start(count: Int) throws(Errno) {
        var action = sigaction()
        // Without SA_RESTART, so that it gets a worker out of its read.
        action.__sigaction_handler.sa_handler = { _ in }
        sigaction(SIGUSR1, &action, nil)
        for _ in 0..<min(count, max(1, maximum)) { try spawn() }
    }

    /// Starts one more thread.
    private func spawn() throws(Errno) {
        guard let worker = cfuse_worker_new(core) else { throw .current }
        let argument = Unmanaged.passRetained(WorkerThread(pool: self, worker: worker))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 512 << 10)
        var thread = pthread_t()
        alive.add(1, ordering: .relaxed)
        let failure = threads.withLock { list in
            let failure = pthread_create(&thread, &attributes, workerMain, argument.toOpaque())
            if failure == 0 { list.append(thread) }
            return failure
        }
        if failure != 0 {
            alive.subtract(1, ordering: .relaxed)
            argument.release()
            cfuse_worker_free(worker)
            throw Errno(rawValue: failure)
        }
    }

    /// The life of a worker.
    fileprivate func serve(_ worker: OpaquePointer) {
        // Whatever the thread that started this one had blocked: the signal that ends a worker must come through.
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGUSR1)
        pthread_sigmask(SIG_UNBLOCK, &set, nil)
        idle.add(1, ordering: .relaxed)
        while true {
            let size = cfuse_worker_receive(worker)
            if size < 0 {
                if Errno.current == .EINTR && !stopping.load(ordering: .relaxed) { continue }
                break
            }
            if size == 0 { continue }
            if idle.subtract(1, ordering: .relaxed).newValue <= 0 && alive.load(ordering: .relaxed) < maximum {
                // One more than the maximum, if two threads come here at once, does no harm; nor does a failure.
                try? spawn()
            }
            cfuse_worker_process(worker)
            idle.add(1, ordering: .relaxed)
        }
        cfuse_worker_free(worker)
        var byte: UInt8 = 0
        _ = Glibc.write(closing.write.rawValue, &byte, 1)
        alive.subtract(1, ordering: .releasing)
    }

    /// Returns when the kernel has closed the session or one of the signals arrives that ask for an end.
    func waitForEndOrSignal() {
        _ = cfuse_wait_for_end(closing.read.rawValue)
    }

    /// Unmounts, and sees all workers off. False if one does not come back from what it is doing.
    func end() -> Bool {
        cfuse_session_unmount(core)
        // An unused mount ends at once; one whose files are still open would go on being served.
        if !waitForWorkers(milliseconds: 300) {
            stopping.store(true, ordering: .relaxed)
            if !waitForWorkers(milliseconds: 2000) { return false }
        }
        for thread in threads.withLock({ $0 }) { pthread_join(thread, nil) }
        threads.withLock { $0 = [] }
        cfuse_session_close(core)
        return true
    }

    private func waitForWorkers(milliseconds: Int) -> Bool {
        for _ in 0..<max(1, milliseconds / 5) {
            if alive.load(ordering: .acquiring) == 0 { return true }
            if stopping.load(ordering: .relaxed) {
                threads.withLock { for thread in $0 { pthread_kill(thread, SIGUSR1) } }
            }
            usleep(5000)
        }
        return alive.load(ordering: .acquiring) == 0
    }
}

/// What a new thread is given.
private final class WorkerThread {
    let pool: WorkerPool
    let worker: OpaquePointer

    init(pool: WorkerPool, worker: OpaquePointer) {
        self.pool = pool
        self.worker = worker
    }
}

private func workerMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let thread = Unmanaged<WorkerThread>.fromOpaque(argument).takeRetainedValue()
    thread.pool.serve(thread.worker)
    return nil
}
