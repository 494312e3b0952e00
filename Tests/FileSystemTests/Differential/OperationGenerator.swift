import Glibc
import Linux

/// Thinks up operations that are likely to meet something: it looks at a tree before each.
struct OperationGenerator {
    private var dice: Randomness

    init(seed: UInt64) { dice = Randomness(seed: seed ^ 0xd1ff) }

    /// The next operation for the tree as it is now.
    mutating func next(in area: Area) throws -> Operation {
        var tree = Tree()
        // Opened anew: a directory is read once from its start to its end.
        try tree.walk(try area.open(".", [.directory]), prefix: "")
        switch dice.below(100) {
        case ..<22: return slotOperation(tree)
        case ..<40: return dataOperation(tree)
        case ..<70: return nameOperation(tree)
        case ..<85: return attributeOperation(tree)
        case ..<98: return lookingOperation(tree)
        default: return dice.chance(80) ? .dropCaches : .remount
        }
    }

    /// The names there are.
    private struct Tree {
        var all: [String] = []
        var directories: [String] = ["."]
        var files: [String] = []

        mutating func walk(_ directory: borrowing FileDescriptor, prefix: String) throws {
            for name in try directory.sortedEntryNames() {
                let status = try directory.status(of: name)
                let path = prefix + String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
                all.append(path)
                if status.isRegular { files.append(path) }
                if status.isDirectory {
                    directories.append(path)
                    try walk(try directory.open(name, [.directory, .noFollow]), prefix: path + "/")
                }
            }
        }
    }

    /// Mostly a name that exists, sometimes one that may not.
    private mutating func path(_ tree: Tree, among choices: [String]? = nil) -> String {
        if dice.chance(85), let path = dice.pick(choices ?? tree.all) { return path }
        return newPath(tree)
    }

    /// A name in a directory that exists: mostly one that is free.
    private mutating func newPath(_ tree: Tree) -> String {
        let taken = Set(tree.all)
        var path = ""
        for _ in 0..<4 {
            let directory = dice.pick(tree.directories.filter { $0.utf8.count < 12 }) ?? "."
            let name = dice.pick(LayerGenerator.names + ["i", "j", "k", "l"]) ?? "a"
            path = directory == "." ? name : directory + "/" + name
            if !taken.contains(path) || dice.chance(20) { return path }
        }
        return path
    }

    /// A directory other than the root.
    private mutating func directory(_ tree: Tree) -> String { path(tree, among: Array(tree.directories.dropFirst())) }

    private mutating func mode() -> UInt32 { dice.pick([0o644, 0o600, 0o755, 0o777, 0o4711, 0o2770, 0o1777]) ?? 0o644 }

    private mutating func slotOperation(_ tree: Tree) -> Operation {
        let slot = dice.below(Player.slotCount)
        switch dice.below(8) {
        case 0, 1:
            // Never read-only: whether such a reader follows a later copy-up is left open.
            let flags: OpenFlags =
                dice.pick([.readWrite, [.readWrite, .append], [.readWrite, .truncate]]) ?? .readWrite
            return .open(slot: slot, path: path(tree, among: tree.files), flags: flags)
        case 2: return .closeSlot(slot)
        case 3: return .readSlot(slot)
        case 4: return .truncateSlot(slot, size: dice.below(10_000))
        case 5: return .changeModeSlot(slot, mode: mode())
        case 6: return .statusSlot(slot)
        default: return .writeSlot(slot, offset: dice.below(9000), length: 1 + dice.below(5000))
        }
    }

    private mutating func dataOperation(_ tree: Tree) -> Operation {
        switch dice.below(8) {
        case 0:
            let flags: OpenFlags =
                dice.pick([
                    [.writeOnly, .create], [.writeOnly, .create, .exclusive], [.writeOnly, .create, .truncate],
                    [.writeOnly, .create, .append],
                ]) ?? .writeOnly
            return .create(
                path: dice.chance(70) ? newPath(tree) : path(tree), flags: flags.union(.nonBlocking), mode: mode())
        case 1, 2:
            return .write(path: path(tree, among: tree.files), offset: dice.below(9000), length: 1 + dice.below(5000))
        case 3: return .append(path: path(tree, among: tree.files), length: 1 + dice.below(100))
        case 4: return .truncate(path: path(tree, among: tree.files), size: dice.below(10_000))
        case 5: return .copyRange(from: path(tree, among: tree.files), to: path(tree, among: tree.files))
        case 6: return .temporaryFile(directory: path(tree, among: tree.directories), path: newPath(tree))
        default: return .read(path: path(tree, among: tree.files))
        }
    }

    private mutating func nameOperation(_ tree: Tree) -> Operation {
        switch dice.below(20) {
        case 0, 1, 2: return .makeDirectory(path: newPath(tree), mode: mode())
        case 3: return .removeDirectory(path: directory(tree))
        case 4: return .link(path: newPath(tree), to: path(tree, among: tree.files))
        case 5, 6: return .unlink(path: path(tree))
        case 7:
            return .symbolicLink(path: newPath(tree), target: dice.pick(["a", "b", "c/d", "../e", "nowhere"]) ?? "a")
        case 8: return .link(path: newPath(tree), to: path(tree, among: tree.files))
        case 9: return .link(path: newPath(tree), to: path(tree))
        case 10:
            return .makeNode(
                path: newPath(tree), type: dice.pick([.fifo, .socket, .characterDevice, .regular]) ?? .fifo)
        case 11:
            return dice.chance(20)
                ? .removeTree(path: directory(tree)) : .makeDirectory(path: newPath(tree), mode: 0o755)
        case 12, 13: return .rename(from: path(tree), to: path(tree), flags: .exchange)
        case 14: return .rename(from: path(tree), to: newPath(tree), flags: .noReplace)
        case 15, 16:
            return .rename(from: directory(tree), to: newPath(tree), flags: [])
        default: return .rename(from: path(tree), to: dice.chance(50) ? newPath(tree) : path(tree), flags: [])
        }
    }

    private mutating func attributeOperation(_ tree: Tree) -> Operation {
        switch dice.below(6) {
        case 0, 1: return .changeMode(path: path(tree), mode: mode())
        case 2: return .changeOwner(path: path(tree), uid: UInt32(dice.below(3)), gid: UInt32(dice.below(3)))
        case 3: return .setTimes(path: path(tree), seconds: 1_100_000_000 + Int64(dice.below(1000)))
        case 4:
            let mode: AttributeWrite = dice.pick([.createOrReplace, .create, .replace]) ?? .create
            return .setAttribute(path: path(tree), name: attribute(), length: dice.below(300), mode: mode)
        default: return .removeAttribute(path: path(tree), name: attribute())
        }
    }

    private mutating func attribute() -> String { dice.pick(["user.layer", "user.a", "trusted.b"]) ?? "user.a" }

    private mutating func lookingOperation(_ tree: Tree) -> Operation {
        switch dice.below(4) {
        case 0: return .list(path: path(tree, among: tree.directories))
        case 1: return .readLink(path: path(tree))
        case 2: return .read(path: path(tree, among: tree.files))
        default: return .status(path: path(tree))
        }
    }
}
