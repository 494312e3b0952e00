import FoundationEssentials
import Linux
import OCI

/// An OCI bundle: `config.json` and what it refers to, in a container's directory; runtime-spec, "Filesystem Bundle".
enum Bundle {
    /// What is to run, with the defaults still to be filled in.
    struct Command {
        var arguments: [String]
        /// `NAME=value` strings.
        var environment: [String]
        /// Absolute, or relative to `/`; empty for `/`.
        var workingDirectory: String
        /// `user[:group]`.
        var user: String
        var hostname: String
        var terminal = false
        var terminalSize: TerminalSize?
        /// Mounts besides the standard ones.
        var mounts: [RuntimeSpecification.Mount] = []
        /// Whether control groups are shown at `/sys/fs/cgroup`. Of version 1 each hierarchy takes mounts of its own,
        /// a sixth of the time that a start takes.
        var showsCgroups = true
        /// What else of the host it has.
        var isolation = Isolation()
    }

    /// Writes the configuration of a container whose root file system is mounted.
    static func write(
        _ command: Command, id: String, directory: String, rootfs: String, driver: RuntimeDriver
    ) throws(RuntimeError) {
        let process = try process(command, rootfs: rootfs)
        let isolation = command.isolation
        let standard = isolation.mounts(
            RuntimeSpecification.standardMounts.filter { command.showsCgroups || $0.type != "cgroup" })
        let hostMounts = try HostFiles.write(
            into: directory, hostname: command.hostname, adding: isolation.hosts, readOnly: isolation.isReadOnly)
        var specification = RuntimeSpecification(
            process: process, root: .init(path: rootfs), hostname: command.hostname,
            mounts: ordered(standard, then: hostMounts + command.mounts),
            linux: .standard(cgroupsPath: "\(Cgroups.parent)/\(id)", privateCgroups: driver.givesPrivateCgroups))
        try isolation.apply(to: &specification, hasCgroups: driver.canUseCgroups)
        try write(specification, to: directory + "/config.json")
    }

    /// Writes a document of the runtime's.
    static func write(_ document: some Encodable, to path: String) throws(RuntimeError) {
        let data: Data
        do throws(OCIError) {
            data = try JSON.encode(document)
        } catch {
            throw RuntimeError(.system, "cannot write \(path): \(error.message)")
        }
        try attempting("write \(path)") { () throws(Errno) in
            try FileDescriptor.open(path, [.writeOnly, .create, .truncate], mode: 0o600).writeAll(Array(data))
        }
    }

    /// Describes the process of a command, with the user looked up in the root file system.
    static func process(
        _ command: Command, rootfs: String
    ) throws(RuntimeError) -> RuntimeSpecification.Process {
        try command.check()
        let identity = try UserDatabase(root: rootfs).identity(for: command.user)
        var process = RuntimeSpecification.Process(
            args: command.arguments, env: environment(command, home: identity.home),
            cwd: ContainerPath.normalized(command.workingDirectory),
            user: .init(uid: identity.uid, gid: identity.gid, additionalGids: identity.additionalGids),
            terminal: command.terminal)
        if command.terminal, let size = command.terminalSize {
            process.consoleSize = .init(height: UInt32(size.rows), width: UInt32(size.columns))
        }
        try command.isolation.apply(to: &process)
        return process
    }

    /// The places in a root file system that these mounts need.
    static func places(for mounts: [RuntimeSpecification.Mount]) -> [MountPointLayer.Place] {
        let standard = RuntimeSpecification.standardMountPoints.map {
            MountPointLayer.Place(path: $0, isDirectory: true)
        }
        let files = HostFiles.names.map { MountPointLayer.Place(path: "/etc/\($0)", isDirectory: false) }
        let further = mounts.filter { mount in
            // What lies below a standard mount is not in the image's file system.
            !RuntimeSpecification.standardMountPoints.contains { mount.destination.hasPrefix($0 + "/") }
        }.map { mount in
            let status = try? FileDescriptor.currentDirectory.status(of: mount.source, followSymlinks: true)
            return MountPointLayer.Place(path: mount.destination, isDirectory: status?.isDirectory ?? true)
        }
        return standard + files + further
    }

    /// A mount on a standard place, such as a volume at `/dev/shm`, replaces the standard one; otherwise parents come
    /// before what lies below them.
    private static func ordered(
        _ standard: [RuntimeSpecification.Mount], then others: [RuntimeSpecification.Mount]
    ) -> [RuntimeSpecification.Mount] {
        let taken = Set(others.map(\.destination))
        var unique: [RuntimeSpecification.Mount] = []
        for mount in others {
            unique.removeAll { $0.destination == mount.destination }
            unique.append(mount)
        }
        let sorted = unique.enumerated().sorted { left, right in
            let depths = (left.element.destination.depth, right.element.destination.depth)
            return depths.0 == depths.1 ? left.offset < right.offset : depths.0 < depths.1
        }
        return standard.filter { !taken.contains($0.destination) } + sorted.map(\.element)
    }

    /// The command's environment with what Docker adds: `PATH`, `HOSTNAME`, `HOME`, and `TERM` for a terminal.
    private static func environment(_ command: Command, home: String) -> [String] {
        var added = [
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), ("HOSTNAME", command.hostname),
        ]
        if command.terminal { added.append(("TERM", "xterm")) }
        added.append(("HOME", home))
        let present = Set(command.environment.map { $0.prefix { $0 != "=" } })
        let missing = added.filter { !present.contains(Substring($0.0)) }.map { "\($0.0)=\($0.1)" }
        return missing + command.environment
    }
}

extension String {
    /// How many names a path has.
    fileprivate var depth: Int { split(separator: "/").count }
}

extension Bundle.Command {
    /// Throws `badOption` where a text holds a NUL: an image's configuration may, and the kernel ends texts there.
    func check() throws(RuntimeError) {
        let texts = [
            ("the command", arguments), ("the environment", environment), ("the working directory", [workingDirectory]),
            ("the user", [user]),
        ]
        for (what, values) in texts where values.contains(where: { $0.utf8.contains(0) }) {
            throw RuntimeError(.badOption, "cannot start the container: \(what) holds a NUL")
        }
    }
}
