import Dispatch
import Linux
import Runtime
import Synchronization

/// Where the stages of a build have got to. Each has a thread; whoever needs the result of another waits here.
///
/// Stages are started in the order of the plan, where each is behind those that it needs, and wait only for earlier
/// ones: the first that is not done waits for nobody, so there is always one that goes on.
final class StageBoard: Sendable {
    /// As many stages have a thread at the same time, those included that wait for others.
    private static let threads = 64

    private let order: [Int]
    /// How many stages may work at the same time; those that wait do not count.
    private let slots: DispatchSemaphore
    private let places: DispatchSemaphore
    private let groups: [Int: DispatchGroup]
    private let outcomes = Mutex<[Int: Result<StageState, BuildError>]>([:])
    private let stop: Cancellation
    private let isEnding = Atomic(false)

    /// - Parameters:
    ///   - order: the numbers of the stages, each behind those that it needs.
    ///   - width: how many may work at the same time.
    ///   - stop: fires when a stage has failed, for the others to end.
    init(_ order: [Int], width: Int, stop: Cancellation) {
        self.order = order
        self.stop = stop
        slots = DispatchSemaphore(value: max(1, width))
        places = DispatchSemaphore(value: Self.threads)
        var groups: [Int: DispatchGroup] = [:]
        for index in order {
            groups[index] = DispatchGroup()
            groups[index]?.enter()
        }
        self.groups = groups
    }

    /// Carries all stages out and returns when all have ended.
    ///
    /// - Throws: the error of the first failed stage in order of the Dockerfile. Stages that ended only because another
    ///   had failed do not count.
    func carryOut(_ build: @escaping @Sendable (Int) throws(BuildError) -> StageState) throws(BuildError) {
        if order.count == 1 {
            for index in order { finish(index, Result { () throws(BuildError) in try build(index) }) }
        } else {
            var threads: [PrivateThread.Companion] = []
            for index in order {
                places.wait()
                threads.append(
                    PrivateThread.start { [self] in
                        slots.wait()
                        finish(index, Result { () throws(BuildError) in try build(index) })
                        slots.signal()
                        places.signal()
                    })
            }
            for thread in threads { thread.join() }
        }
        let errors = outcomes.withLock { outcomes in
            outcomes.sorted { $0.key < $1.key }.compactMap { _, outcome -> BuildError? in
                if case .failure(let error) = outcome { error } else { nil }
            }
        }
        if let error = errors.first(where: { $0.code != .cancelled }) ?? errors.first { throw error }
    }

    private func finish(_ index: Int, _ outcome: Result<StageState, BuildError>) {
        let isFirst = outcomes.withLock { outcomes in
            defer { outcomes[index] = outcome }
            return outcomes[index] == nil
        }
        if case .failure = outcome { stop.cancel() }
        if isFirst { groups[index]?.leave() }
    }

    /// Ends all other stages because one has failed, and waits for their end. False where another has done so before.
    func endOthers(for index: Int, _ error: BuildError) -> Bool {
        guard isEnding.exchange(true, ordering: .relaxed) == false else { return false }
        // Those that wait for this one end as well.
        finish(index, .failure(error))
        // Those that were not started yet need its place.
        slots.signal()
        for group in groups.values { group.wait() }
        slots.wait()
        return true
    }

    /// Waits until a stage is done; others may work meanwhile.
    ///
    /// - Parameter user: the stage that waits.
    /// - Throws: `cancelled` where the other has failed, `dockerfile` for a stage that is not built before `user`.
    func wait(for index: Int, in user: Int) throws(BuildError) {
        guard let group = groups[index], let own = order.firstIndex(of: user), order[..<own].contains(index) else {
            throw BuildError(.dockerfile, "the stage \(index) is not built before this one")
        }
        if group.wait(timeout: .now()) == .timedOut {
            slots.signal()
            group.wait()
            slots.wait()
        }
        if case .failure = outcomes.withLock({ $0[index] }) {
            throw BuildError(.cancelled, "a stage that this one needs has failed")
        }
    }

    /// The result of a stage that is done.
    func state(of index: Int) -> StageState? {
        guard case .success(let state) = outcomes.withLock({ $0[index] }) else { return nil }
        return state
    }

    /// The results of all stages that are done.
    var states: [Int: StageState] { outcomes.withLock { $0.compactMapValues { try? $0.get() } } }

    /// Forgets the results, and what they keep.
    func clear() { outcomes.withLock { $0 = [:] } }
}
