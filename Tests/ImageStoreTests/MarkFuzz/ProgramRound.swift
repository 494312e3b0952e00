@testable import ImageStore
import Linux
import TestSupport

/// Programs that work in the kernel's overlay, and set attributes through it: all of these are data.
enum ProgramRound {
    /// Plays one round; returns how many files got notes.
    static func play(_ scene: MarkScene, _ random: inout Mutator) throws -> UInt64 {
        let union = try KernelUnion(scene.test, scene.base)
        defer { try? FileDescriptor.currentDirectory.removeTree(union.directory) }
        let wanted = Int.random(in: 60...350, using: &random)
        let (cases, shown) = try union.mounted { merged in
            let program = FuzzProgram(try FileDescriptor.open(merged, [.directory]), scene.marks)
            try program.lookAround()
            let cases = program.run(marks: wanted, &random)
            return (cases, try TreeSnapshot(merged, .includeRoot))
        }

        let store = scene.test.store
        try scene.requireNoLoot(try store.changes(inUpper: union.upper, lowers: scene.base))
        let copy = try store.commitLayer(copyingUpper: union.upper, lowers: scene.base).finish()
        let layer = try store.commitLayer(takingUpper: union.upper, lowers: scene.base).finish()
        try require(copy.id == layer.id, "a copy of the upper directory gives another layer than itself")
        try scene.requireClean(layer.id, in: scene.test)
        try requireSame(try scene.test.show(scene.base + [layer.id]), shown, "the layer | the union")
        if random.chance(oneIn: 3) {
            let again = try scene.pass(layer.id)
            try require(again.diffID == layer.diffID, "the layer has another digest in another store")
            try scene.requireClean(again.id, in: scene.other)
            var (left, right) = (try scene.other.show([again.id]), try scene.test.show([layer.id]))
            // An archive does not tell when the root was changed.
            (left.files["."], right.files["."]) = (nil, nil)
            try requireSame(left, right, "in another store | in this one")
        }
        return UInt64(cases)
    }
}

/// Random operations in a directory. It knows what is there, and never goes through a symbolic link.
final class FuzzProgram {
    private let root: FileDescriptor
    private let source: MarkSource
    private var directories = ["."]
    private var files: [String] = []
    /// Symbolic links and nodes.
    private var others: [String] = []
    private var counter = 0

    init(_ root: consuming FileDescriptor, _ source: MarkSource) {
        self.root = root
        self.source = source
    }

    /// Finds out what is there already.
    func lookAround() throws { try lookAround(try root.open(".", [.directory]), "./") }

    private func lookAround(_ directory: borrowing FileDescriptor, _ path: String) throws {
        for name in try directory.sortedEntryNames() {
            let full = path + String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            switch try directory.statusIfPresent(of: name)?.type {
            case nil: break
            case .directory:
                directories.append(full)
                try lookAround(try directory.open(name, [.directory, .noFollow]), full + "/")
            case .regular: files.append(full)
            default: others.append(full)
            }
        }
    }

    /// Works until so many files got notes; returns how many did.
    func run(marks wanted: Int, _ random: inout Mutator) -> Int {
        var marked = 0
        for _ in 0..<wanted * 2 where marked < wanted {
            // What the file system refuses, programs do not do.
            if random.chance(oneIn: 2) { try? change(&random) }
            if mark(&random) { marked += 1 }
        }
        return marked
    }

    /// Puts notes on a random file.
    private func mark(_ random: inout Mutator) -> Bool {
        let path =
            switch Int.random(in: 0..<8, using: &random) {
            case 0 where !others.isEmpty: random.pick(others)
            case 1...3 where !files.isEmpty: random.pick(files)
            default: random.pick(directories)
            }
        let near = random.chance(oneIn: 2) ? MarkScene.baseNames : [last(random.pick(directories))]
        var isMarked = false
        for mark in source.marks(near: near, &random) {
            if (try? root.setAttribute(mark.name, of: path, mark.value)) != nil { isMarked = true }
        }
        return isMarked
    }

    // MARK: Operations

    private func change(_ random: inout Mutator) throws(Errno) {
        switch Int.random(in: 0..<20, using: &random) {
        case 0, 1, 2, 3: try makeDirectory(newPath(&random))
        case 4, 5, 6:
            let path = newPath(&random)
            try root.open(path, [.create, .exclusive, .writeOnly, .noFollow], mode: 0o644).writeAll("data \(counter)\n")
            files.append(path)
        case 7, 8:
            guard let path = files.randomElement(using: &random) else { return }
            if random.chance(oneIn: 3) {
                try root.setMode(of: path, random.pick([0o600, 0o4755, 0o644]))
            } else {
                try root.open(path, [.append, .writeOnly, .noFollow]).writeAll("more\n")
            }
        case 9: try root.setMode(of: random.pick(directories), random.pick([0o700, 0o1777, 0o755]))
        case 10, 11: try move(random.pick(directories), to: newPath(&random))
        case 12: if let path = files.randomElement(using: &random) { try move(path, to: newPath(&random)) }
        case 13: try exchange(random.pick(directories), random.pick(directories))
        case 14:
            guard let path = files.randomElement(using: &random) else { return }
            try root.unlink(path)
            forget(path)
        case 15:
            guard let path = files.randomElement(using: &random) else { return }
            let name = newPath(&random)
            try root.makeLink(of: path, in: root, at: name)
            files.append(name)
        case 16: try makeOther(&random)
        case 17:
            let path = random.pick(directories)
            if path == "." || (directories.count < 12 && !random.chance(oneIn: 3)) { return }
            try root.removeTree(path)
            forget(path)
            if random.chance(oneIn: 2) { try makeDirectory(path) }
        case 18: if let path = files.randomElement(using: &random) { try root.setOwner(of: path, uid: 5, gid: 7) }
        default: try root.setOwner(of: random.pick(directories), uid: 3, gid: 9)
        }
    }

    private func makeDirectory(_ path: String) throws(Errno) {
        try root.makeDirectory(path, mode: 0o755)
        directories.append(path)
    }

    private func makeOther(_ random: inout Mutator) throws(Errno) {
        let path = newPath(&random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: try root.makeNode(path, mode: FileType.fifo.rawValue | 0o600)
        case 1:
            let device = DeviceNumber(major: 1, minor: 3).rawValue
            try root.makeNode(path, mode: FileType.characterDevice.rawValue | 0o600, device: device)
        default: try root.makeSymbolicLink(path, to: random.pick([source.secret, "../..", "/", "one", "."]))
        }
        others.append(path)
    }

    private func move(_ path: String, to newPath: String) throws(Errno) {
        try root.rename(path, to: root, newPath, flags: .noReplace)
        rename { Self.moved($0, from: path, to: newPath) }
    }

    private func exchange(_ left: String, _ right: String) throws(Errno) {
        if left == right { return }
        try root.rename(left, to: root, right, flags: .exchange)
        rename { path in
            let moved = Self.moved(path, from: left, to: right)
            return moved == path ? Self.moved(path, from: right, to: left) : moved
        }
    }

    // MARK: What is there

    /// A path that most often is new; sometimes one of those that the layers have.
    private func newPath(_ random: inout Mutator) -> String {
        counter += 1
        let name = random.chance(oneIn: 3) ? random.pick(MarkScene.baseNames) : "n\(counter)"
        return random.pick(directories) + "/" + name
    }

    private func last(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

    private func rename(_ body: (String) -> String) {
        (directories, files, others) = (directories.map(body), files.map(body), others.map(body))
    }

    private static func moved(_ path: String, from old: String, to new: String) -> String {
        if path == old { return new }
        return path.hasPrefix(old + "/") ? new + path.dropFirst(old.utf8.count) : path
    }

    private func forget(_ path: String) {
        func isThere(_ other: String) -> Bool { other != path && !other.hasPrefix(path + "/") }
        (directories, files, others) = (
            directories.filter(isThere), files.filter(isThere), others.filter(isThere)
        )
    }
}
