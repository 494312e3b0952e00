internal import CFuse
internal import Glibc
internal import Linux
internal import Synchronization

/// A file system mounted on a directory and served by threads of this process.
///
/// `init` mounts, `start` agrees on the protocol and starts the workers, `wait` returns when the mount has gone or
/// a signal asks for its end. The session holds the file system; a file system that keeps the session it is given in
/// `initialize` should keep it `unowned`.
public final class Session: @unchecked Sendable {
    // Immutable after init, and what C keeps behind `core` is safe to use from several threads.
    let core: OpaquePointer
    let fileSystem: FileSystem
    let options: Options
    let pool: WorkerPool
    private let state = Mutex(State.mounted)
    /// Which mount this is, from the end of `init` on; nil where that cannot be told.
    private var identity: MountIdentity?

    private enum State {
        case mounted
        /// The file system has been initialized.
        case started
        /// The workers have gone.
        case over
    }

    /// Where the file system is mounted, as an absolute path.
    public let mountPoint: String

    /// Mounts `fileSystem` on the directory `mountPoint`. Requests wait until `start`.
    public init(_ fileSystem: FileSystem, mountPoint: String, options: Options = Options()) throws(MountFailure) {
        self.fileSystem = fileSystem
        self.options = options
        self.mountPoint = try Session.absolutePath(of: mountPoint)
        let closing = try Session.makePipe()
        core = try Session.makeCore(fileSystem, options)
        pool = WorkerPool(
            core: core, minimum: options.minWorkers, maximum: options.maxWorkers, closing: closing)
        if cfuse_session_mount(core, self.mountPoint) < 0 {
            throw MountFailure("cannot mount on \(mountPoint): \(Session.lastMessage)")
        }
        identity = try? MountPlace(self.mountPoint).identity()
    }

    /// Serves an open channel that speaks the protocol, instead of a mount: for tests that play the kernel. Nothing is served
    /// until `servePending`.
    init(_ fileSystem: FileSystem, channel: borrowing FileDescriptor, options: Options = Options()) throws(MountFailure)
    {
        self.fileSystem = fileSystem
        self.options = options
        mountPoint = ""
        let closing = try Session.makePipe()
        core = try Session.makeCore(fileSystem, options)
        pool = WorkerPool(core: core, minimum: 1, maximum: 1, closing: closing)
        if cfuse_session_attach(core, channel.rawValue) < 0 {
            throw MountFailure("cannot serve a channel: \(Session.lastMessage)")
        }
    }

    /// Serves, on this thread, the requests that wait on a channel that does not block, and returns how many there were.
    func servePending() -> Int { pool.servePending() }

    /// What the kernel and this session agreed on; empty before `start`.
    public var capabilities: Capabilities { Capabilities(rawValue: cfuse_session_agreed(core)) }

    /// Answers the kernel's INIT request on this thread, then starts the workers. From here on the mount can be used.
    public func start() throws(MountFailure) {
        guard pool.answerInit() else {
            end()
            throw MountFailure("cannot serve \(mountPoint): the kernel closed the session")
        }
        state.withLock { $0 = .started }
        fileSystem.initialize(self)
        do throws(Errno) {
            try pool.start()
        } catch {
            // A mount that nobody serves is an obstacle.
            end()
            throw MountFailure("cannot start the threads that serve \(mountPoint): \(error.explained)")
        }
    }

    /// Waits until somebody unmounts the file system, or SIGTERM, SIGINT or SIGHUP arrives; then unmounts it if it is
    /// still there, and ends the workers. Call `Session.blockSignals` before any thread is started.
    ///
    /// Returns whether all workers have ended. If one has not (it waits for something), the session's memory must not
    /// be touched any more: leave the process.
    @discardableResult
    public func wait() -> Bool {
        pool.waitForEndOrSignal()
        return end()
    }

    /// Unmounts, lazily if the mount is in use, and ends the workers. Returns as `wait` does.
    @discardableResult
    public func end() -> Bool {
        state.withLock { state in
            if state == .over { return true }
            guard pool.end(unmounts: isOursToUnmount) else { return false }
            if state == .started { fileSystem.destroy() }
            state = .over
            return true
        }
    }

    /// Whether the mount has ended, or is what is seen at the mount point: libfuse unmounts by the path, whatever is mounted
    /// there. A mount that something hides ends for its users when this process does.
    ///
    /// The path of a mount that has ended is left alone: a look at it would keep what it lies on from being unmounted.
    private var isOursToUnmount: Bool {
        if cfuse_session_has_ended(core) != 0 { return true }
        guard let identity else { return true }
        return (try? MountPlace(mountPoint).identity()) == identity
    }

    deinit {
        // A worker that has not come back may still use what is behind `core`.
        if end() { cfuse_session_destroy(core) }
    }

    /// Blocks SIGTERM, SIGINT and SIGHUP in this thread and in the threads it starts, so that `wait` gets them; ignores
    /// SIGPIPE and SIGXFSZ, which are errors of the write that they come from.
    public static func blockSignals() {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        for number in [SIGPIPE, SIGXFSZ] { _ = signal(number, SIG_IGN) }
    }
}
