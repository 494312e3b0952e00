internal import CFuse
internal import Glibc
internal import Linux
internal import Synchronization

/// The threads that serve a session.
///
/// As a rule one thread listens, that is, waits in read(2) on the session's device: it serves request after request
/// and stays warm, where several listeners would be woken in turn, each on a processor where it has to be woken
/// first (measured: 15 µs against 25 to 90 for a stat of two requests, on two busy processors). The others are parked.
/// A supervisor puts another to work when nobody has listened for a while, so that a request that waits for a slow
/// disk keeps nobody waiting, and raises the number of listeners when requests queue up.
final class WorkerPool: @unchecked Sendable {
    let core: OpaquePointer
    private let maximum: Int
    /// Listeners at least.
    private let minimum: Int
    /// How many shall listen at one time.
    private let target: Atomic<Int>
    /// How many do.
    private let listening = Atomic<Int>(0)
    private let parked = Atomic<Int>(0)
    /// Workers that have not ended, and the supervisor.
    private let alive = Atomic<Int>(0)
    /// Requests so far, and how many of them had been waiting for a worker.
    private let served = Atomic<Int>(0)
    private let queued = Atomic<Int>(0)
    /// Workers shall leave: the kernel has closed the session, or `end` was called.
    private let stopping = Atomic<Bool>(false)
    private let supervisorSleeps = Atomic<Bool>(false)
    private let parking = Semaphore()
    private let supervision = Semaphore()
    /// Gets a byte from each worker that finds the session closed.
    private let closing: Pipe
    private let threads = Mutex<[pthread_t]>([])

    init(core: OpaquePointer, minimum: Int, maximum: Int, closing: consuming Pipe) {
        self.core = core
        self.minimum = max(1, minimum)
        self.maximum = max(maximum, self.minimum)
        self.closing = closing
        target = Atomic(self.minimum)
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

    /// Serves what waits on a channel that does not block, on the calling thread. Returns how many requests that were.
    func servePending() -> Int {
        guard let worker = cfuse_worker_new(core) else { return 0 }
        defer { cfuse_worker_free(worker) }
        var count = 0
        while cfuse_worker_receive(worker) > 0 {
            cfuse_worker_process(worker)
            count += 1
        }
        return count
    }

    /// Starts the first listeners and the supervisor. Throws if that fails.
    func start() throws(Errno) {
        var action = sigaction()
        // Without SA_RESTART, so that it gets a worker out of its read.
        action.__sigaction_handler.sa_handler = { _ in }
        sigaction(SIGUSR1, &action, nil)
        for _ in 0..<minimum { try startWorker() }
        try startThread { pool in pool.supervise() }
    }

    private func startWorker() throws(Errno) {
        guard let worker = cfuse_worker_new(core) else { throw .current }
        do throws(Errno) {
            try startThread { pool in
                pool.serve(worker)
                cfuse_worker_free(worker)
            }
        } catch {
            cfuse_worker_free(worker)
            throw error
        }
    }

    private func startThread(_ body: @escaping (WorkerPool) -> Void) throws(Errno) {
        let argument = Unmanaged.passRetained(ThreadStart(pool: self, body: body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 512 << 10)
        alive.add(1, ordering: .relaxed)
        let failure = threads.withLock { list in
            var thread = pthread_t()
            let failure = pthread_create(&thread, &attributes, threadMain, argument.toOpaque())
            if failure == 0 { list.append(thread) }
            return failure
        }
        if failure != 0 {
            alive.subtract(1, ordering: .relaxed)
            argument.release()
            throw Errno(rawValue: failure)
        }
    }

    /// The last thing a thread does.
    fileprivate func threadEnds() { alive.subtract(1, ordering: .releasing) }

    // MARK: Serving

    /// The life of a worker.
    private func serve(_ worker: OpaquePointer) {
        listening.add(1, ordering: .relaxed)
        var finished: Int64 = 0
        while true {
            let size = cfuse_worker_receive(worker)
            if size < 0 {
                if Errno.current == .EINTR && !stopping.load(ordering: .relaxed) { continue }
                break
            }
            if size == 0 { continue }
            count(size, after: finished)
            listening.subtract(1, ordering: .relaxed)
            cfuse_worker_process(worker)
            finished = nanoseconds()
            if listening.load(ordering: .relaxed) >= target.load(ordering: .relaxed) && !park() { break }
            listening.add(1, ordering: .relaxed)
        }
        close()
    }

    /// Counts a request, and wakes the supervisor if this is the first for some time.
    private func count(_ size: Int, after finished: Int64) {
        // A request that has been waiting is there as fast as it can be copied; one that comes in answer to the
        // last reply takes longer, because its caller has to be woken.
        if nanoseconds() &- finished < Int64(1500 &+ size / 2) { queued.add(1, ordering: .relaxed) }
        // In this order, as the supervisor looks at the two in the opposite one before it sleeps.
        served.add(1, ordering: .sequentiallyConsistent)
        if supervisorSleeps.load(ordering: .sequentiallyConsistent),
            supervisorSleeps.exchange(false, ordering: .sequentiallyConsistent)
        {
            supervision.post()
        }
    }

    /// Waits until another listener is needed. False: the session is over.
    private func park() -> Bool {
        parked.add(1, ordering: .relaxed)
        parking.wait()
        return !stopping.load(ordering: .relaxed)
    }

    /// The session is over: tells everybody who waits.
    private func close() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        for _ in 0..<maximum + 1 { parking.post() }
        supervision.post()
        var byte: UInt8 = 0
        _ = Glibc.write(closing.write.rawValue, &byte, 1)
    }

    // MARK: Supervising

    /// The life of the supervisor: looks once a millisecond while there are requests, and sleeps while there are none.
    private func supervise() {
        var lastServed = 0
        var lastQueued = 0
        var windowStart = 0
        var quietTicks = 0
        while !stopping.load(ordering: .relaxed) {
            usleep(1000)
            let count = served.load(ordering: .relaxed)
            if count == lastServed {
                quietTicks += 1
                // Not one request in a millisecond, and nobody to take the next: somebody is stuck in his.
                if listening.load(ordering: .relaxed) == 0 && !stopping.load(ordering: .relaxed) { addListener() }
            } else {
                quietTicks = 0
            }
            lastServed = count
            if count - windowStart >= 64 {
                let waiting = queued.load(ordering: .relaxed)
                adapt(share: 100 * (waiting - lastQueued) / (count - windowStart))
                windowStart = count
                lastQueued = waiting
            }
            if quietTicks > 20 {
                sleepUntilRequest(after: count)
                quietTicks = 0
            }
        }
    }

    /// More listeners where most requests found none, fewer where few did.
    private func adapt(share percentQueued: Int) {
        let current = target.load(ordering: .relaxed)
        if percentQueued > 75 && current < min(maximum, WorkerPool.processors) {
            target.store(current + 1, ordering: .relaxed)
            addListener()
        } else if percentQueued < 50 && current > minimum {
            target.store(current - 1, ordering: .relaxed)
        }
    }

    private func addListener() {
        if takeParked() {
            parking.post()
        } else if alive.load(ordering: .relaxed) <= maximum {
            // If there is no memory for another one, those there are have to do.
            try? startWorker()
        }
    }

    /// One parked worker fewer, if there is one: it is to be woken.
    private func takeParked() -> Bool {
        var count = parked.load(ordering: .relaxed)
        while count > 0 {
            let (done, found) = parked.compareExchange(expected: count, desired: count - 1, ordering: .relaxed)
            if done { return true }
            count = found
        }
        return false
    }

    private func sleepUntilRequest(after count: Int) {
        supervisorSleeps.store(true, ordering: .sequentiallyConsistent)
        let changed = served.load(ordering: .sequentiallyConsistent) != count
        if changed || stopping.load(ordering: .sequentiallyConsistent) {
            // Somebody may have posted already; the next sleep is then a short one.
            supervisorSleeps.store(false, ordering: .sequentiallyConsistent)
            return
        }
        supervision.wait()
    }

    private static let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    // MARK: Ending

    /// Returns when the kernel has closed the session or one of the signals arrives that ask for an end.
    func waitForEndOrSignal() {
        _ = cfuse_wait_for_end(closing.read.rawValue)
    }

    /// Sees all workers off. False if one does not come back from what it is doing.
    ///
    /// - Parameter unmounts: whether what is mounted at the mount point is unmounted before.
    func end(unmounts: Bool) -> Bool {
        if unmounts { cfuse_session_unmount(core) }
        // An unused mount ends at once; one whose files are still open would go on being served.
        if !waitForThreads(milliseconds: 300) {
            close()
            if !waitForThreads(milliseconds: 2000) { return false }
        }
        for thread in threads.withLock({ $0 }) { pthread_join(thread, nil) }
        threads.withLock { $0 = [] }
        cfuse_session_close(core)
        return true
    }

    private func waitForThreads(milliseconds: Int) -> Bool {
        let end = MonotonicClock.milliseconds + Int64(milliseconds)
        while MonotonicClock.milliseconds < end {
            if alive.load(ordering: .acquiring) == 0 { return true }
            if stopping.load(ordering: .relaxed) {
                threads.withLock { for thread in $0 { pthread_kill(thread, SIGUSR1) } }
            }
            usleep(1000)
        }
        return alive.load(ordering: .acquiring) == 0
    }
}

/// The clock that measures how long a worker was idle.
@inline(__always)
private func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
}

/// What a new thread is given.
private final class ThreadStart {
    let pool: WorkerPool
    let body: (WorkerPool) -> Void

    init(pool: WorkerPool, body: @escaping (WorkerPool) -> Void) {
        self.pool = pool
        self.body = body
    }
}

private func threadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
    // Whatever the thread that started this one had blocked: the signal that ends a worker must come through.
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, SIGUSR1)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    start.body(start.pool)
    start.pool.threadEnds()
    return nil
}
