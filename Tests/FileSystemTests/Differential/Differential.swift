import Glibc
import Linux

/// Runs the same operations on the kernel's overlay and on a subject over the same layers, and tells the first
/// difference.
struct Differential {
    let seed: UInt64
    let subject: MountedUnion.Server

    /// How a run ended.
    struct Run {
        /// What was played, the operation at which the two parted last.
        var played: [Operation]
        /// What each of them did on the kernel's overlay.
        var outcomes: [Outcome] = []
        /// Nil where they agreed to the end.
        var divergence: String?
        /// Whether there may be more to play, after a new mount.
        var isInterrupted = false

        /// One line for each operation.
        var log: String { zip(played, outcomes).map { "\($0): \($1)" }.joined(separator: "\n") }
    }

    /// Plays random operations, `count` of them unless a difference shows earlier.
    func explore(count: Int) throws -> Run {
        var generator = OperationGenerator(seed: seed)
        return try run { index, oracle in index < count ? try generator.next(in: oracle) : nil }
    }

    /// Plays a list.
    func replay(_ operations: [Operation]) throws -> Run {
        try run { index, _ in index < operations.count ? operations[index] : nil }
    }

    /// The shortest list found, within a budget of replays, that still ends in a difference.
    func shrink(_ failed: Run, replays: Int = 250) throws -> Run {
        var best = failed
        var budget = replays
        var chunk = max(1, best.played.count / 2)
        while chunk >= 1 && budget > 0 {
            var start = 0
            var progress = false
            while start < best.played.count && budget > 0 {
                var shorter = best.played
                shorter.removeSubrange(start..<min(start + chunk, shorter.count))
                budget -= 1
                let attempt = try replay(shorter)
                if attempt.divergence != nil {
                    best = attempt
                    progress = true
                } else {
                    start += chunk
                }
            }
            if !progress || chunk > 1 { chunk = chunk == 1 ? 0 : chunk / 2 }
        }
        return best
    }

    private func run(_ next: (Int, Area) throws -> Operation?) throws -> Run {
        try withUnion(.kernel, layers: LayerGenerator.layers(seed: seed)) { oracle in
            try withUnion(subject, layers: LayerGenerator.layers(seed: seed)) { tested in
                let lower = try tested.lower.map { try TreeSnapshot(of: $0, changeTimes: true) }
                let comparison = TreeComparison(oracle: oracle, tested: tested)
                var run = Run(played: [], divergence: nil)
                repeat {
                    try play(oracle, tested, next, continuing: &run)
                    if run.divergence == nil { run.divergence = try comparison.overNewMount() }
                } while run.divergence == nil && run.isInterrupted
                if run.divergence == nil { run.divergence = try comparison.readByKernel() }
                for (path, before) in zip(tested.lower, lower) {
                    let changes = before.differences(to: try TreeSnapshot(of: path, changeTimes: true))
                    if !changes.isEmpty { run.divergence = "lower layer was written to: \(changes)" }
                }
                return run
            }
        }
    }

    /// Plays until there is nothing more to play, a difference, or a new mount is asked for.
    private func play(
        _ oracle: MountedUnion, _ tested: MountedUnion, _ next: (Int, Area) throws -> Operation?,
        continuing run: inout Run
    ) throws {
        run.isInterrupted = false
        try Area.with(oracle.target) { oracleArea in
            try Area.with(tested.target) { testedArea in
                let (right, left) = (Player(oracleArea), Player(testedArea))
                defer {
                    right.finish()
                    left.finish()
                }
                while let operation = try next(run.played.count, oracleArea) {
                    let (wanted, got) = (right.play(operation), left.play(operation))
                    run.played.append(operation)
                    run.outcomes.append(wanted)
                    if wanted != got && !AllowedDeviation.covers(operation, oracle: wanted, subject: got) {
                        run.divergence = "\(operation): \(got); on the kernel's overlay \(wanted)"
                        return
                    }
                    if case .remount = operation {
                        run.isInterrupted = true
                        return
                    }
                }
            }
        }
    }
}

/// Where the subject may differ from the kernel's overlay: kept short, each with its reason.
enum AllowedDeviation {
    static func covers(_ operation: Operation, oracle: Outcome, subject: Outcome) -> Bool {
        switch operation {
        case .rename:
            // The kernel gives up where it cannot write down the origin of a directory; we never do.
            return oracle.error == EXDEV && subject.error == 0
        default:
            return false
        }
    }
}
