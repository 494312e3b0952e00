/// Thinks up what lower layers hold, in the kernel's overlay format: files of all kinds, hard links, holes, attributes,
/// access control lists, and on the upper ones whiteouts, opaque directories, files in the place of directories and the
/// other way round.
struct LayerGenerator: Sendable {
    private var dice: Randomness
    private let lanes: [String]
    /// The union of the layers made so far.
    private(set) var merged = NameModel()
    /// What the layer being made holds.
    private var present = NameModel()
    private var operations: [Operation] = []

    init(seed: UInt64, lanes: [String]) {
        dice = Randomness(seed: seed ^ 0x1a7e)
        self.lanes = lanes
    }

    /// The operations that make the next layer in an empty directory, on top of the union of those before.
    mutating func next(over below: NameModel, steps: Int) -> [Operation] {
        merged = below
        present = NameModel()
        operations = []
        for lane in lanes where merged.entry(lane) == nil { make(lane, "directory") }
        for _ in 0..<steps {
            if below.entries.isEmpty || dice.chance(50) { add() } else { cover() }
        }
        return operations
    }

    /// A new name, or one that takes the place of what lower layers have there.
    private mutating func add() {
        var parent = ""
        for _ in 0..<4 {
            guard let entry = dice.pick(merged.entries), entry.kind == .directory else { continue }
            parent = entry.path
            break
        }
        guard let name = dice.pick(OperationGenerator.names) else { return }
        let path = parent.isEmpty ? name : parent + "/" + name
        if present.entry(path) != nil || path.utf8.count > 13 { return }
        makeParents(of: path)
        if dice.chance(20), let existing = dice.pick(present.entries.filter { $0.kind != .directory }),
            lane(existing.path) == lane(path)
        {
            operations.append(Operation(.link, existing.path, path))
            replace(path, existing.kind)
            return
        }
        make(path, kind())
    }

    private func lane(_ path: String) -> Substring { path.prefix { $0 != "/" } }

    private mutating func kind() -> String {
        switch dice.below(100) {
        case ..<38: "directory"
        case ..<80: "file"
        case ..<90: "link"
        default: dice.pick(["fifo", "char", "block", "socket"]) ?? "fifo"
        }
    }

    /// Hides something of the layers below.
    private mutating func cover() {
        guard let old = dice.pick(merged.entries), present.entry(old.path) == nil, !lanes.contains(old.path) else {
            return
        }
        // What this layer itself has below the name would stay visible.
        if present.entries.contains(where: { NameModel.isBelow($0.path, old.path) }) { return }
        makeParents(of: old.path)
        if old.kind == .directory && dice.chance(40) {
            merged.remove(old.path)
            make(old.path, "directory")
            operations.append(Operation(.opaque, old.path))
        } else if dice.chance(60) {
            merged.remove(old.path)
            operations.append(Operation(.whiteout, old.path))
            present.insert(old.path, .other)
        } else {
            make(old.path, kind())
        }
    }

    private mutating func makeParents(of path: String) {
        var current = ""
        for part in path.split(separator: "/").dropLast() {
            current += current.isEmpty ? String(part) : "/" + part
            if present.entry(current) == nil { make(current, "directory") }
        }
    }

    private mutating func make(_ path: String, _ kind: String) {
        switch kind {
        case "directory":
            operations.append(Operation(.mkdir, path, "755"))
            replace(path, .directory)
        case "link":
            operations.append(Operation(.symlink, path, dice.pick(["a", "b/c", "./d", "nowhere", "e"]) ?? "a"))
            replace(path, .link)
        case "file":
            operations.append(Operation(.create, path, "excl", "644", String(size())))
            replace(path, .file)
        default:
            operations.append(Operation(.mknod, path, kind, "644"))
            replace(path, .other)
        }
        decorate(path, kind)
    }

    private mutating func size() -> Int {
        dice.pick([0, dice.below(100), dice.below(100), dice.below(9000), 4096, 8192, 8193, dice.below(100_000)]) ?? 0
    }

    /// Owner, mode, attributes, holes.
    private mutating func decorate(_ path: String, _ kind: String) {
        if dice.chance(40) {
            operations.append(Operation(.chown, path, String(dice.below(3)), String(dice.below(3))))
        }
        if kind != "link" && dice.chance(50) {
            let mode = dice.pick(["755", "700", "644", "4755", "2775", "1777", "777", "600"]) ?? "755"
            operations.append(Operation(.chmod, path, mode))
        }
        guard kind == "file" || kind == "directory" else { return }
        if dice.chance(30) {
            operations.append(Operation(.setxattr, path, "user.layer", String(dice.below(200)), "any"))
        }
        if dice.chance(8) { operations.append(Operation(.setxattr, path, "trusted.b", "12", "any")) }
        if dice.chance(10), let list = dice.pick(AccessList.kinds) {
            let isDefault = kind == "directory" && dice.chance(50)
            operations.append(Operation(.setacl, path, isDefault ? "default" : "access", list))
        }
        if kind == "file" && dice.chance(10) {
            operations.append(Operation(.write, path, String(20_000 + dice.below(200_000)), "10"))
        }
        if kind == "file" && dice.chance(5) {
            operations.append(Operation(.setxattr, path, "security.capability", "20", "any"))
        }
    }

    private mutating func replace(_ path: String, _ kind: NameModel.Kind) {
        if kind != .directory || merged.entry(path)?.kind != .directory { merged.remove(path) }
        merged.insert(path, kind)
        present.insert(path, kind)
    }
}
