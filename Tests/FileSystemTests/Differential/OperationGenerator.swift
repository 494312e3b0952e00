/// Thinks up operations that are likely to meet something, with the help of a model of the tree.
struct OperationGenerator: Sendable {
    static let slotCount = 4
    /// So few names that they collide all the time.
    static let names = ["a", "b", "c", "d", "e", "f", "g", "h"]
    static let moreNames = names + ["i", "j", "k", "l.txt", "M", "ü", "a longish name of a file".replacingSpaces]
    /// Directories below which the threads of a run keep to themselves.
    static let lanes = (0..<8).map { "p\($0)" }

    var dice: Randomness
    /// The directory to stay in, or "" for the whole tree.
    let base: String
    private let firstSlot: Int
    /// Whether nothing else ever happens in the tree, so that even what crosses subtrees is safe.
    private let isAlone: Bool
    /// From this many names on, more is removed than made.
    private let crowd: Int
    /// Percent for slots, data, names, attributes; what is left is looking.
    private let shares: [Int]

    init(seed: UInt64, base: String = "", firstSlot: Int = 0, isAlone: Bool = true, crowd: Int = 120) {
        dice = Randomness(seed: seed)
        self.base = base
        self.firstSlot = firstSlot
        self.isAlone = isAlone
        self.crowd = crowd
        shares =
            dice.pick([[24, 20, 34, 14], [10, 15, 60, 10], [45, 25, 15, 10], [10, 40, 25, 15], [8, 10, 40, 35]]) ?? []
    }

    /// The next operation for the tree as it is now.
    mutating func next(_ model: NameModel) -> Operation {
        var operation = think(model)
        if dice.chance(10) { operation.user = dice.chance(50) ? 1 : 2 }
        return operation
    }

    private mutating func think(_ model: NameModel) -> Operation {
        var number = dice.below(100)
        if dice.chance(1) { return Operation(.drop) }
        for (index, share) in shares.enumerated() {
            number -= share
            if number >= 0 { continue }
            switch index {
            case 0: return slotOperation(model)
            case 1: return dataOperation(model)
            case 2: return nameOperation(model)
            default: return attributeOperation(model)
            }
        }
        return lookingOperation(model)
    }

    // MARK: Names

    /// Mostly a name that exists, sometimes one that may not.
    private mutating func path(_ model: NameModel, _ kind: NameModel.Kind? = nil) -> String {
        if dice.chance(92) {
            // Choosing among all is cheap where any will do.
            for _ in 0..<6 {
                guard let entry = dice.pick(model.entries) else { break }
                if (kind == nil || entry.kind == kind) && !isFixed(entry.path) { return entry.path }
            }
        }
        return newPath(model)
    }

    private func isFixed(_ path: String) -> Bool { base.isEmpty && Self.lanes.contains(path) }

    /// A directory to make something in: one that exists, and not too deep.
    private mutating func parent(_ model: NameModel) -> String {
        if dice.chance(15) { return base }
        for _ in 0..<6 {
            guard let entry = dice.pick(model.entries) else { break }
            if entry.kind == .directory && entry.path.utf8.count < 14 { return entry.path }
        }
        return base
    }

    /// A name in a directory that exists: mostly one that is free.
    private mutating func newPath(_ model: NameModel) -> String {
        var path = ""
        for _ in 0..<4 {
            let directory = parent(model)
            let name = dice.pick(dice.chance(80) ? Self.names : Self.moreNames) ?? "a"
            path = directory.isEmpty ? name : directory + "/" + name
            if model.entry(path) == nil || dice.chance(20) { return path }
        }
        return path
    }

    private mutating func mode() -> String {
        dice.pick(["644", "600", "755", "777", "777", "4711", "2770", "2777", "1777", "6755", "0", "2644"]) ?? "644"
    }

    private mutating func nameOperation(_ model: NameModel) -> Operation {
        let count = model.entries.count
        if dice.below(crowd * 2) < count - crowd / 2 {
            let directory = path(model, .directory)
            switch dice.below(4) {
            case 0: return Operation(.rmtree, directory)
            case 1: return Operation(.rmdir, directory)
            default: return Operation(.unlink, path(model))
            }
        }
        switch dice.below(24) {
        case 0, 1, 2, 3: return Operation(.mkdir, newPath(model), mode())
        case 4: return Operation(.rmdir, path(model, .directory))
        case 5, 6: return link(model, path(model, .file))
        case 7: return link(model, path(model))
        case 8, 9: return Operation(.unlink, path(model))
        case 10: return Operation(.symlink, newPath(model), dice.pick(["a", "b", "c/d", "./e", "nowhere", "f"]) ?? "a")
        case 11:
            let type = dice.pick(["fifo", "socket", "char", "block", "file"]) ?? "fifo"
            return Operation(.mknod, newPath(model), type, mode())
        case 12: return dice.chance(25) ? Operation(.rmtree, path(model, .directory)) : create(model)
        case 13, 14: return rename(model, path(model), path(model), "exchange")
        case 15: return rename(model, path(model), newPath(model), "noreplace")
        case 16: return rename(model, path(model, .directory), path(model, .directory), "exchange")
        case 17: return rename(model, path(model, .directory), path(model, .directory), "plain")
        case 18, 19: return rename(model, path(model, .directory), newPath(model), "plain")
        case 20: return rename(model, path(model), newPath(model), dice.chance(20) ? "whiteout" : "plain")
        default: return rename(model, path(model), dice.chance(50) ? newPath(model) : path(model), "plain")
        }
    }

    /// The directory of a thread that a path is in; "" for the others.
    private func lane(_ path: String) -> Substring {
        guard base.isEmpty, let slash = path.firstIndex(of: "/") else { return "" }
        let first = path[..<slash]
        return Self.lanes.contains(String(first)) ? first : ""
    }

    /// What has names in the subtrees of two threads would let one notice the other.
    private mutating func link(_ model: NameModel, _ existing: String) -> Operation {
        let new = newPath(model)
        if !isAlone && lane(existing) != lane(new) { return create(model) }
        return Operation(.link, existing, new)
    }

    private mutating func rename(_ model: NameModel, _ from: String, _ to: String, _ flags: String) -> Operation {
        if !isAlone && lane(from) != lane(to) && (model.isShared(from) || model.isShared(to)) { return create(model) }
        return Operation(.rename, from, to, flags)
    }

    // MARK: Data

    private mutating func offset() -> String {
        String(
            dice.pick([0, dice.below(100), dice.below(9000), dice.below(9000), 4096, 8192, dice.below(150_000)]) ?? 0)
    }

    private mutating func length() -> String {
        String(dice.pick([1, 1 + dice.below(100), 1 + dice.below(5000), 1 + dice.below(5000), 4096, 70_000]) ?? 1)
    }

    private mutating func size() -> String {
        String(dice.pick([0, 0, dice.below(100), dice.below(10_000), 4096, 8192, 8193, dice.below(150_000)]) ?? 0)
    }

    private mutating func create(_ model: NameModel) -> Operation {
        let flags = dice.pick(["w", "excl", "trunc", "append", "excl,nofollow", "trunc,sync", "w,noatime"]) ?? "w"
        let length = dice.chance(70) ? String(dice.below(60)) : length()
        return Operation(.create, dice.chance(70) ? newPath(model) : path(model), flags, mode(), length)
    }

    private mutating func allocation() -> [String] {
        [dice.pick(["plain", "keep", "punch", "punch", "zero", "zerokeep"]) ?? "plain", offset(), length()]
    }

    private mutating func dataOperation(_ model: NameModel) -> Operation {
        let file = path(model, .file)
        switch dice.below(14) {
        case 0, 1, 2: return create(model)
        case 3, 4: return Operation(.write, file, offset(), length())
        case 5: return Operation(.append, file, String(1 + dice.below(100)))
        case 6: return Operation(.truncate, file, size())
        case 7: return Operation(.copy, file, path(model, .file), offset(), offset(), length())
        case 8: return Operation(.tmpfile, parent(model).isEmpty ? "." : parent(model).orDot, newPath(model))
        case 9:
            var operation = Operation(.fallocate, file)
            operation.arguments += allocation()
            return operation
        case 10: return Operation(.mapwrite, file, offset(), String(1 + dice.below(100)))
        case 11: return Operation(.map, file)
        default: return Operation(.read, file)
        }
    }

    // MARK: Open files

    private mutating func openFlags() -> String {
        dice.pick([
            "r", "r", "r", "rw", "rw", "rw", "w", "rw,append", "rw,trunc", "rw,creat", "rw,creat,excl", "r,creat",
            "r,nofollow",
            "r,directory", "w,append,sync", "r,noatime", "rw,creat,trunc",
        ]) ?? "r"
    }

    private mutating func slotOperation(_ model: NameModel) -> Operation {
        let slot = String(firstSlot + dice.below(Self.slotCount))
        switch dice.below(26) {
        case 0, 1, 2, 3, 4:
            let flags = openFlags()
            return Operation(.open, slot, flags.contains("creat") ? path(model) : path(model, .file), flags, mode())
        case 5: return Operation(.close, slot)
        case 6, 7: return Operation(.fread, slot, "0", "200000")
        case 8: return Operation(.fread, slot, offset(), length())
        case 9: return Operation(.ftruncate, slot, size())
        case 10: return Operation(.fchmod, slot, mode())
        case 11: return Operation(.fchown, slot, String(dice.below(3)), String(dice.below(3)))
        case 12, 13: return Operation(.fstat, slot)
        case 14: return Operation(.futimens, slot, time())
        case 15: return Operation(.fsetxattr, slot, attribute(), String(dice.below(300)), "any")
        case 16: return Operation(.fgetxattr, slot, attribute())
        case 17: return Operation(.fsync, slot, dice.chance(50) ? "data" : "all")
        case 18: return Operation(.flock, slot, dice.pick(["sh", "ex", "un"]) ?? "un")
        case 19: return isAlone ? Operation(.flink, slot, newPath(model)) : Operation(.fstat, slot)
        case 20: return Operation(.fmap, slot)
        case 21:
            var operation = Operation(.fallocateslot, slot)
            operation.arguments += allocation()
            return operation
        case 22: return Operation(.opendir, slot, path(model, .directory))
        case 23: return Operation(dice.chance(85) ? .relist : .closedir, slot)
        default: return Operation(.fwrite, slot, offset(), length())
        }
    }

    // MARK: Attributes and looking

    private mutating func time() -> String { String(1_100_000_000 + dice.below(1000)) }

    private mutating func attribute() -> String {
        dice.pick([
            "user.layer", "user.a", "trusted.b", "trusted.overlay.opaque", "user.overlay.c", "security.d",
            "security.capability",
        ]) ?? "user.a"
    }

    private mutating func attributeOperation(_ model: NameModel) -> Operation {
        let path = path(model)
        switch dice.below(12) {
        case 0, 1, 2: return Operation(.chmod, path, mode())
        case 3, 4: return Operation(.chown, path, String(dice.below(3)), String(dice.below(3)))
        case 5, 6: return Operation(.utimens, path, time())
        case 7, 8:
            let mode = dice.pick(["any", "any", "create", "replace"]) ?? "any"
            return Operation(.setxattr, path, attribute(), String(dice.below(300)), mode)
        case 9: return Operation(.removexattr, path, attribute())
        case 10:
            return Operation(
                .setacl, path, dice.chance(50) ? "access" : "default", dice.pick(AccessList.kinds) ?? "user")
        default:
            let name = dice.chance(50) ? "system.posix_acl_access" : "system.posix_acl_default"
            return Operation(.removexattr, path, name)
        }
    }

    private mutating func lookingOperation(_ model: NameModel) -> Operation {
        switch dice.below(9) {
        case 0, 1: return Operation(.list, path(model, .directory))
        case 2: return Operation(.readlink, path(model, .link))
        case 3: return Operation(.read, path(model, .file))
        case 4: return Operation(.getxattr, path(model), attribute())
        case 5: return Operation(.listxattr, path(model))
        case 6: return Operation(.access, path(model), String(dice.below(8)), user: UInt32(dice.below(3)))
        default: return Operation(.stat, path(model))
        }
    }
}

extension String {
    /// Operations are written with spaces between their words.
    fileprivate var replacingSpaces: String { split(separator: " ").joined(separator: "_") }

    fileprivate var orDot: String { isEmpty ? "." : self }
}
