import FoundationEssentials
public import ImageStore
import Linux
public import OCI

/// A command of a build step.
public struct BuildCommand: Hashable, Sendable {
    /// The program and its arguments.
    public var arguments: [String]
    /// `NAME=value` strings; `PATH`, `HOME` and `HOSTNAME` are added where missing.
    public var environment: [String]
    /// Absolute in the container; made where it is missing.
    public var workingDirectory: String
    /// `user[:group]`, names or numbers; empty for root.
    public var user: String
    /// `NAME=value` strings that nothing but the command gets to know: a container that is kept does not have them.
    public var secretEnvironment: [String] = []
    /// What is mounted besides the standard mounts.
    public var mounts: [RuntimeSpecification.Mount] = []
    /// What the command has of the host.
    public var isolation = Isolation()

    /// Puts a command together.
    public init(
        arguments: [String], environment: [String] = [], workingDirectory: String = "/", user: String = ""
    ) {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
    }
}

/// A mounted stack of layers with a fresh upper directory, which becomes the next layer.
///
/// For one step of a build: mount, then change the file system at `rootfs` or run a command in it, then exactly one of
/// `commit`, `keep` and `discard`. A value that goes away without is discarded. What a killed process leaves is removed
/// by `ContainerEngine.reconcile`.
public final class BuildMount {
    /// What the mount is for.
    public enum Purpose: Sendable {
        /// Commands will run: the places that a container needs exist at least as long as the mount does.
        case command
        /// Files will be changed from outside: only what the layers hold is seen.
        case files
    }

    /// The id of the container behind the mount.
    public let id: String
    /// Where the root file system is mounted.
    public let rootfs: String
    /// The upper directory, which takes the changes.
    public let upper: String

    let context: RuntimeContext
    private let layers: [LayerID]
    let paths: ContainerPaths
    /// What is mounted into the root file system while commands run.
    var sources = Sources()
    private let mount: UnionMount
    private let record: ContainerRecord
    private var lock: FileDescriptor?
    private var isOpen = true
    private var lastCommand: BuildCommand?
    /// The runtime's last work for the container, which need not be waited for to use what the command wrote.
    private var deletion: PrivateThread.Companion?

    /// Mounts the layers, bottom first; none for a stage from scratch.
    ///
    /// - Parameter mountPoints: what commands will find mounted; those places that the layers lack exist as long as the
    ///   mount does and are no part of the layer that it becomes.
    public init(
        _ context: RuntimeContext, layers: [LayerID], imageID: Digest? = nil, purpose: Purpose = .command,
        mountPoints: [BuildMountPoint] = []
    ) throws(RuntimeError) {
        let store = context.store
        self.context = context
        self.layers = layers
        let record = try fromStore { () throws(StoreError) in
            try store.createContainer(NewContainer(imageID: imageID, layerIDs: layers, isBuild: true))
        }
        self.record = record
        id = record.id
        paths = store.containerPaths(record.id)
        rootfs = paths.rootfs
        upper = paths.upper
        do throws(RuntimeError) {
            lock = try ContainerLock.take(paths)
            _ = try fromStore { () throws(StoreError) in
                try store.updateContainer(record.id) { $0.supervisor = .current }
            }
            // Volatile: a step that a crash interrupts is done again, and the image is made durable as a whole.
            mount = try ContainerUnion.mount(
                context, paths, layers: layers,
                places: purpose == .command
                    ? Bundle.places(for: []) + BuildMountPoint.places(for: mountPoints) : [],
                permissions: purpose == .command ? .container : [], isVolatile: true)
        } catch {
            try? store.removeContainer(record.id)
            throw error
        }
    }

    deinit { discard() }

    /// Runs a command in a container on the mount and returns its exit status: the process's own, or 128 plus the
    /// signal that ended it.
    ///
    /// - Parameters:
    ///   - cancellation: kills the container when it fires.
    ///   - onOutput: takes what the command prints, on the calling thread.
    public func run(
        _ command: BuildCommand, cancellation: Cancellation? = nil, onOutput: OutputHandler
    ) throws(RuntimeError) -> Int32 {
        lastCommand = command
        return try withoutActuallyEscaping(onOutput) { (handler: @escaping OutputHandler) throws(RuntimeError) in
            try start(command) { (driver, start) throws(RuntimeError) in
                let process = try ContainerProcess.start(driver, start, withInput: false)
                let pump = ContainerProcess.Pump(
                    onOutput: { stream, bytes in
                        handler(stream, bytes)
                        return true
                    }, cancellation: cancellation)
                return try process.pump(pump).shellStatus
            }
        }
    }

    /// Writes the bundle for a command and has `attend` start and tend it; then the runtime forgets it.
    func start(
        _ command: BuildCommand, hasTerminal: Bool = false, size: TerminalSize? = nil,
        attend: (RuntimeDriver, RuntimeDriver.Start) throws(RuntimeError) -> Int32
    ) throws(RuntimeError) -> Int32 {
        try requireOpen()
        deletion?.join()
        let driver = try context.driver()
        try Bundle.write(
            Bundle.Command(
                arguments: command.arguments, environment: command.environment + command.secretEnvironment,
                workingDirectory: command.workingDirectory, user: command.user, hostname: "build",
                terminal: hasTerminal, terminalSize: size, mounts: command.mounts, showsCgroups: false,
                isolation: command.isolation),
            id: id, directory: paths.bundle, rootfs: rootfs, driver: driver)
        let id = self.id
        let network = command.isolation.network
        defer {
            deletion = PrivateThread.start {
                driver.delete(id)
                network.release(id)
            }
        }
        var start = RuntimeDriver.Start(id: id, bundle: paths.bundle, lock: lock?.rawValue)
        start.prepare = network.preparation(of: id)
        return try attend(driver, start)
    }

    /// Unmounts, and makes what changed the next layer; it can be mounted over at once, while its digest is computed.
    public func commit() throws(RuntimeError) -> PendingLayer {
        try requireOpen()
        isOpen = false
        do throws(RuntimeError) {
            try endSources()
            try mount.unmount()
            let pending = try fromStore { () throws(StoreError) in
                try context.store.commitLayer(takingUpper: paths.upper, lowers: layers)
            }
            endContainer()
            return pending
        } catch {
            isOpen = true
            discard()
            throw error
        }
    }

    /// Unmounts, and turns what changed into a container that `ps -a` shows as exited.
    ///
    /// - Parameter exitCode: how its command ended.
    public func keep(exitCode: Int32) throws(RuntimeError) -> ContainerRecord {
        try requireOpen()
        try endSources()
        try mount.unmount()
        let store = context.store
        let command = lastCommand ?? BuildCommand(arguments: [])
        let settings = ContainerSettings(keeping: command)
        let imageID = record.imageID
        let kept = try fromStore { () throws(StoreError) in
            let new = try store.createContainer(
                NewContainer(
                    imageID: imageID, imageName: imageID?.short ?? "", layerIDs: layers,
                    arguments: command.arguments, configJSON: (try? JSON.encode(settings)) ?? Data()))
            return try store.updateContainer(new.id) { container in
                container.state = .exited
                container.exitCode = exitCode
                container.finishedAt = .now
            }
        }
        let target = store.containerPaths(kept.id).upper
        try attempting("move \(paths.upper)") { () throws(Errno) in
            try FileDescriptor.currentDirectory.rename(
                paths.upper, to: FileDescriptor.currentDirectory, target)
        }
        isOpen = false
        endContainer()
        return kept
    }

    /// Unmounts and forgets what changed.
    public func discard() {
        guard isOpen else { return }
        isOpen = false
        try? endSources()
        try? mount.unmount()
        endContainer()
    }

    /// Forgets the container behind the mount, once the runtime has.
    private func endContainer() {
        deletion?.join()
        try? context.store.removeContainer(id)
    }

    /// Lets go of the lock as the end of the process would.
    func releaseLockForTesting() { lock = nil }

    private func requireOpen() throws(RuntimeError) {
        if !isOpen { throw RuntimeError(.conflict, "the mount of build step \(id.prefix(12)) has ended already") }
    }
}
