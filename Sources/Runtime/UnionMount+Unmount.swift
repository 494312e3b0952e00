import Linux

extension UnionMount {
    /// Whether the server is the process that it was.
    var serverIsAlive: Bool {
        guard let start = ProcessTable.startTime(of: serverPID) else { return false }
        return serverStart == nil || start == serverStart
    }

    /// Unmounts, and waits until the server has gone, so that all that was written is in the upper directory.
    ///
    /// A mount in use is waited for, about a second; after that it is taken out of the tree and ends with its last
    /// user. A place that is not mounted any more is no error. Copies of the mount in the mount namespaces of others, who
    /// made theirs while this was mounted, do not keep it: nobody here uses it any more, and the server is told to end.
    ///
    /// - Parameter serverTimeout: how long to wait for the server, in milliseconds.
    /// - Throws: `busy` when the mount is out of the tree and somebody still uses it.
    public func unmount(serverTimeout: Int64 = 10_000) throws(RuntimeError) {
        // Taken first: afterwards the number may be somebody else's.
        let server = serverIsAlive ? (try? Supervision.descriptor(of: serverPID)) : nil
        let isInUse = try Self.unmount(mountPoint) == .inUse
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

    /// What was found when something was unmounted.
    enum Outcome {
        case done
        /// Nothing was mounted.
        case nothing
        /// Somebody has files open in it, or works in it: it is out of the tree.
        case inUse
    }

    /// Takes whatever is mounted at a path out of the tree.
    @discardableResult
    static func unmount(_ mountPoint: String) throws(RuntimeError) -> Outcome {
        for attempt in 0..<40 {
            do throws(Errno) {
                try Mount.unmount(mountPoint)
                return .done
            } catch {
                switch error {
                case .EINVAL, .ENOENT: return .nothing
                case .EBUSY: MonotonicClock.sleep(milliseconds: attempt < 10 ? 2 : 30)
                default: throw RuntimeError("unmount \(mountPoint)", error)
                }
            }
        }
        do throws(Errno) {
            try Mount.unmount(mountPoint, flags: [.detach, .noFollow])
        } catch {
            if error != .EINVAL && error != .ENOENT { throw RuntimeError("unmount \(mountPoint)", error) }
        }
        return .inUse
    }
}
