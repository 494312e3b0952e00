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
                var run = try play(oracle, tested, next)
                if run.divergence == nil { run.divergence = try compare(oracle, tested, lower: lower) }
                return run
            }
        }
    }

    private func play(
        _ oracle: MountedUnion, _ tested: MountedUnion, _ next: (Int, Area) throws -> Operation?
    ) throws -> Run {
        try Area.with(oracle.target) { oracleArea in
            try Area.with(tested.target) { testedArea in
                let (right, left) = (Player(oracleArea), Player(testedArea))
                defer {
                    right.finish()
                    left.finish()
                }
                var run = Run(played: [], divergence: nil)
                while let operation = try next(run.played.count, oracleArea) {
                    let (wanted, got) = (right.play(operation), left.play(operation))
                    run.played.append(operation)
                    run.outcomes.append(wanted)
                    if wanted != got && !AllowedDeviation.covers(operation, oracle: wanted, subject: got) {
                        run.divergence = "\(operation): \(got); on the kernel's overlay \(wanted)"
                        break
                    }
                }
                return run
            }
        }
    }

    /// The trees in full, at the end and after a new mount.
    private func compare(_ oracle: MountedUnion, _ tested: MountedUnion, lower: [TreeSnapshot]) throws -> String? {
        let first = try TreeSnapshot(of: tested.target, recent: Player.recent)
        if let text = difference("at the end", try TreeSnapshot(of: oracle.target, recent: Player.recent), first) {
            return text
        }
        try oracle.remount()
        try tested.remount()
        let second = try TreeSnapshot(of: tested.target, recent: Player.recent)
        if let text = difference(
            "after a new mount", try TreeSnapshot(of: oracle.target, recent: Player.recent), second)
        {
            return text
        }
        if subject == .strata, let change = second.changedInodes(since: first).first {
            return "inode numbers changed with a new mount: \(change)"
        }
        for (path, before) in zip(tested.lower, lower) {
            let changes = before.differences(to: try TreeSnapshot(of: path, changeTimes: true))
            if !changes.isEmpty { return "lower layer \(path) was written to: \(changes.joined(separator: "; "))" }
        }
        return nil
    }

    private func difference(_ when: String, _ oracle: TreeSnapshot, _ tested: TreeSnapshot) -> String? {
        let lines = tested.differences(to: oracle) + (subject == .strata ? tested.directoryFaults : [])
        return lines.isEmpty ? nil : "\(when), here != on the kernel's overlay: " + lines.joined(separator: "; ")
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
