import Glibc
import Linux
import TestSupport

/// Kills the server while threads are at work on it, and finds out whether each operation in flight has happened or has
/// not: nothing in between is right.
///
/// What a storm does cannot be repeated exactly, so its findings are reported with what was played last, not shortened.
final class Storm {
    private let oracle: MountedUnion
    private let tested: MountedUnion
    private let lanes: [Lane]
    /// What was done, one thread after the other.
    private(set) var operations: [Operation] = []

    init(
        _ generators: [(generator: OperationGenerator, model: NameModel)], _ oracle: MountedUnion,
        _ tested: MountedUnion
    ) {
        self.oracle = oracle
        self.tested = tested
        lanes = generators.map { Lane(generator: $0.generator, model: $0.model, oracle: oracle, tested: tested) }
    }

    /// Plays until the server dies, which it does after some milliseconds, and mounts anew. Returns a difference that no
    /// choice for the operations in flight explains.
    func play(milliseconds: Int64) throws -> String? {
        try separateNames()
        let threads = lanes.map { lane in PrivateThread.start { lane.play() } }
        MonotonicClock.sleep(milliseconds: milliseconds)
        try tested.killServer()
        for thread in threads { thread.join() }
        try oracle.remount()
        try tested.mount()
        for lane in lanes {
            operations += lane.played
            if let failure = lane.failure { throw failure }
            if let divergence = lane.divergence { return divergence }
        }
        let comparison = TreeComparison(oracle: oracle, tested: tested)
        try levelTimes(comparison.views())
        try levelPrivileges(comparison.views())
        let found = try comparison.views().differences
        var replayed: [String] = []
        for (index, line) in found.enumerated() {
            // The subject has done what the other has not been asked to do yet.
            guard let lane = lanes.first(where: { $0.mayExplain(line) }), let pending = lane.takePending() else {
                continue
            }
            if index > 1000 { break }
            try Area.with(oracle.target) { area in _ = Player(area).play(pending) }
            operations.append(pending)
            replayed.append("\(pending), for \(line)")
        }
        try levelTimes(comparison.views())
        return try comparison.difference("after a crash in the middle", comparison.views()).map {
            "\($0); in flight: \(replayed)"
        }
    }

    /// A file that has names in the directories of several threads would change under all of them: it keeps those in one.
    private func separateNames() throws {
        let entries = try TreeSnapshot(of: oracle.target).entries
        var owners: [String: Int] = [:]
        for path in entries.keys.sorted() {
            guard let entry = entries[path], entry.linkCount > 1,
                let lane = lanes.firstIndex(where: { $0.owns(path) })
            else { continue }
            if owners[entry.sameAs, default: lane] != lane {
                for union in [oracle, tested] { try Area.with(union.target) { try $0.remove(path) } }
                operations.append(Operation(.unlink, path))
            } else {
                owners[entry.sameAs] = lane
            }
        }
    }

    /// The times of directories are set back after a copy-up, and those of a file of attributes once it has its data, which a
    /// crash may prevent on any file system.
    private func levelTimes(_ views: TreeComparison.Views) throws {
        let time = TimeSpec(seconds: 1_300_000_000)
        let unfinished = Set(
            try views.tested.entries.filter { try isMarked($0.key, $0.value) }.map(\.value.inode.value))
        for (path, entry) in views.tested.entries {
            let mayDiffer = entry.mode & S_IFMT == S_IFDIR || unfinished.contains(entry.inode.value)
            guard mayDiffer, let other = views.oracle.entries[path], entry.modified != other.modified else { continue }
            for union in [oracle, tested] {
                try Area.with(union.target) { try $0.root.setTimes(of: path, access: time, modification: time) }
            }
        }
    }

    /// Before it writes, the kernel has set-id bits and capabilities taken away, which is a change of its own: a crash may
    /// come between the two.
    private func levelPrivileges(_ views: TreeComparison.Views) throws {
        for path in lanes.compactMap(\.writtenPath) {
            guard let entry = views.tested.entries[path], let other = views.oracle.entries[path] else { continue }
            try Area.with(oracle.target) { area in
                if entry.attributes["security.capability"] == nil, other.attributes["security.capability"] != nil {
                    try area.root.removeAttribute("security.capability", of: path)
                }
                if entry.mode != other.mode, entry.mode & ~0o6000 == other.mode & ~0o6000 {
                    try area.setMode(path, entry.mode & 0o7777)
                }
            }
        }
    }

    /// Whether the data of a file, whose times are new, are still below.
    private func isMarked(_ path: String, _ entry: TreeSnapshot.Entry) throws -> Bool {
        guard entry.mode & S_IFMT == S_IFREG, entry.modified == nil, let upper = tested.upper else { return false }
        return try Area.with(upper) { area in
            guard try area.exists(path) else { return false }
            return try area.root.attribute("trusted.overlay.metacopy", of: path) != nil
        }
    }

    /// One thread: the subject goes first, the other follows where the subject has answered.
    private final class Lane: @unchecked Sendable {
        private var generator: OperationGenerator
        private var model: NameModel
        private let oracle: MountedUnion
        private let tested: MountedUnion
        private var pending: Operation?
        private(set) var played: [Operation] = []
        private(set) var divergence: String?
        private(set) var failure: (any Error)?

        init(generator: OperationGenerator, model: NameModel, oracle: MountedUnion, tested: MountedUnion) {
            self.generator = generator
            self.model = model
            self.oracle = oracle
            self.tested = tested
        }

        func play() {
            do {
                try Fuzzer.withMask {
                    try Area.with(oracle.target) { oracleArea in
                        try Area.with(tested.target) { testedArea in
                            play(Player(oracleArea), Player(testedArea))
                        }
                    }
                }
            } catch let error as Errno where Self.meansDeath(error.rawValue) {
                // Too late to play anything.
            } catch {
                failure = error
            }
        }

        private func play(_ right: Player, _ left: Player) {
            while divergence == nil {
                let operation = generator.next(model)
                guard operation.isSingle else { continue }
                let got = left.play(operation)
                if Self.meansDeath(got.error) {
                    pending = operation
                    return
                }
                let wanted = right.play(operation)
                played.append(operation)
                if wanted.error == 0 { model.apply(operation) }
                if wanted != got { divergence = "\(operation): \(got); on the kernel's overlay \(wanted)" }
            }
        }

        private static func meansDeath(_ error: Int32) -> Bool {
            [ENOTCONN, ECONNABORTED, EIO, ENODEV].contains(error)
        }

        /// Whether a difference is in the thread's own directory.
        func owns(_ line: String) -> Bool { line.hasPrefix(generator.base + "/") || generator.base.isEmpty }

        /// The file that the operation in flight writes to.
        var writtenPath: String? {
            switch pending?.verb {
            case .write, .append, .truncate: pending?.text(0)
            default: nil
            }
        }

        /// Whether the operation in flight is about what a difference is about.
        func mayExplain(_ line: String) -> Bool {
            guard let pending else { return false }
            return pending.arguments.contains { line.hasPrefix($0 + ":") || line.hasPrefix($0 + "/") }
        }

        func takePending() -> Operation? {
            defer { pending = nil }
            return pending
        }
    }
}

extension Operation {
    /// Whether it is one change in the tree, which happens or does not.
    fileprivate var isSingle: Bool {
        switch verb {
        case .mkdir, .mknod, .symlink, .link, .unlink, .rmdir, .rename, .truncate, .write, .append, .chmod, .chown,
            .utimens, .setxattr, .removexattr:
            true
        // Making the file and writing to it are two.
        case .create: text(3) == "0"
        default: false
        }
    }
}
