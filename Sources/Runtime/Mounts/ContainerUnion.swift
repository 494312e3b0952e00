import FoundationEssentials
import ImageStore
import Linux
import Logging
import OCI

/// The union that is a container's root file system.
enum ContainerUnion {
    /// Mounts a container's layers under its upper directory at its `rootfs`.
    ///
    /// - Parameters:
    ///   - layers: bottom first; none for a container that starts from nothing.
    ///   - places: what will be mounted in it; see `MountPointLayer`.
    ///   - permissions: what others and programs may do there.
    ///   - isVolatile: whether what is written need not outlive a crash, so that a sync in the container costs nothing.
    static func mount(
        _ context: RuntimeContext, _ paths: ContainerPaths, layers: [LayerID], places: [MountPointLayer.Place],
        permissions: MountPermissions = .container, isVolatile: Bool = false
    ) throws(RuntimeError) -> UnionMount {
        let helper = try context.helper()
        // That of a run before says nothing of what comes now.
        MountNote.remove(in: paths.directory)
        var lowers = context.store.lowerPaths(layers)
        let extra = paths.directory + "/mountpoints"
        let stack = [paths.upper] + lowers
        if !places.isEmpty,
            try MountPointLayer.make(at: extra, under: stack, marks: context.store.marks, places: places)
        {
            lowers.insert(extra, at: 0)
        }
        if lowers.isEmpty {
            // A union needs something to stand on.
            let nothing = paths.directory + "/nothing"
            do throws(Errno) {
                try FileDescriptor.currentDirectory.makeDirectory(nothing, exactMode: 0o755)
            } catch {
                if error != .EEXIST { throw RuntimeError("create \(nothing)", error) }
            }
            lowers = [nothing]
        }
        context.logger.debug(
            "mount a union",
            metadata: [
                "at": .string(paths.rootfs), "layers": .stringConvertible(lowers.count), "helper": .string(helper.path),
            ])
        let mount = try UnionMount.mount(
            helper, lowers: lowers, upper: paths.upper, work: paths.work, at: paths.rootfs,
            permissions: permissions, options: isVolatile ? ["volatile"] : [], base: context.store.root,
            log: paths.directory + "/mount.log")
        MountNote(mount).leave(in: paths.directory)
        return mount
    }

    /// Unmounts whatever a dead process of ours left mounted in a container's directory.
    ///
    /// - Throws: `conflict` when something else is mounted there, which stays.
    static func cleanUp(_ paths: ContainerPaths) throws(RuntimeError) {
        var failure: RuntimeError?
        // What was mounted last goes first.
        for entry in MountTable.current().mounts(below: paths.directory) {
            do throws(RuntimeError) {
                try unmount(entry, paths)
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        if let left = MountTable.current().mounts(below: paths.directory).first { throw foreign(left) }
        // The mount is gone, and its server may not be yet.
        if let note = MountNote.read(in: paths.directory), note.mount.mountPoint == paths.rootfs {
            try note.mount.unmount()
        }
        MountNote.remove(in: paths.directory)
    }

    private static func unmount(_ entry: MountTable.Entry, _ paths: ContainerPaths) throws(RuntimeError) {
        guard let slash = entry.mountPoint.lastIndex(of: "/") else { return }
        let note = MountNote.read(in: String(entry.mountPoint[..<slash]))
        if let note, note.mount.mountPoint == entry.mountPoint, note.isOf(entry) { return try note.unmount() }
        // Its maker was killed before it could leave the note.
        let kind = kind(of: entry.mountPoint, paths)
        if let kind, kind.hasType(entry.type), entry.source == kind.source, note == nil || note?.mount.identity == nil {
            try OwnMount(mountPoint: entry.mountPoint, kind: kind).unmount()
            return
        }
        throw foreign(entry)
    }

    private static func foreign(_ entry: MountTable.Entry) -> RuntimeError {
        RuntimeError(
            .conflict, "cannot clean up: \(entry.mountPoint) has a mount that is not the container's",
            remedy: "unmount it first")
    }

    /// What is mounted at a place in a container's directory; nil where nothing is.
    private static func kind(of place: String, _ paths: ContainerPaths) -> OwnMount.Kind? {
        if place == paths.rootfs { return .union }
        let names = place.dropFirst(paths.directory.count + 1).split(separator: "/")
        if names.first == "private" { return .memory }
        return names.count == 2 && names[0].hasPrefix("source") && names[1] == "root" ? .union : nil
    }
}

/// What is left beside a mount in a container's directory for a process that has to clean up after the one that made it:
/// which mount it is, and which process serves it. Without it the cleaner goes by its place and its kind.
struct MountNote: Codable {
    /// The mount; the server of one that needs none is 0.
    var mount: UnionMount
    /// Whether it is a directory in memory.
    var isMemory: Bool?

    init(_ mount: UnionMount) { self.mount = mount }

    /// Describes a directory in memory that was just mounted.
    init(memoryAt mountPoint: String, identity: MountIdentity) {
        mount = UnionMount(mountPoint: mountPoint, serverPID: 0, serverStart: nil, identity: identity)
        isMemory = true
    }

    /// Whether an entry of the mount table may be this mount.
    func isOf(_ entry: MountTable.Entry) -> Bool {
        let kind = isMemory == true ? OwnMount.Kind.memory : .union
        return kind.hasType(entry.type) && (mount.identity == nil || mount.identity?.device == entry.device)
    }

    /// Unmounts it, and waits for its server.
    func unmount() throws(RuntimeError) {
        if isMemory != true { return try mount.unmount() }
        try OwnMount(mountPoint: mount.mountPoint, identity: mount.identity, kind: .memory).unmount()
    }

    private static func path(_ directory: String) -> String { directory + "/mount.json" }

    func leave(in directory: String) {
        guard let data = try? JSON.encode(self) else { return }
        let flags: OpenFlags = [.writeOnly, .create, .truncate, .noFollow]
        try? FileDescriptor.open(Self.path(directory), flags, mode: 0o600).writeAll(Array(data))
    }

    static func read(in directory: String) -> MountNote? {
        guard let file = try? FileDescriptor.open(path(directory), .noFollow),
            let bytes = try? file.readAll(limit: 1 << 16)
        else { return nil }
        let data = Data(bytes)
        if let note = try? JSON.decode(MountNote.self, from: data) { return note }
        // As earlier versions left it.
        return (try? JSON.decode(UnionMount.self, from: data)).map(MountNote.init)
    }

    static func remove(in directory: String) {
        try? FileDescriptor.currentDirectory.unlink(path(directory))
    }
}
