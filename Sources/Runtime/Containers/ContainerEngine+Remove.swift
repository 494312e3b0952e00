import ImageStore
import Linux
public import OCI

extension ContainerEngine {
    /// Removes a container and what it wrote.
    ///
    /// - Parameters:
    ///   - force: kills it first when it runs; without, that is a `conflict`.
    ///   - withVolumes: removes its anonymous volumes too.
    public func remove(_ id: String, force: Bool = false, withVolumes: Bool = false) throws(RuntimeError) {
        var container = try container(matching: id)
        if container.supervisor != nil {
            guard force else {
                throw RuntimeError(
                    .conflict,
                    "cannot remove container \"\(container.name)\": container is \(container.state.rawValue)",
                    remedy: "stop it first or use force")
            }
            if container.state == .running { try kill(container.id) }
            _ = try wait(container.id)
            do throws(RuntimeError) {
                container = try self.container(matching: container.id)
            } catch {
                // It removed itself at its end.
                if error.code == .notFound { return }
                throw error
            }
        }
        // Held to the end, so that nobody starts it while it goes.
        guard let lock = try ContainerLock.takeIfFree(store.containerPaths(container.id)) else {
            throw RuntimeError(.conflict, "cannot remove container \"\(container.name)\": it is being started")
        }
        try refuseIfMounted(container)
        let settings = try? settings(of: container)
        try discard(container, settings, withVolumes: withVolumes)
        withExtendedLifetime(lock.rawValue) {}
    }

    /// Removes the record and the files of a container that nobody tends.
    func discard(
        _ container: ContainerRecord, _ settings: ContainerSettings?, withVolumes: Bool
    ) throws(RuntimeError) {
        try ContainerUnion.cleanUp(store.containerPaths(container.id))
        try fromStore { () throws(StoreError) in
            try store.removeContainer(container.id, events: container.events("destroy"))
        }
        guard withVolumes, let settings else { return }
        let volumes = Volumes(store)
        for case .anonymous(let name) in settings.volumes.map(\.source) { try volumes.remove(name) }
    }

    /// Gives a container another name.
    public func rename(_ id: String, to name: String) throws(RuntimeError) {
        let container = try container(matching: id)
        try fromStore { () throws(StoreError) in
            let events = { (record: ContainerRecord) in record.events("rename", ["oldName": "/" + container.name]) }
            try store.updateContainer(container.id, events: events) { $0.name = name }
        }
    }

    /// `conflict` when the container is mounted at a directory of the user's.
    func refuseIfMounted(_ container: ContainerRecord) throws(RuntimeError) {
        let mounts = try fromStore { () throws(StoreError) in try store.mounts() }
        for mount in mounts where mount.containerID == container.id && mount.server.isAlive {
            throw RuntimeError(
                .conflict, "container \(container.name) is mounted at \(mount.mountPoint)",
                remedy: "unmount it first: strata umount \(mount.mountPoint)")
        }
    }
}
