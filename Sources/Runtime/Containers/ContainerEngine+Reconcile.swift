import ImageStore
import Linux
import OCI

extension ContainerEngine {
    /// Sets right what processes that died left behind: containers without anybody to tend them are ended and recorded
    /// as such, steps of dead builds are removed, mounts whose servers have gone are taken out of the tree.
    ///
    /// Cheap when there is nothing to do. What cannot be set right now is left for the next time.
    public func reconcile() {
        for container in (try? store.containers(includingBuilds: true)) ?? [] where isAbandoned(container) {
            cleanUpAbandoned(container)
        }
        for mount in (try? store.mounts()) ?? [] where !mount.server.isAlive {
            Supervision.reap(mount.server.pid)
            // As long as it is hidden by something else it stays, and its record with it.
            if (try? OwnMount(mount).unmount()) != nil { try? store.removeMount(at: mount.mountPoint) }
        }
    }

    /// Whether the process that tended the container has gone without a word.
    func isAbandoned(_ container: ContainerRecord) -> Bool {
        guard let supervisor = container.supervisor else {
            // A build signs its container right after making it; one that has not for a minute was killed in between.
            let isUnsigned = container.isBuild && container.createdAt.seconds + 60 < Timestamp.now.seconds
            return container.state == .running || isUnsigned
        }
        return !supervisor.isAlive
    }

    /// Ends what is left of a container, as its own process would have done.
    func cleanUpAbandoned(_ container: ContainerRecord) {
        let paths = store.containerPaths(container.id)
        // Somebody else may be at it already.
        guard let lock = try? ContainerLock.takeIfFree(paths) else { return }
        guard let now = try? store.container(matching: container.id), isAbandoned(now) else { return }
        let runtime = RunNote.read(paths)?.runtime
        // The runtime of then may have been uninstalled; whichever there is does better than none.
        if let driver = (try? context.driver(named: runtime)) ?? (try? context.driver()) {
            driver.delete(container.id)
        }
        (try? settings(of: container))?.isolation.network.release(container.id)
        // Its processes are ours to bury where this process adopts orphans.
        if let pid = now.pid { Supervision.reap(pid) }
        let isClean = (try? ContainerUnion.cleanUp(paths)) != nil
        if container.isBuild {
            if !isClean { return }
            try? store.removeContainer(container.id)
            return
        }
        let exitCode: Int32 = now.state == .running ? 128 + Signals.kill : 125
        let events = { (record: ContainerRecord) in now.state == .running ? record.endEvents() : [] }
        _ = try? store.updateContainer(container.id, events: events) { record in
            if record.state == .running { record.state = .exited }
            record.supervisor = nil
            record.pid = nil
            record.exitCode = exitCode
            record.finishedAt = .now
        }
        ContainerLock.leave(exitCode: exitCode, in: lock)
        let settings = try? settings(of: container)
        if settings?.autoRemove == true { try? discard(container, settings, withVolumes: true) }
    }
}
