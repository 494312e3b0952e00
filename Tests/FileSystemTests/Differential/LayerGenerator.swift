import Glibc
import Linux

/// Fills lower layers with random trees, in the kernel's overlay format: files of all kinds, hard links, and on the
/// upper ones whiteouts, opaque directories, files in the place of directories and the other way round.
///
/// The same seed gives the same layers, inode numbers aside.
struct LayerGenerator {
    /// So few names that the layers collide all the time.
    static let names = ["a", "b", "c", "d", "e", "f", "g", "h"]

    private var dice: Randomness
    /// The union of the layers made so far.
    private var merged: [String: FileType] = [:]
    /// What the layer being made holds.
    private var present: [String: FileType] = [:]
    private var clock: Int64 = 1_000_000_000

    init(seed: UInt64) { dice = Randomness(seed: seed) }

    /// Functions for `withUnion`, which fill one layer each, the lowest first.
    static func layers(seed: UInt64, count: Int = 3) -> [(Area) throws -> Void] {
        let state = State(LayerGenerator(seed: seed))
        return (0..<count).map { index in { area in try state.generator.fill(area, isLowest: index == 0) } }
    }

    private final class State {
        var generator: LayerGenerator
        init(_ generator: LayerGenerator) { self.generator = generator }
    }

    private mutating func fill(_ area: Area, isLowest: Bool) throws {
        present = [:]
        for _ in 0..<(isLowest ? 50 : 30) {
            if isLowest || dice.chance(50) {
                try add(to: area)
            } else {
                try cover(in: area)
            }
        }
        // Children before parents, so that no time is changed again.
        for path in present.keys.sorted(by: >) {
            clock += 1
            let time = TimeSpec(seconds: clock, nanoseconds: 123_456_789)
            try area.root.setTimes(of: path, access: time, modification: time)
        }
        let time = TimeSpec(seconds: clock, nanoseconds: 1)
        try area.root.setTimes(of: ".", access: time, modification: time)
    }

    /// A new name, or one that takes the place of what lower layers have there.
    private mutating func add(to area: Area) throws {
        let directories = [""] + merged.filter { $0.value == .directory }.keys.sorted()
        guard let parent = dice.pick(directories), let name = dice.pick(Self.names) else { return }
        let path = parent.isEmpty ? name : parent + "/" + name
        guard present[path] == nil, path.utf8.count < 10 else { return }
        try makeParents(of: path, in: area)
        let links = present.filter { $0.value == .regular }.keys.sorted()
        if dice.chance(15), let existing = dice.pick(links) {
            try area.link(path, to: existing)
            replace(path, with: .regular)
            return
        }
        try make(path, kind: kind(), in: area)
    }

    private mutating func kind() -> FileType {
        switch dice.below(100) {
        case ..<40: .directory
        case ..<80: .regular
        case ..<90: .symbolicLink
        case ..<94: .fifo
        case ..<97: .characterDevice
        default: .socket
        }
    }

    /// Hides something of the layers below.
    private mutating func cover(in area: Area) throws {
        guard let path = dice.pick(merged.keys.filter { present[$0] == nil }.sorted()), let old = merged[path] else {
            return
        }
        // What this layer itself has below the name would stay visible.
        if present.keys.contains(where: { $0.hasPrefix(path + "/") }) { return }
        try makeParents(of: path, in: area)
        if old == .directory && dice.chance(40) {
            forget(path)
            try make(path, kind: .directory, in: area)
            try area.markOpaque(path)
        } else if dice.chance(60) {
            forget(path)
            try area.whiteout(path)
            present[path] = .characterDevice
        } else {
            try make(path, kind: kind(), in: area)
        }
    }

    private mutating func makeParents(of path: String, in area: Area) throws {
        var current = ""
        for part in path.split(separator: "/").dropLast() {
            current += current.isEmpty ? String(part) : "/" + part
            if present[current] == nil { try make(current, kind: .directory, in: area) }
        }
    }

    private mutating func make(_ path: String, kind: FileType, in area: Area) throws {
        switch kind {
        case .directory: try area.directory(path)
        case .symbolicLink: try area.symlink(path, to: dice.pick(["a", "b/c", "../d", "nowhere", "e"]) ?? "a")
        case .regular:
            try area.file(path, String(repeating: path + "\n", count: dice.chance(20) ? 5000 : dice.below(20)))
        default: try area.root.makeNode(path, mode: kind.rawValue | 0o644, device: device(of: kind))
        }
        if dice.chance(40) { try area.setOwner(path, uid: UInt32(dice.below(3)), gid: UInt32(dice.below(3))) }
        if kind != .symbolicLink && dice.chance(40) {
            try area.setMode(path, dice.pick([0o755, 0o700, 0o644, 0o4755, 0o2775, 0o1777, 0o600]) ?? 0o755)
        }
        if (kind == .regular || kind == .directory) && dice.chance(30) {
            try area.root.setAttribute("user.layer", of: path, Array(path.utf8))
        }
        replace(path, with: kind)
    }

    private func device(of kind: FileType) -> UInt64 {
        kind == .characterDevice ? DeviceNumber(major: 1, minor: 3).rawValue : 0
    }

    private mutating func replace(_ path: String, with kind: FileType) {
        if kind != .directory || merged[path] != .directory { forget(path) }
        merged[path] = kind
        present[path] = kind
    }

    /// Takes a name and what is below it out of the union.
    private mutating func forget(_ path: String) {
        merged = merged.filter { $0.key != path && !$0.key.hasPrefix(path + "/") }
    }
}
