import Linux
public import OCI

extension UnionMount {
    /// What becomes of a mount that is still in use after about a second.
    public enum InUse: Sendable {
        /// It is taken out of the tree, and its last user is waited for.
        case awaited
        /// It is taken out of the tree, and ends with its last user, whenever that is.
        case detached
        /// It stays as it is.
        case refused
    }

    /// Whether the server is the process that it was.
    var serverIsAlive: Bool {
        guard let start = ProcessTable.startTime(of: serverPID) else { return false }
        return serverStart == nil || start == serverStart
    }

    /// Unmounts, and waits until the server has gone, so that all that was written is in the upper directory.
    ///
    /// A place that is not mounted any more is no error, and what others mounted there stays. Copies of the mount in
    /// the mount namespaces of others, who made theirs while this was mounted, do not keep it: nobody here uses it any more,
    /// and the server is told to end.
    ///
    /// - Parameters:
    ///   - inUse: what becomes of it when somebody works in it.
    ///   - serverTimeout: how long to wait for the server, in milliseconds.
    /// - Throws: `busy` when the mount is out of the tree and somebody still uses it, when it stays because somebody does,
    ///   and when something else is mounted over it.
    public func unmount(inUse: InUse = .awaited, serverTimeout: Int64 = 10_000) throws(RuntimeError) {
        // Taken first: afterwards the number may be somebody else's.
        let server = serverIsAlive ? (try? Supervision.descriptor(of: serverPID)) : nil
        let isServed = server != nil
        let mount = OwnMount(mountPoint: mountPoint, identity: identity, isServed: isServed, isSought: isServed)
        let isInUse = try mount.unmount(staysInUse: inUse == .refused) == .inUse
        if isInUse, inUse == .detached { return }
        guard let server else {
            Supervision.reap(serverPID)
            return
        }
        let deadline = MonotonicClock.milliseconds + serverTimeout
        if !isInUse && !Self.hasEnded(server, by: MonotonicClock.milliseconds + 300) {
            try? Supervision.signal(Signals.terminate, to: server)
        }
        if !Self.hasEnded(server, by: deadline) {
            throw RuntimeError(
                .busy, "the mount at \(mountPoint) is still in use and ends when its last user does",
                remedy: "end the processes that have files open in it")
        }
        // Ours to bury if it was our child; harmless if not.
        Supervision.reap(serverPID)
    }

    /// Waits for the end of a process until a point of `MonotonicClock`.
    private static func hasEnded(_ process: borrowing FileDescriptor, by deadline: Int64) -> Bool {
        while true {
            var poll = Poll()
            _ = poll.add(process.rawValue, .readable)
            let rest = deadline - MonotonicClock.milliseconds
            if (try? poll.wait(milliseconds: Int32(clamping: max(rest, 0)))) == true { return true }
            if rest <= 0 { return false }
        }
    }

    /// Takes away what a server left that was killed before anybody knew its mount: only a union, which was not there before,
    /// and which nobody serves.
    func clearAway(notMount before: MountIdentity) {
        guard let place = try? MountPlace(mountPoint), let now = try? place.identity(), now != before,
            MountTable.current().entries.contains(where: {
                $0.mountPoint == mountPoint && $0.device == now.device && OwnMount.Kind.union.hasType($0.type)
            })
        else { return }
        do throws(Errno) {
            try FileDescriptor.open(mountPoint, .directory).forEachEntry { _ in false }
        } catch {
            if error == .ENOTCONN { try? place.detach(now) }
        }
    }
}
