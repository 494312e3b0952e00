import CLinux
import Glibc
import Linux
import TestSupport

/// Thinks up operations on random layers and plays them on the kernel's overlay and on a subject.
///
/// A run is a row of rounds. In each, first several threads work at once, each in a directory of its own, so that what
/// they do is the same in any order; then one works in the whole tree; then the trees are compared, and sometimes
/// mounted anew. The same seed gives the same run.
final class Fuzzer {
    struct Settings: Sendable {
        var seed: UInt64
        var operations: Int
        /// Most lower layers of a run.
        var layers = 20
        /// Whether the server is killed between rounds.
        var crashes = false
        var subject = MountedUnion.Server.strata
    }

    /// How a run ended.
    struct Report {
        /// What was played.
        var script: Script
        var operationCount: Int
        /// Nil where they agreed to the end.
        var divergence: String?
    }

    /// What the mounts have for options besides their directories.
    static func options(_ server: MountedUnion.Server) -> [String] {
        server == .kernel ? ["metacopy=on"] : []
    }

    let settings: Settings
    private var dice: Randomness
    private var script = Script()
    private var model = NameModel()
    private let laneCount: Int
    private var played = 0
    /// Told how many operations have been played.
    private let progress: (Int) -> Void

    init(_ settings: Settings, progress: @escaping (Int) -> Void = { _ in }) {
        self.settings = settings
        self.progress = progress
        dice = Randomness(seed: settings.seed)
        laneCount = dice.pick([1, 3, 4, 8]) ?? 1
    }

    /// Plays until a difference shows or enough has been played.
    func explore() throws -> Report {
        try Self.withMask {
            try LayerBuilder.with { builder in
                try self.makeLayers(&builder)
                let lower = builder.lower
                return try Self.withMounts(self.settings.subject, lower) { oracle, tested in
                    let divergence = try self.playRounds(oracle, tested)
                    return Report(script: self.script, operationCount: self.played, divergence: divergence)
                }
            }
        }
    }

    // MARK: Layers

    private func makeLayers(_ builder: inout LayerBuilder) throws {
        let hasOther = dice.chance(30)
        var generator = LayerGenerator(
            seed: settings.seed, lanes: laneCount == 1 ? [] : Array(OperationGenerator.lanes.prefix(laneCount)))
        let count = max(1, dice.chance(50) ? 1 + dice.below(4) : 1 + dice.below(settings.layers))
        for index in 0..<count {
            if index > 0 && dice.chance(30) {
                let maker: Script.Maker = dice.chance(50) ? .kernel : .strata
                var layer = Script.Layer(maker: maker)
                var generator = OperationGenerator(seed: dice.next(), isAlone: laneCount == 1)
                let snapshot = try builder.add(by: maker) { player in
                    for _ in 0..<30 {
                        let operation = generator.next(model)
                        layer.operations.append(operation)
                        if player.play(operation).error == 0 { model.apply(operation) }
                    }
                }
                model = NameModel(snapshot)
                script.layers.append(layer)
            } else {
                let operations = generator.next(over: model, steps: index == 0 ? 30 + dice.below(60) : dice.below(40))
                let isElsewhere = hasOther && dice.chance(40)
                script.layers.append(Script.Layer(maker: isElsewhere ? .elsewhere : .hand, operations: operations))
                try builder.add(operations, elsewhere: isElsewhere)
                model = generator.merged
            }
        }
    }

    // MARK: Rounds

    private func playRounds(_ oracle: MountedUnion, _ tested: MountedUnion) throws -> String? {
        let comparison = TreeComparison(oracle: oracle, tested: tested)
        let before = try tested.lower.map { try TreeSnapshot(of: $0, changeTimes: true) }
        var round = 0
        model = NameModel(try comparison.views().oracle)
        while played < settings.operations {
            if let divergence = try playTogether(oracle, tested) ?? playAlone(oracle, tested) { return divergence }
            progress(played)
            round += 1
            var views = try comparison.views()
            if let divergence = comparison.difference("now", views) { return divergence }
            if round % 4 == 0 {
                let isCrash = settings.crashes && dice.chance(50)
                script.operations.append(Operation(isCrash ? .crash : .remount))
                if let divergence = try comparison.overNewMount(views, crashing: isCrash) { return divergence }
                if isCrash, let divergence = try storm(oracle, tested, comparison) { return divergence }
                if isCrash { views = try comparison.views() }
                if round % 16 == 0, let divergence = try comparison.readByTheOther() { return divergence }
            }
            model = NameModel(views.oracle)
        }
        if let divergence = try comparison.overNewMount() ?? comparison.readByTheOther() { return divergence }
        return try Self.changes(of: tested.lower, since: before)
    }

    /// The threads' part of a round.
    private func playTogether(_ oracle: MountedUnion, _ tested: MountedUnion) throws -> String? {
        if laneCount == 1 { return nil }
        let lanes = (0..<laneCount).map { number in
            let base = OperationGenerator.lanes[number]
            return Lane(
                generator: OperationGenerator(
                    seed: dice.next(), base: base, firstSlot: number * OperationGenerator.slotCount, isAlone: false,
                    crowd: 160 / laneCount), model: model.part(below: base), oracle: oracle, tested: tested)
        }
        let threads = lanes.map { lane in PrivateThread.start { lane.play(count: 60) } }
        for thread in threads { thread.join() }
        for lane in lanes {
            played += lane.played.count
            if let failure = lane.failure { throw failure }
            if lane.divergence != nil { continue }
            script.operations += lane.played + [Operation(.closeall)]
        }
        // What led to the first difference comes last; what others did at the same time has no part in it.
        if let lane = lanes.first(where: { $0.divergence != nil }) {
            script.operations += lane.played
            return lane.divergence
        }
        model = NameModel(
            joining: lanes.map(\.model) + [model.part(outside: Array(OperationGenerator.lanes.prefix(laneCount)))])
        return nil
    }

    /// The server dies while threads are at work.
    private func storm(
        _ oracle: MountedUnion, _ tested: MountedUnion, _ comparison: TreeComparison
    ) throws -> String? {
        if tested.server != .strata { return nil }
        let model = NameModel(try comparison.views().oracle)
        let bases = laneCount == 1 ? [""] : Array(OperationGenerator.lanes.prefix(laneCount))
        let storm = Storm(
            bases.map { base in
                (
                    OperationGenerator(seed: dice.next(), base: base, isAlone: false, crowd: 160 / laneCount),
                    base.isEmpty ? model : model.part(below: base)
                )
            }, oracle, tested)
        let divergence = try storm.play(milliseconds: Int64(5 + dice.below(40)))
        played += storm.operations.count
        script.operations += storm.operations + [Operation(.crash)]
        return divergence
    }

    /// The part of a round in the whole tree.
    private func playAlone(_ oracle: MountedUnion, _ tested: MountedUnion) throws -> String? {
        let generator = OperationGenerator(seed: dice.next(), isAlone: laneCount == 1, crowd: 160)
        let lane = Lane(generator: generator, model: model, oracle: oracle, tested: tested)
        lane.play(count: laneCount == 1 ? 250 : 60)
        played += lane.played.count
        if let failure = lane.failure { throw failure }
        script.operations += lane.played
        if lane.divergence == nil { script.operations.append(Operation(.closeall)) }
        return lane.divergence
    }

    // MARK: Common

    /// Both unions over the same layers: the lower directories are for reading, so one copy of them serves both.
    static func withMounts<Result>(
        _ subject: MountedUnion.Server, _ lower: [String], _ body: (MountedUnion, MountedUnion) throws -> Result
    ) throws -> Result {
        try withUnion(.kernel, options: options(.kernel), below: lower) { oracle in
            try withUnion(subject, options: options(subject), below: lower) { tested in try body(oracle, tested) }
        }
    }

    /// What has changed in lower layers, which nothing may.
    static func changes(of lower: [String], since before: [TreeSnapshot]) throws -> String? {
        for (path, old) in zip(lower, before) {
            let changes = old.differences(to: try TreeSnapshot(of: path, changeTimes: true))
            if !changes.isEmpty { return "a lower layer was written to: \(changes)" }
        }
        return nil
    }

    /// Calls `body` with the umask of all runs, of this thread alone.
    static func withMask<Result>(_ body: () throws -> Result) throws -> Result {
        try FileSystemTests.withMask(0o027, body)
    }
}

/// One thread of a run: an operation after the other, on both mounts.
private final class Lane: @unchecked Sendable {
    private var generator: OperationGenerator
    private(set) var model: NameModel
    private let oracle: MountedUnion
    private let tested: MountedUnion
    private(set) var played: [Operation] = []
    private(set) var divergence: String?
    /// What kept the thread from playing at all.
    private(set) var failure: (any Error)?

    init(generator: OperationGenerator, model: NameModel, oracle: MountedUnion, tested: MountedUnion) {
        self.generator = generator
        self.model = model
        self.oracle = oracle
        self.tested = tested
    }

    /// Plays until there is a difference, or enough.
    func play(count: Int) {
        do {
            try Fuzzer.withMask {
                try Pair.with(oracle, tested) { pair in
                    while played.count < count && divergence == nil {
                        let operation = generator.next(model)
                        let step = pair.play(operation)
                        played.append(operation)
                        divergence = step.divergence
                        if step.outcome.error == 0 { model.apply(operation) }
                    }
                }
            }
        } catch {
            failure = error
        }
    }
}
