import Glibc
import Linux

/// Plays each operation on the kernel's overlay and on the subject, and compares what they did and what they left.
struct Pair {
    private let oracle: Player
    private let tested: Player
    /// Whether the subject's inode numbers must stay.
    private let followsInodes: Bool

    /// Calls `body` with a pair of players; nothing of them is open afterwards.
    static func with<Result>(_ oracle: MountedUnion, _ tested: MountedUnion, _ body: (Pair) throws -> Result) throws
        -> Result
    {
        try Area.with(oracle.target) { oracleArea in
            try Area.with(tested.target) { testedArea in
                let pair = Pair(
                    oracle: Player(oracleArea), tested: Player(testedArea), followsInodes: tested.server == .strata)
                defer {
                    pair.oracle.finish()
                    pair.tested.finish()
                }
                return try body(pair)
            }
        }
    }

    /// What came of an operation.
    struct Step {
        var outcome: Outcome
        /// Nil where both did the same.
        var divergence: String?
    }

    func play(_ operation: Operation) -> Step {
        let identity = followsInodes ? operation.identity : nil
        let before = identity.flatMap { inode($0.before) }
        let wanted = oracle.play(operation)
        let got = tested.play(operation)
        if wanted != got && !isAllowed(operation, wanted, got) {
            return Step(outcome: wanted, divergence: "\(operation): \(got); on the kernel's overlay \(wanted)")
        }
        levelTimes(operation, wanted)
        for path in operation.paths {
            let (right, left) = (look(oracle, path), look(tested, path))
            if left != right {
                return Step(
                    outcome: wanted,
                    divergence: "after \(operation), \(path): \(left); on the kernel's overlay \(right)")
            }
        }
        if let slot = operation.slot, tested.files[slot]?.canWrite ?? false {
            let (right, left) = (look(oracle, slot), look(tested, slot))
            if left != right {
                return Step(
                    outcome: wanted, divergence: "after \(operation): \(left); on the kernel's overlay \(right)")
            }
        }
        if let identity, wanted.error == 0, let before, let after = inode(identity.after), after != before {
            return Step(
                outcome: wanted, divergence: "\(operation): the inode number was \(before) and is \(after)")
        }
        return Step(outcome: wanted)
    }

    private func look(_ player: Player, _ path: String) -> String {
        player.play(Operation(.stat, path)).description
    }

    private func look(_ player: Player, _ slot: Int) -> String {
        player.play(Operation(.fstat, String(slot))).description
    }

    private func inode(_ path: String) -> UInt64? { (try? tested.area.status(path))?.inode }

    /// The kernel's overlay changes the modification time of a file without data of its own when it is opened for
    /// writing and gets them, whether or not anything is written. We do not; both get the same times.
    private func levelTimes(_ operation: Operation, _ outcome: Outcome) {
        // Whether something was written counts: then both must have changed the time.
        let mayHaveOpened: Bool
        switch operation.verb {
        case .open: mayHaveOpened = !operation.text(2).contains("trunc")
        case .truncate: mayHaveOpened = true
        case .fallocate, .mapwrite, .copy:
            mayHaveOpened = outcome.error != 0 || ["0", "not regular", "nothing to map"].contains(outcome.value)
        default: mayHaveOpened = false
        }
        guard mayHaveOpened, let right = opened(oracle, operation), let left = opened(tested, operation),
            let times = try? (right.status().modificationTime, left.status().modificationTime)
        else { return }
        let isRecent = (times.0.seconds >= Player.recent, times.1.seconds >= Player.recent)
        // A file system may leave the time where the size stays (tmpfs does); POSIX has it changed, and so do we.
        let isLevel = isRecent.0 == isRecent.1 || (!isRecent.0 && operation.verb != .truncate)
        if isLevel { return }
        try? right.setTimes(access: Self.level, modification: Self.level)
        try? left.setTimes(access: Self.level, modification: Self.level)
    }

    private static let level = TimeSpec(seconds: 1_250_000_000)

    /// The file that an operation had open for writing, whatever links led there.
    private func opened(_ player: Player, _ operation: Operation) -> FileDescriptor? {
        let path = operation.text(operation.verb == .copy || operation.verb == .open ? 1 : 0)
        guard let file = try? player.area.open(path, .nonBlocking), (try? file.status().isRegular) ?? false else {
            return nil
        }
        return file
    }

    /// Where the subject may differ from the kernel's overlay: kept short, each with its reason.
    private func isAllowed(_ operation: Operation, _ wanted: Outcome, _ got: Outcome) -> Bool {
        switch operation.verb {
        case .rename:
            // The kernel gives up where it cannot write down the origin of a directory; we never do. Undone, so that
            // both go on from the same.
            if wanted.error == EXDEV && got.error == 0 && operation.text(2) != "exchange" {
                return tested.play(Operation(.rename, operation.text(1), operation.text(0), "plain")).error == 0
            }
            return false
        case .fread, .fmap, .fstat, .fgetxattr:
            return isOldReader(operation)
        default:
            return false
        }
    }

    /// Who opened a lower file for reading before it was copied up may go on seeing it as it was then.
    private func isOldReader(_ operation: Operation) -> Bool {
        guard let open = tested.files[operation.number(0)], !open.canWrite else { return false }
        switch operation.verb {
        case .fgetxattr: return true
        case .fstat:
            guard let status = try? open.file.status() else { return false }
            return withoutLinks(tested.describe(status)) == withoutLinks(open.status)
        default:
            guard let bytes = try? open.file.bytes(at: 0, count: Player.wholeFile) else { return false }
            return tested.describe(bytes) == open.contents
        }
    }

    private func withoutLinks(_ text: String) -> [Substring] {
        text.split(separator: ",").filter { !$0.hasPrefix(" links") }
    }
}
