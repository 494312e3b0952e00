import ImageStore
import LayerTree
import Linux

/// A place in the root file system that something will be mounted on while a command runs.
public struct BuildMountPoint: Hashable, Sendable {
    /// Absolute, normalised.
    public var path: String
    /// Whether it is a directory or a file.
    public var isDirectory: Bool

    /// Puts a place together.
    public init(path: String, isDirectory: Bool) {
        self.path = path
        self.isDirectory = isDirectory
    }

    /// What the image lacks of these places. What lies below another mount is not in the image's file system.
    static func places(for points: [BuildMountPoint]) -> [MountPointLayer.Place] {
        let mounted = RuntimeSpecification.standardMountPoints + points.map(\.path)
        return points.filter { point in !mounted.contains { point.path.hasPrefix($0 + "/") } }
            .map { MountPointLayer.Place(path: $0.path, isDirectory: $0.isDirectory) }
    }
}

// What a command finds mounted in its root file system besides the standard mounts. All of it lies in the container's
// directory, where `ContainerEngine.reconcile` finds it should this process die, and goes with the mount.
extension BuildMount {
    /// What was made for the commands of one mount.
    struct Sources {
        var unions: [UnionMount] = []
        var privateDirectory: (path: String, mount: OwnMount)?
        var relays: [SocketRelay] = []
        var count = 0
    }

    /// Mounts a stack of directories beside the root file system, to be bind-mounted into it; returns where.
    ///
    /// - Parameters:
    ///   - lowers: the directories, the top one first; none for an empty one.
    ///   - isWritable: whether it can be written; what is written goes with the mount.
    ///   - belongsToRoot: whether all files are shown as root's.
    public func mountStack(
        _ lowers: [String], isWritable: Bool, belongsToRoot: Bool = false
    ) throws(RuntimeError) -> String {
        let base = "\(paths.directory)/source\(sources.count)"
        sources.count += 1
        let parts = (root: base + "/root", upper: base + "/upper", work: base + "/work", nothing: base + "/nothing")
        for directory in [base, parts.root, parts.upper, parts.work, parts.nothing] {
            try attempting("create \(directory)") { () throws(Errno) in
                try FileDescriptor.currentDirectory.makeDirectory(directory, exactMode: 0o755)
            }
        }
        if isWritable {
            // The upper directory's attributes are those of the mount's root.
            try attempting("copy the attributes of \(lowers.first ?? base)") { () throws(Errno) in
                guard let top = lowers.first else { return }
                let source = try FileDescriptor.open(top, .directory)
                try FileCopier(.own(context.store.marks), isLenient: true).copyMetadata(
                    of: source, to: try FileDescriptor.open(parts.upper, .directory))
                if belongsToRoot { try FileDescriptor.currentDirectory.setOwner(of: parts.upper, uid: 0, gid: 0) }
            }
        }
        var options = isWritable ? ["volatile"] : []
        if belongsToRoot { options.append("squash_to_root") }
        let mount = try UnionMount.mount(
            try context.helper(), lowers: lowers.isEmpty ? [parts.nothing] : lowers,
            upper: isWritable ? parts.upper : nil, work: isWritable ? parts.work : nil, at: parts.root,
            permissions: .container, options: options, base: context.store.root, log: base + "/mount.log")
        MountNote(mount).leave(in: base)
        sources.unions.append(mount)
        return parts.root
    }

    /// An empty directory beside the root file system, which goes with the mount.
    public func makeDirectory(_ name: String) throws(RuntimeError) -> String {
        let directory = "\(paths.directory)/\(name)\(sources.count)"
        sources.count += 1
        try attempting("create \(directory)") { () throws(Errno) in
            try FileDescriptor.currentDirectory.makeDirectory(directory, exactMode: 0o755)
        }
        return directory
    }

    /// A directory in memory that only root can enter; made when it is first asked for.
    public func privateDirectory() throws(RuntimeError) -> String {
        if let made = sources.privateDirectory { return made.path }
        let home = paths.directory + "/private"
        let directory = home + "/memory"
        let identity = try attempting("mount a directory in memory at \(directory)") { () throws(Errno) in
            for path in [home, directory] {
                try FileDescriptor.currentDirectory.makeDirectory(path, mode: 0o700)
            }
            try Mount.mount(
                source: "tmpfs", target: directory, type: "tmpfs", flags: [.noSetID, .noDevices, .noExecution],
                options: "mode=700")
            return try FileDescriptor.currentDirectory.mountIdentity(of: directory)
        }
        MountNote(memoryAt: directory, identity: identity).leave(in: home)
        sources.privateDirectory = (directory, OwnMount(mountPoint: directory, identity: identity, kind: .memory))
        return directory
    }

    /// A socket that hands every connection on to another one of the host's; returns its path.
    ///
    /// - Parameters:
    ///   - target: the path of the socket that the connections are for.
    ///   - owner: who the new one belongs to.
    ///   - mode: its permissions.
    public func relaySocket(
        to target: String, owner: (uid: UInt32, gid: UInt32), mode: UInt32
    ) throws(RuntimeError) -> String {
        let directory = try privateDirectory()
        let name = "socket\(sources.relays.count)"
        let relay = try attempting("make a socket for \(target)") { () throws(Errno) in
            let home = try FileDescriptor.open(directory, [.directory])
            let relay = try SocketRelay(named: name, in: home, to: target)
            try home.setOwner(of: name, uid: owner.uid, gid: owner.gid)
            try home.setMode(of: name, mode)
            return relay
        }
        sources.relays.append(relay)
        return "\(directory)/\(name)"
    }

    /// Takes away what was made for the commands; the first failure is told when all was tried.
    func endSources() throws(RuntimeError) {
        sources.relays = []
        var failure: RuntimeError?
        for union in sources.unions.reversed() {
            do throws(RuntimeError) { try union.unmount() } catch { failure = failure ?? error }
        }
        if let mount = sources.privateDirectory?.mount {
            do throws(RuntimeError) { try mount.unmount() } catch { failure = failure ?? error }
        }
        sources = Sources()
        if let failure { throw failure }
    }
}
