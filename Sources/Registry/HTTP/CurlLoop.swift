import CCurl
import Linux
import OCI
import Synchronization

/// Carries requests with libcurl: one thread for all of them, which begins with the first and keeps connections for further
/// ones.
final class CurlLoop: Sendable {
    /// A pointer that is given from one thread to another as a whole.
    private struct Handle: @unchecked Sendable {
        let raw: OpaquePointer
    }

    /// What other threads want of the one that carries.
    private struct Inbox {
        /// There while the thread runs.
        var handle: Handle?
        var started: [HTTPTransfer] = []
        var touched: [HTTPTransfer] = []
        var isAwake = false
        var isStopping = false
        var stopWaiters: [CheckedContinuation<Void, Never>] = []

        /// Has the thread look in here.
        mutating func wake() {
            guard let handle, !isAwake else { return }
            isAwake = true
            ccurl_loop_wake(handle.raw)
        }
    }

    private let inbox = Mutex(Inbox())
    /// How long the thread sleeps at most, in milliseconds: it looks for silent connections in between.
    private static let interval: Int64 = 500

    // MARK: From any thread

    /// Begins a transfer; it hears of the end in every case.
    func start(_ transfer: HTTPTransfer) {
        let failure: TransportError?
        do throws(TransportError) {
            try CurlLibrary.load()
            failure = inbox.withLock { inbox in
                if inbox.isStopping { return TransportError(kind: .request, text: "cancelled") }
                if inbox.handle == nil, !begin(&inbox) {
                    return TransportError(kind: .request, text: "there is no memory for a further thread")
                }
                inbox.started.append(transfer)
                inbox.wake()
                return nil
            }
        } catch {
            failure = error
        }
        if let failure { transfer.finish(.failure(failure)) }
    }

    /// Something about a transfer has changed: there is room, or something to send, or nobody waits any more.
    func touch(_ transfer: HTTPTransfer) {
        inbox.withLock { inbox in
            guard inbox.handle != nil else { return }
            inbox.touched.append(transfer)
            inbox.wake()
        }
    }

    /// Ends everything, soon.
    func stop() {
        inbox.withLock { inbox in
            inbox.isStopping = true
            inbox.wake()
        }
    }

    /// Ends everything and waits until that is done.
    func shutDown() async {
        stop()
        await withCheckedContinuation { continuation in
            let isDone = inbox.withLock { inbox in
                if inbox.handle == nil { return true }
                inbox.stopWaiters.append(continuation)
                return false
            }
            if isDone { continuation.resume() }
        }
    }

    private func begin(_ inbox: inout Inbox) -> Bool {
        guard let raw = ccurl_loop_new() else { return false }
        let handle = Handle(raw: raw)
        guard PrivateThread.detach({ self.run(handle.raw) }) else {
            ccurl_loop_free(raw)
            return false
        }
        inbox.handle = handle
        return true
    }

    // MARK: On the thread

    private func run(_ loop: OpaquePointer) {
        ccurl_loop_begin()
        var active: [ObjectIdentifier: CurlHandle] = [:]
        var lastLook = MonotonicClock.milliseconds
        while true {
            let (started, touched, isStopping) = inbox.withLock { inbox in
                defer { (inbox.started, inbox.touched, inbox.isAwake) = ([], [], false) }
                return (inbox.started, inbox.touched, inbox.isStopping)
            }
            for transfer in started { enter(transfer, loop, &active) }
            if isStopping { break }
            for transfer in touched {
                guard let handle = active[ObjectIdentifier(transfer)] else { continue }
                if transfer.isOver { leave(handle, loop, &active) } else { handle.resume() }
            }
            guard ccurl_loop_perform(loop) == 0 else { break }
            finish(loop, &active)
            let now = MonotonicClock.milliseconds
            if now - lastLook >= CurlLoop.interval {
                lastLook = now
                endSilent(at: now, loop, &active)
            }
            for handle in active.values where handle.transfer.flush() { handle.resume() }
            guard ccurl_loop_wait(loop, Int32(clamping: CurlLoop.interval)) == 0 else { break }
        }
        end(loop, &active)
    }

    private func enter(
        _ transfer: HTTPTransfer, _ loop: OpaquePointer, _ active: inout [ObjectIdentifier: CurlHandle]
    ) {
        if transfer.isOver { return }
        guard let handle = CurlHandle(transfer) else {
            transfer.finish(.failure(TransportError(kind: .request, text: "there is no memory for it")))
            transfer.flush()
            return
        }
        if let failure = handle.enter(loop) {
            transfer.finish(.failure(failure))
            transfer.flush()
            return
        }
        active[ObjectIdentifier(transfer)] = handle
        if case .stream(let channel, _) = transfer.request.body {
            channel.whenFilled { [weak self, weak transfer] in
                if let transfer { self?.touch(transfer) }
            }
        }
    }

    private func leave(_ handle: CurlHandle, _ loop: OpaquePointer, _ active: inout [ObjectIdentifier: CurlHandle]) {
        active[ObjectIdentifier(handle.transfer)] = nil
        handle.leave(loop)
        handle.transfer.flush()
    }

    /// Tells the transfers that libcurl is through with.
    private func finish(_ loop: OpaquePointer, _ active: inout [ObjectIdentifier: CurlHandle]) {
        var outcome = ccurl_outcome()
        while let context = ccurl_loop_finished(loop, &outcome) {
            let handle = Unmanaged<CurlHandle>.fromOpaque(context).takeUnretainedValue()
            if outcome.failure == CCURL_NONE {
                handle.transfer.finish(.success(()))
            } else {
                handle.transfer.finish(
                    .failure(handle.failure ?? TransportError(outcome, address: handle.transfer.request.url)))
            }
            leave(handle, loop, &active)
        }
        // What failed while it was resumed does not get so far.
        for handle in active.values {
            guard let failure = handle.failure else { continue }
            handle.transfer.finish(.failure(failure))
            leave(handle, loop, &active)
        }
    }

    private func endSilent(at now: Int64, _ loop: OpaquePointer, _ active: inout [ObjectIdentifier: CurlHandle]) {
        for handle in active.values where handle.isSilent(at: now) {
            handle.transfer.finish(.failure(TransportError(kind: .lost, text: "the other side fell silent")))
            leave(handle, loop, &active)
        }
    }

    private func end(_ loop: OpaquePointer, _ active: inout [ObjectIdentifier: CurlHandle]) {
        let (started, waiters) = inbox.withLock { inbox in
            inbox.isStopping = true
            inbox.handle = nil
            defer { (inbox.started, inbox.touched, inbox.stopWaiters) = ([], [], []) }
            return (inbox.started, inbox.stopWaiters)
        }
        for transfer in started + active.values.map(\.transfer) {
            transfer.finish(.failure(TransportError(kind: .request, text: "cancelled")))
        }
        for handle in active.values { leave(handle, loop, &active) }
        for transfer in started { transfer.flush() }
        ccurl_loop_free(loop)
        for waiter in waiters { waiter.resume() }
    }
}

/// The library that carries requests.
enum CurlLibrary {
    private static let problem: String? = {
        CryptoLibrary.prepare()
        return ccurl_load().map { String(cString: $0) }
    }()

    /// Loads it at the first call.
    static func load() throws(TransportError) {
        guard let problem else { return }
        throw TransportError(
            kind: .request, text: "libcurl cannot be loaded (\(problem)); install the package libcurl4")
    }
}
