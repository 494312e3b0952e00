import ImageStore
import Linux
public import OCI

extension ContainerEngine {
    /// Sends a signal to a container's first process; `conflict` when it does not run.
    public func kill(_ id: String, signal: Int32 = Signals.kill) throws(RuntimeError) {
        let container = try container(matching: id)
        guard try send(signal, to: container) else {
            throw RuntimeError(.conflict, "cannot kill container \(container.name): it is not running")
        }
        if signal == Signals.kill { _ = try wait(container.id) }
    }

    /// Asks a container to end, kills it when it has not after `timeout` seconds, and returns when it is put away. One
    /// that does not run is no error.
    ///
    /// - Parameters:
    ///   - timeout: seconds; negative waits without end; nil for the image's, which is 10 where it says nothing.
    ///   - signal: nil for the container's stop signal.
    public func stop(_ id: String, timeout: Int? = nil, signal: Int32? = nil) throws(RuntimeError) {
        let container = try container(matching: id)
        guard container.state == .running else { return }
        let configuration = try settings(of: container).configuration
        var number = signal ?? Signals.terminate
        if signal == nil, let name = configuration.stopSignal, !name.isEmpty { number = try Signals.number(name) }
        guard let pid = container.pid, let process = try? Supervision.descriptor(of: pid) else {
            _ = try wait(container.id)
            return
        }
        guard try send(number, to: container) else { return }
        var poll = Poll()
        _ = poll.add(process.rawValue, .readable)
        let seconds = timeout ?? configuration.stopTimeout ?? 10
        let deadline = seconds < 0 ? nil : MonotonicClock.milliseconds + Int64(clamping: seconds) * 1000
        while true {
            let rest = deadline.map { max($0 - MonotonicClock.milliseconds, 0) }
            let ended = try attempting("wait for container \(container.name)") { () throws(Errno) in
                try poll.wait(milliseconds: rest.map { Int32(clamping: $0) })
            }
            if ended { break }
            if rest == 0 {
                _ = try send(Signals.kill, to: container)
                break
            }
        }
        _ = try wait(container.id)
        report(container.events("stop"))
    }

    /// Stops a container and starts it again in the background; see `stop`.
    public func restart(_ name: String, timeout: Int? = nil, signal: Int32? = nil) throws(RuntimeError) {
        let container = try container(matching: name)
        try stop(container.id, timeout: timeout, signal: signal)
        try startDetached(container.id)
        report(container.events("restart"))
    }

    /// Waits until a container does not run, and returns its exit code; 0 for one that never ran.
    public func wait(_ id: String) throws(RuntimeError) -> Int32 {
        let container = try container(matching: id)
        guard container.supervisor != nil, let lock = ContainerLock.open(store.containerPaths(container.id)) else {
            return container.exitCode ?? 0
        }
        let left = try ContainerLock.wait(lock)
        // Its own word is the record's; the lock's is for a container that was removed at its end.
        if let record = try? self.container(matching: container.id) { return record.exitCode ?? left ?? 0 }
        return left ?? 0
    }

    /// Sends a signal to the process of a container; false when there is none.
    private func send(_ signal: Int32, to container: ContainerRecord) throws(RuntimeError) -> Bool {
        guard container.state == .running, let pid = container.pid,
            let process = try? Supervision.descriptor(of: pid)
        else { return false }
        // Read again after the descriptor was taken: had the process ended before, its number could be another's.
        let again = try fromStore { () throws(StoreError) in try store.container(matching: container.id) }
        guard again.pid == pid, again.state == .running else { return false }
        do throws(Errno) {
            try Supervision.signal(signal, to: process)
            report(again.events("kill", ["signal": String(signal)]))
            return true
        } catch {
            if error == .ESRCH { return false }
            throw RuntimeError("signal container \(container.name)", error)
        }
    }
}
