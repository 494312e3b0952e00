import FoundationEssentials
import ImageStore
import Linux
import OCI

/// One run of a container, from the mount to the unmount, carried out by this process.
final class ContainerRun {
    private let context: RuntimeContext
    private let container: ContainerRecord
    private let settings: ContainerSettings
    private let paths: ContainerPaths
    private let lock: FileDescriptor
    private var signals: CaughtSignals?
    /// Lets others attach; nil where that failed, which does not keep the container from running.
    private var control: ControlServer?

    /// Claims the container for this process; `conflict` when it runs already or is mounted elsewhere.
    init(_ context: RuntimeContext, _ container: ContainerRecord) throws(RuntimeError) {
        self.context = context
        self.container = container
        settings = try ContainerEngine(context).settings(of: container)
        paths = context.store.containerPaths(container.id)
        lock = try ContainerLock.take(paths)
        try ContainerEngine(context).refuseIfMounted(container)
    }

    private var store: ImageStore { context.store }

    /// Runs the container until its process ends and everything is put away again.
    ///
    /// - Parameter onStarted: called with the process id once the container runs.
    func carryOut(attachment: Attachment?, onStarted: (Int32) -> Void) throws(RuntimeError) -> Int32 {
        // Caught from here on: what comes while we mount waits for the container, what comes while we put away is
        // too late, and neither leaves a mount behind.
        signals = try CaughtSignals(for: attachment)
        defer { signals = nil }
        let signalNumber = signals?.number
        var watch = Stopwatch()
        _ = try fromStore { () throws(StoreError) in
            try store.updateContainer(container.id) { $0.supervisor = .current }
        }
        let (mount, driver, process, log) = try begin(attachment, &watch)
        onStarted(process.pid)
        let outcome: Result<Int32, RuntimeError> = Result { () throws(RuntimeError) in
            try attend(process, attachment, log, signals: signalNumber)
        }
        watch.lap("run")
        let id = container.id
        let network = settings.isolation.network
        let deletion = PrivateThread.start {
            driver.delete(id)
            network.release(id)
        }
        endSecondViews()
        let unmounted: Result<Void, RuntimeError> = Result { () throws(RuntimeError) in try mount.unmount() }
        let exitCode = (try? outcome.get()) ?? RuntimeError(.system, "").exitCode
        watch.lap("unmount")
        deletion.join()
        watch.lap("delete")
        finish(exitCode: exitCode)
        watch.lap("record")
        // Last, so that who was attached finds the container as ended as he was told.
        control?.end(exitCode: exitCode)
        watch.report(container.shortID, context.environment)
        _ = try outcome.get()
        try unmounted.get()
        try attachment?.requireWritten()
        return exitCode
    }

    // MARK: Start

    /// Mounts the container's file system and starts it. What fails leaves neither.
    private func begin(
        _ attachment: Attachment?, _ watch: inout Stopwatch
    ) throws(RuntimeError) -> (UnionMount, RuntimeDriver, ContainerProcess, LogWriter) {
        let mount: UnionMount
        let driver: RuntimeDriver
        do throws(RuntimeError) {
            driver = try context.driver()
            let places = Bundle.places(for: Volumes(store).mounts(settings.volumes))
            mount = try ContainerUnion.mount(context, paths, layers: container.layerIDs, places: places)
            watch.lap("mount")
        } catch {
            fail(error)
            throw error
        }
        do throws(RuntimeError) {
            let log = try LogWriter(path: paths.log)
            let process = try start(driver, attachment)
            watch.lap("start")
            return (mount, driver, process, log)
        } catch {
            // The runtime cleans up what it could not start; this is for what failed after that.
            driver.delete(container.id)
            settings.isolation.network.release(container.id)
            control?.end(exitCode: error.exitCode)
            try? mount.unmount()
            fail(error)
            throw error
        }
    }

    private func start(_ driver: RuntimeDriver, _ attachment: Attachment?) throws(RuntimeError) -> ContainerProcess {
        let configuration = settings.configuration
        let size = attachment?.terminal.flatMap { try? Terminal.size(of: $0.rawValue) }
        try RunNote(runtime: driver.path).write(paths)
        try Bundle.write(
            Bundle.Command(
                arguments: settings.arguments, environment: configuration.env,
                workingDirectory: configuration.workingDir ?? "/", user: configuration.user ?? "",
                hostname: settings.hostname ?? container.shortID, terminal: settings.terminal, terminalSize: size,
                mounts: try Volumes(store).prepare(settings.volumes, rootfs: paths.rootfs),
                isolation: settings.isolation),
            id: container.id, directory: paths.bundle, rootfs: paths.rootfs, driver: driver)
        var start = RuntimeDriver.Start(id: container.id, bundle: paths.bundle, lock: lock.rawValue)
        start.prepare = settings.isolation.network.preparation(of: container.id)
        let process =
            settings.terminal
            ? try ContainerProcess.startWithTerminal(driver, start, size: size)
            : try ContainerProcess.start(driver, start, withInput: settings.interactive)
        let pid = process.pid
        // Whoever is in the foreground is the only one to write to it.
        let input = attachment == nil ? (try? process.input?.duplicate()) ?? nil : nil
        control = try? ControlServer(paths, input: input, isTerminal: settings.terminal)
        try fromStore { () throws(StoreError) in
            let events = { (record: ContainerRecord) in record.volumeEvents("mount") + record.events("start") }
            try store.updateContainer(container.id, events: events) { record in
                record.state = .running
                record.pid = pid
                record.startedAt = .now
                record.finishedAt = nil
                record.exitCode = nil
            }
        }
        return process
    }

    // MARK: While it runs

    private func attend(
        _ process: ContainerProcess, _ attachment: Attachment?, _ log: LogWriter, signals: Int32?
    ) throws(RuntimeError) -> Int32 {
        defer { log.flush() }
        let control = control
        return try process.attend(attachment, withInput: settings.interactive, signals: signals) { stream, bytes in
            log.append(stream, bytes)
            control?.publish(stream, bytes)
            return attachment?.onOutput(stream, bytes) ?? true
        }
    }

    // MARK: End

    /// Unmounts what shows this run's mount elsewhere, and would keep it alive.
    private func endSecondViews() {
        for view in (try? store.mounts()) ?? [] where view.containerID == container.id {
            // One that cannot be unmounted now is left for who reconciles.
            if (try? OwnMount(view).unmount()) != nil { try? store.removeMount(at: view.mountPoint) }
        }
    }

    /// Records that the container did not start. One that was to be removed at its end is removed now.
    private func fail(_ error: RuntimeError) {
        _ = try? store.updateContainer(container.id) { record in
            record.supervisor = nil
            record.pid = nil
            record.exitCode = error.exitCode
            record.finishedAt = .now
        }
        ContainerLock.leave(exitCode: error.exitCode, in: lock)
        if settings.autoRemove { removeNow() }
    }

    private func finish(exitCode: Int32) {
        _ = try? store.updateContainer(container.id, events: { $0.endEvents() }) { record in
            record.state = .exited
            record.supervisor = nil
            record.pid = nil
            record.exitCode = exitCode
            record.finishedAt = .now
        }
        ContainerLock.leave(exitCode: exitCode, in: lock)
        if settings.autoRemove { removeNow() }
    }

    private func removeNow() {
        try? ContainerEngine(context).discard(container, settings, withVolumes: true)
    }
}

/// What a process that cleans up has to know of a run: the runtime it was started with.
struct RunNote: Codable {
    var runtime: String

    private static func path(_ paths: ContainerPaths) -> String { paths.directory + "/run.json" }

    func write(_ paths: ContainerPaths) throws(RuntimeError) {
        guard let data = try? JSON.encode(self) else { return }
        try attempting("write \(Self.path(paths))") { () throws(Errno) in
            try FileDescriptor.open(Self.path(paths), [.writeOnly, .create, .truncate], mode: 0o600)
                .writeAll(Array(data))
        }
    }

    static func read(_ paths: ContainerPaths) -> RunNote? {
        guard let file = try? FileDescriptor.open(path(paths)), let bytes = try? file.readAll(limit: 1 << 16) else {
            return nil
        }
        return try? JSON.decode(RunNote.self, from: Data(bytes))
    }
}
