import FoundationEssentials
public import Linux
public import Logging
public import OCI

/// An OCI runtime, driven through its command line; runtime-spec, "Operations".
public struct RuntimeDriver: Sendable {
    /// Which runtime it is; they differ in what they stand.
    public enum Kind: String, Sendable {
        case runc
        case crun
    }

    /// The runtime's family; an unknown program is treated like runc.
    public let kind: Kind
    /// The program's path.
    public let path: String
    /// The directory in which the runtime keeps the state of its containers.
    let stateRoot: String
    /// A directory for sockets, with a short path.
    let socketDirectory: String
    private let cgroups: Cgroups
    private let logger: Logger

    /// Finds a runtime.
    ///
    /// - Parameters:
    ///   - name: a name or path; nil for what `STRATA_RUNTIME` names, else `runc`, else `crun`.
    ///   - environment: where `STRATA_RUNTIME` and `PATH` are.
    ///   - stateDirectory: for what has to be known of running containers; does not have to exist.
    /// - Throws: `helperMissing`.
    public static func find(
        named name: String? = nil, in environment: ProcessEnvironment, stateDirectory: String, logger: Logger
    ) throws(RuntimeError) -> RuntimeDriver {
        let wanted = name ?? environment.nonEmpty("STRATA_RUNTIME")
        for candidate in wanted.map({ [$0] }) ?? ["runc", "crun"] {
            if let path = Executables.find(candidate, in: environment) {
                let kind: Kind = path.split(separator: "/").last == "crun" ? .crun : .runc
                return RuntimeDriver(
                    kind: kind, path: path, stateDirectory: stateDirectory, cgroups: Cgroups.detect(), logger: logger)
            }
        }
        throw RuntimeError(
            .helperMissing, "cannot find the OCI runtime \(wanted ?? "runc")",
            remedy: "install runc, or name another with --runtime or STRATA_RUNTIME")
    }

    private init(kind: Kind, path: String, stateDirectory: String, cgroups: Cgroups, logger: Logger) {
        self.logger = logger
        self.kind = kind
        self.path = path
        socketDirectory = stateDirectory
        stateRoot = "\(stateDirectory)/\(kind.rawValue)"
        self.cgroups = cgroups
    }

    /// Whether containers get a view of control groups of their own, as Docker does on cgroup v2.
    var givesPrivateCgroups: Bool { cgroups.givePrivateViews }

    /// Whether containers get control groups, without which nothing limits what they use.
    var canUseCgroups: Bool { cgroups.canMakeGroups }

    /// What a start needs.
    struct Start {
        /// The container's id.
        var id: String
        /// The directory with `config.json`; the runtime's messages and the process id are left there.
        var bundle: String
        /// The container's lock, which the runtime shares while it works: were this process killed, nobody else could
        /// take the container for abandoned before the runtime is done with it.
        var lock: Int32?
        /// The file that describes a further process for a container that runs; nil starts the container itself.
        var process: String?
        /// Takes the pseudo-terminal, when the configuration asks for one.
        var consoleSocket: String?
        /// Standard input, output and error of the process.
        var descriptors: [Int32] = []
        /// What is done with the container, by the id of its first process, when it is made and nothing in it runs yet.
        var prepare: ((_ pid: Int32) throws(RuntimeError) -> Void)?
    }

    /// Starts a container, or a further process in one, and returns the process's id: a child of ours by adoption, to
    /// be waited for with `Supervision.wait`.
    ///
    /// A container is made, prepared and started, in that order. Where there is nothing to prepare, runc makes and starts it
    /// in one call.
    ///
    /// - Parameter whileStarting: called once with the runtime's process while it works, to accept the terminal.
    func start(
        _ start: Start, whileStarting: (ChildProcess) throws(RuntimeError) -> Void = { _ in }
    ) throws(RuntimeError) -> Int32 {
        let claim = try claimDirectories()
        try attempting("become the parent of orphans") { () throws(Errno) in try Supervision.adoptOrphans() }
        let log = start.process.map { $0 + ".log" } ?? start.bundle + "/runtime.log"
        let pidFile = start.process.map { $0 + ".pid" } ?? start.bundle + "/pid"
        try? FileDescriptor.currentDirectory.unlink(log)
        try? FileDescriptor.currentDirectory.unlink(pidFile)
        let logging = ["--log", log, "--log-format", "json"]
        // `crun run --detach` forks twice, and the process in between becomes a child of ours that we do not know and
        // cannot bury; `create` does not.
        let createsFirst = start.process == nil && (kind == .crun || start.prepare != nil)
        var arguments = logging
        if let process = start.process {
            arguments += ["exec", "--detach", "--process", process]
        } else {
            arguments += (createsFirst ? ["create"] : ["run", "--detach"]) + ["--bundle", start.bundle]
        }
        arguments += ["--pid-file", pidFile]
        if let socket = start.consoleSocket { arguments += ["--console-socket", socket] }
        let child = try spawn(
            arguments + [start.id], descriptors: start.descriptors + (start.lock.map { [$0] } ?? []),
            directory: start.bundle)
        var failure: RuntimeError?
        do throws(RuntimeError) { try whileStarting(child) } catch { failure = error }
        var termination = try attempting("wait for \(path)") { () throws(Errno) in try child.wait() }
        // What the runtime has of the container keeps the directory from here on.
        withExtendedLifetime(claim.rawValue) {}
        let pid = Self.number(inFile: pidFile)
        if termination == .exited(0), failure == nil, let pid {
            if createsFirst {
                do throws(RuntimeError) {
                    try start.prepare?(pid)
                    termination = try run(logging + ["start", start.id])
                } catch {
                    failure = error
                }
            }
            if termination == .exited(0), failure == nil { return pid }
        }
        if start.process == nil { delete(start.id) }
        if let pid { Supervision.reap(pid) }
        if termination == .exited(0), let failure { throw failure }
        throw startFailure(start.id, log: log, termination: termination)
    }

    /// Ends what is left of a container and forgets it. Whatever is gone already is no error.
    func delete(_ id: String) {
        if exists(id) { _ = try? run(["delete", "--force", id]) }
        // The last container takes the state directory with it; while others are there this fails, as it should. Nor is
        // it taken from under one that is being started.
        guard let home = try? FileDescriptor.open(directoryOfAll, [.directory]),
            (try? home.lock(exclusive: true, blocking: false)) == true
        else { return }
        try? FileDescriptor.currentDirectory.removeDirectory(stateRoot)
        try? FileDescriptor.currentDirectory.removeDirectory(socketDirectory)
        withExtendedLifetime(home.rawValue) {}
    }

    /// Whether the runtime knows the container.
    func exists(_ id: String) -> Bool {
        FileDescriptor.currentDirectory.mayHave("\(stateRoot)/\(id)")
    }

    // MARK: Calling the runtime

    /// Makes the directories for sockets and for the runtime's state, which stay as long as the answer does.
    func claimDirectories() throws(RuntimeError) -> FileDescriptor {
        try makeDirectories(directoryOfAll)
        let claim = try attempting("lock \(directoryOfAll)") { () throws(Errno) in
            let home = try FileDescriptor.open(directoryOfAll, [.directory])
            _ = try home.lock(exclusive: false)
            return home
        }
        try makeDirectories(stateRoot)
        return claim
    }

    /// Where the state directories of all stores are; it is locked by those who make and remove them.
    private var directoryOfAll: String {
        let slash = socketDirectory.lastIndex(of: "/") ?? socketDirectory.startIndex
        return String(socketDirectory[..<slash])
    }

    private func makeDirectories(_ directory: String) throws(RuntimeError) {
        // `/tmp/strata`, where it comes to that, may be somebody else's, who could put there what he likes.
        let own = socketDirectory.split(separator: "/").count - 1
        var path = ""
        for (depth, component) in directory.split(separator: "/").enumerated() {
            path += "/" + component
            let status = try attempting("create \(path)") { () throws(Errno) in
                try FileDescriptor.currentDirectory.makeDirectoryIfMissing(path, mode: 0o700)
                // Whoever ends the last container removes it again.
                return try FileDescriptor.currentDirectory.statusIfPresent(of: path)
            }
            if depth + 1 >= own, let status, status.uid != Effective.uid || !status.isDirectory {
                throw RuntimeError(
                    .system, "cannot use \(path): it belongs to another user (\(status.uid)) or is no directory",
                    remedy: Effective.isRoot ? nil : "set XDG_RUNTIME_DIR to a directory of your own")
            }
        }
    }

    private func run(_ arguments: [String]) throws(RuntimeError) -> Termination {
        let null = try attempting("open /dev/null") { () throws(Errno) in
            try FileDescriptor.nullDevice()
        }
        let child = try spawn(
            arguments, descriptors: [null.rawValue, null.rawValue, null.rawValue], directory: "/")
        return try attempting("wait for \(path)") { () throws(Errno) in try child.wait() }
    }

    /// The runtime leads a session of its own: a Ctrl-C at our terminal is ours to pass on, not its to die of. Its umask, which
    /// `exec` hands on, is that of containers, not of whoever calls us.
    private func spawn(
        _ arguments: [String], descriptors: [Int32], directory: String
    ) throws(RuntimeError) -> ChildProcess {
        let (path, all) = (path, [path, "--root", stateRoot] + arguments)
        logger.debug("run a program", metadata: ["arguments": .string(all.joined(separator: " "))])
        let start: @Sendable () throws(Errno) -> ChildProcess = { () throws(Errno) in
            try ChildProcess.spawn(
                path, arguments: all, directory: directory, descriptors: descriptors, newSession: true, mask: 0o022)
        }
        return try attempting("run \(path)") { () throws(Errno) in
            guard case .hybrid = cgroups, kind == .crun else { return try start() }
            return try PrivateThread.run { () throws(Errno) in
                try Self.hideUnifiedHierarchy()
                return try start()
            }
        }
    }

    /// crun refuses the hybrid layout; without cgroup2 in sight it takes it for version 1 and works. The mount goes
    /// only in a mount namespace of the calling thread, which the runtime inherits.
    private static func hideUnifiedHierarchy() throws(Errno) {
        try Mount.unshare(.mount)
        try Mount.mount(source: nil, target: "/", flags: [.private, .recursive])
        try Mount.unmount(Cgroups.unifiedMountPoint, flags: [.detach, .noFollow])
    }

    static func number(inFile path: String) -> Int32? {
        guard let file = try? FileDescriptor.open(path), let bytes = try? file.readAll(limit: 64) else { return nil }
        return Int32(String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace })
    }
}
