public import ImageStore
import Linux
public import OCI

extension ContainerEngine {
    /// Mounts an image at a directory, read-only.
    ///
    /// The mount stays when this process ends, until `unmount`.
    ///
    /// - Parameter permissions: what others and programs may do there.
    /// - Throws: `busy` when something is mounted there, `mountFailed`, `badOption` when it is no directory.
    @discardableResult
    public func mount(
        _ image: ImageRecord, at directory: String, permissions: MountPermissions = []
    ) throws(RuntimeError) -> MountRecord {
        let place = try Self.mountPoint(directory)
        // Until the record of the mount keeps them.
        let session = store.session()
        try fromStore { () throws(StoreError) in try session.lease(image.layerIDs) }
        defer { try? session.releaseLeases() }
        var lowers = store.lowerPaths(image.layerIDs)
        if lowers.isEmpty {
            // An image without layers shows an empty directory.
            lowers = [try Self.emptyDirectory(in: store)]
        }
        let mount = try UnionMount.mount(
            try context.helper(), lowers: lowers, at: place, permissions: permissions, base: store.root)
        return try record(
            mount,
            MountRecord(
                mountPoint: place, imageID: image.id, layerIDs: image.layerIDs, readOnly: true,
                server: Self.server(of: mount), identity: mount.identity))
    }

    /// Mounts a container's file system at a directory, writable: what is written becomes the container's own, to be
    /// committed. A running container is shown as it runs.
    ///
    /// - Parameter permissions: what others and programs may do there. A running container's processes are of many users, so
    ///   that others cannot be kept out of a view of it but by a directory above, which must then be private.
    @discardableResult
    public func mount(
        _ container: ContainerRecord, at directory: String, permissions: MountPermissions = []
    ) throws(RuntimeError) -> MountRecord {
        let place = try Self.mountPoint(directory)
        let paths = store.containerPaths(container.id)
        guard let lock = try ContainerLock.takeIfFree(paths) else {
            return try showRunning(container, paths, at: place, permissions)
        }
        try refuseIfMounted(container)
        let lowers = store.lowerPaths(container.layerIDs)
        let mount = try UnionMount.mount(
            try context.helper(), lowers: lowers.isEmpty ? [try Self.emptyDirectory(in: store)] : lowers,
            upper: paths.upper, work: paths.work, at: place, permissions: permissions, base: store.root)
        let result = try record(
            mount,
            MountRecord(
                mountPoint: place, imageID: container.imageID, containerID: container.id,
                layerIDs: container.layerIDs, readOnly: false, server: Self.server(of: mount),
                identity: mount.identity))
        withExtendedLifetime(lock.rawValue) {}
        return result
    }

    /// The mounts that `mount` made and that are still there.
    public func mounts() throws(RuntimeError) -> [MountRecord] {
        reconcile()
        return try fromStore { () throws(StoreError) in try store.mounts() }
    }

    /// Unmounts what `mount` mounted, found by its directory, or by a container's name or id; `notFound` where there is
    /// none. Returns when all that was written is in the container.
    ///
    /// - Parameter lazily: whether a mount that is in use is taken out of the tree, to end with its last user.
    /// - Throws: `busy` for a mount that is in use, which stays as it is.
    public func unmount(_ target: String, lazily: Bool = false) throws(RuntimeError) {
        let records = try fromStore { () throws(StoreError) in try store.mounts() }
        // As it was mounted, before what the path leads to by now.
        var found = records.filter { $0.mountPoint == target }
        if found.isEmpty, let place = try? Self.absolute(target) {
            found = records.filter { $0.mountPoint == place }
        }
        if found.isEmpty, let container = try? store.container(matching: target) {
            found = records.filter { $0.containerID == container.id }
        }
        if found.isEmpty {
            throw RuntimeError(.notFound, "nothing of this store is mounted at \(target)")
        }
        for record in found {
            if record.isBind(in: store) {
                try OwnMount(record).unmount(staysInUse: !lazily)
            } else {
                try UnionMount(
                    mountPoint: record.mountPoint, serverPID: record.server.pid, serverStart: record.server.startTime,
                    identity: record.identity
                ).unmount(inUse: lazily ? .detached : .refused)
            }
            try fromStore { () throws(StoreError) in try store.removeMount(at: record.mountPoint) }
        }
    }

    // MARK: Parts

    /// Shows the root file system of a running container at a second place. The record names the process that tends
    /// the container, because the mount has no server of its own.
    private func showRunning(
        _ container: ContainerRecord, _ paths: ContainerPaths, at place: String, _ permissions: MountPermissions
    ) throws(RuntimeError) -> MountRecord {
        guard container.state == .running, let supervisor = container.supervisor else {
            throw RuntimeError(.conflict, "container \(container.name) is being started or removed")
        }
        if !permissions.contains(.others) && !Self.isPrivate(place) {
            throw RuntimeError(
                .conflict,
                "container \(container.name) runs, and \(place) would show it to all users",
                remedy: "mount it below a directory that only you may enter, or allow it with -o allow_other")
        }
        let identity = try attempting("mount \(container.name) at \(place)") { () throws(Errno) in
            let target = try FileDescriptor.currentDirectory.open(place, [.path, .directory], resolve: .noSymlinks)
            let view = try FileDescriptor.currentDirectory.copyMount(of: paths.rootfs)
            var attributes: MountAttributes = []
            if !permissions.contains(.setIDs) { attributes.insert(.noSetID) }
            if !permissions.contains(.devices) { attributes.insert(.noDevices) }
            // Before anybody can see it.
            try view.setMountAttributes(attributes)
            let identity = try view.mountIdentity()
            try view.attachMount(on: target)
            return identity
        }
        let record = MountRecord(
            mountPoint: place, imageID: container.imageID, containerID: container.id, layerIDs: container.layerIDs,
            readOnly: false, server: supervisor, identity: identity)
        do throws(RuntimeError) {
            try fromStore { () throws(StoreError) in try store.addMount(record) }
        } catch {
            _ = try? OwnMount(record).unmount()
            throw error
        }
        return record
    }

    /// Whether a directory above a place keeps all other users out.
    private static func isPrivate(_ place: String) -> Bool {
        var path = Substring(place)
        while let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            path = path[..<slash]
            if let status = try? FileDescriptor.currentDirectory.status(of: String(path)), status.isDirectory,
                status.uid == Effective.uid, status.permissions & 0o011 == 0
            {
                return true
            }
        }
        return false
    }

    private func record(_ mount: UnionMount, _ record: MountRecord) throws(RuntimeError) -> MountRecord {
        do throws(RuntimeError) {
            try fromStore { () throws(StoreError) in try store.addMount(record) }
        } catch {
            try? mount.unmount()
            throw error
        }
        return record
    }

    private static func server(of mount: UnionMount) -> ProcessIdentity {
        ProcessIdentity(pid: mount.serverPID, startTime: mount.serverStart ?? 0)
    }

    private static func emptyDirectory(in store: ImageStore) throws(RuntimeError) -> String {
        let path = store.root + "/empty"
        do throws(Errno) {
            try FileDescriptor.currentDirectory.makeDirectory(path, exactMode: 0o755)
        } catch {
            if error != .EEXIST { throw RuntimeError("create \(path)", error) }
        }
        return path
    }

    /// The absolute path of a directory to mount on, links resolved, as the mount table has it.
    private static func mountPoint(_ directory: String) throws(RuntimeError) -> String {
        let status = try attempting("mount at \(directory)") { () throws(Errno) in
            try FileDescriptor.currentDirectory.status(of: directory, followSymlinks: true)
        }
        guard status.isDirectory else {
            throw RuntimeError(.badOption, "cannot mount at \(directory): it is not a directory")
        }
        return try absolute(directory)
    }

    private static func absolute(_ path: String) throws(RuntimeError) -> String {
        try attempting("find \(path)") { () throws(Errno) in
            let directory = try FileDescriptor.open(path, [.path, .directory])
            let bytes = try directory.withProcPath { (link: UnsafePointer<CChar>) throws(Errno) in
                try FileDescriptor.currentDirectory.readLink(link)
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}

extension MountRecord {
    /// Whether the mount is a second view of a running container's.
    fileprivate func isBind(in store: ImageStore) -> Bool {
        guard let containerID, let container = try? store.container(matching: containerID) else { return false }
        return container.supervisor == server
    }
}
