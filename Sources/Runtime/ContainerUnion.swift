import FoundationEssentials
import ImageStore
import Linux
import OCI

/// The union that is a container's root file system.
enum ContainerUnion {
    /// Mounts a container's layers under its upper directory at its `rootfs`.
    ///
    /// - Parameters:
    ///   - layers: bottom first; none for a container that starts from nothing.
    ///   - places: what will be mounted in it; see `MountPointLayer`.
    ///   - isVolatile: whether what is written need not outlive a crash, so that a sync in the container costs nothing.
    static func mount(
        _ context: RuntimeContext, _ paths: ContainerPaths, layers: [LayerID], places: [MountPointLayer.Place],
        isVolatile: Bool = false
    ) throws(RuntimeError) -> UnionMount {
        let helper = try context.helper()
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
                try FileDescriptor.currentDirectory.makeDirectory(nothing, mode: 0o755)
            } catch {
                if error != .EEXIST { throw RuntimeError("create \(nothing)", error) }
            }
            lowers = [nothing]
        }
        let mount = try UnionMount.mount(
            helper, lowers: lowers, upper: paths.upper, work: paths.work, at: paths.rootfs,
            options: isVolatile ? ["volatile"] : [], base: context.store.root, log: paths.directory + "/mount.log")
        remember(mount, paths)
        return mount
    }

    /// Leaves a note of the mount for a process that has to clean up after this one. Without it the cleaner still
    /// finds the mount, but does not wait for its server.
    private static func remember(_ mount: UnionMount, _ paths: ContainerPaths) {
        guard let data = try? JSON.encode(mount) else { return }
        let path = note(paths)
        try? FileDescriptor.open(path, [.writeOnly, .create, .truncate], mode: 0o600).writeAll(Array(data))
    }

    private static func note(_ paths: ContainerPaths) -> String { paths.directory + "/mount.json" }

    /// Unmounts whatever a dead process left mounted in a container's directory.
    static func cleanUp(_ paths: ContainerPaths) throws(RuntimeError) {
        for entry in MountTable.current().mounts(below: paths.directory) where entry.mountPoint != paths.rootfs {
            try UnionMount.unmount(entry.mountPoint)
        }
        let note = note(paths)
        if let file = try? FileDescriptor.open(note), let bytes = try? file.readAll(limit: 1 << 16),
            let mount = try? JSON.decode(UnionMount.self, from: Data(bytes)), mount.mountPoint == paths.rootfs
        {
            try mount.unmount()
        } else {
            try UnionMount.unmount(paths.rootfs)
        }
        try? FileDescriptor.currentDirectory.unlink(note)
    }
}
