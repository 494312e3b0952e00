import Linux
import TestSupport

/// Plays scripts, and makes those that fail shorter.
struct Replay {
    var subject = MountedUnion.Server.strata

    /// Makes the layers of a script and plays its operations one after the other. Returns the first difference.
    func play(_ script: Script) throws -> String? { try play(script, .others) }

    private func play(
        _ script: Script, _ depth: Depth, noting note: (Operation, Outcome) -> Void = { _, _ in }
    ) throws -> String? {
        try Fuzzer.withMask {
            try LayerBuilder.with { builder in
                for layer in script.layers {
                    // What a mount writes needs something to lie on.
                    if layer.maker == .hand || layer.maker == .elsewhere || builder.lower.isEmpty {
                        try builder.add(layer.operations, elsewhere: layer.maker == .elsewhere)
                    } else {
                        _ = try builder.add(by: layer.maker) { player in
                            for operation in layer.operations { _ = player.play(operation) }
                        }
                    }
                }
                return try Fuzzer.withMounts(subject, builder.lower) { oracle, tested in
                    try play(script.operations, oracle, tested, depth, note)
                }
            }
        }
    }

    /// How much of a difference it is: what a program sees at once, what it sees after a new mount, what others see.
    private enum Depth: Int { case now, mount, others }

    private static func depth(_ divergence: String) -> Depth {
        func contains(_ words: String...) -> Bool { words.contains { divergence.contains($0) } }
        if contains("read by the kernel", "read here", "a lower layer was") { return .others }
        return contains("after a crash", "after a new mount", "with a new mount") ? .mount : .now
    }

    private func play(
        _ operations: [Operation], _ oracle: MountedUnion, _ tested: MountedUnion, _ depth: Depth,
        _ note: (Operation, Outcome) -> Void
    ) throws -> String? {
        let comparison = TreeComparison(oracle: oracle, tested: tested)
        let before = try tested.lower.map { try TreeSnapshot(of: $0, changeTimes: true) }
        for part in operations.split(omittingEmptySubsequences: false, whereSeparator: \.isRemount) {
            let divergence = try Pair.with(oracle, tested) { pair -> String? in
                for operation in part {
                    let step = pair.play(operation)
                    if let divergence = step.divergence { return divergence }
                    note(operation, step.outcome)
                }
                return nil
            }
            if let divergence { return divergence }
            // The operation that ended this part is the one behind it.
            let end = part.endIndex
            let isLast = end == operations.endIndex
            if isLast && depth == .now {
                if let divergence = comparison.difference("now", try comparison.views()) { return divergence }
            } else if let divergence = try comparison.overNewMount(
                crashing: !isLast && operations[end].verb == .crash)
            {
                return divergence
            }
        }
        if let divergence = depth == .others ? try comparison.readByTheOther() : nil { return divergence }
        return try Fuzzer.changes(of: tested.lower, since: before)
    }

    /// The shortest script found within a time that still ends in a difference, and that difference; nil where the script
    /// does not fail when its operations are played one after the other.
    func shrink(_ script: Script, seconds: Int64 = 60) throws -> (script: Script, divergence: String)? {
        var outcomes: [Outcome] = []
        guard let first = try play(script, .others, noting: { outcomes.append($1) }) else { return nil }
        let depth = Self.depth(first)
        var best = (script: script, divergence: first)
        func accept(_ shorter: Script) -> Bool {
            // Another kind of difference is not to stand in for this one.
            guard let divergence = try? play(shorter, depth), Self.depth(divergence) == depth else { return false }
            best = (shorter, divergence)
            return true
        }
        // What had no effect, at once: most often that can go.
        var effective = script
        var played = outcomes.makeIterator()
        effective.operations = script.operations.filter { operation in
            if operation.isRemount { return true }
            guard let outcome = played.next() else { return true }
            return outcome.error == 0 && !operation.isLook
        }
        _ = accept(effective)
        let deadline = MonotonicClock.milliseconds + seconds * 1000
        var chunk = max(1, best.script.lines.count / 2)
        while MonotonicClock.milliseconds < deadline {
            var end = best.script.lines.count
            var progress = false
            // From the end: what comes late has more often to do with the difference, and what it needs goes with it.
            while end > 0 && MonotonicClock.milliseconds < deadline {
                let start = max(0, end - chunk)
                var shorter = best.script.lines
                let removed = shorter[start..<end]
                shorter.removeSubrange(start..<end)
                if removed.contains(.run) { shorter.insert(.run, at: start) }
                if shorter.count < best.script.lines.count && accept(Script(shorter)) { progress = true }
                end = start
            }
            if chunk > 1 { chunk /= 2 } else if !progress { break }
        }
        return best
    }
}
