import Linux
import OCI
import TestSupport
@testable import ImageStore

/// Upper directories that somebody wrote notes into: the commit is refused, or nothing of the host is in the layer.
enum TamperRound {
    /// Plays one round; returns how many files got notes.
    static func play(_ scene: MarkScene, _ random: inout Mutator) throws -> UInt64 {
        var cases = 0
        for _ in 0..<Int.random(in: 8...16, using: &random) {
            let union = try KernelUnion(scene.test, scene.base)
            defer { try? FileDescriptor.currentDirectory.removeTree(union.directory) }
            let hostile = random.pick([0, 3, 60])
            let upper = TamperedUpper(
                try FileDescriptor.open(union.directory, [.directory]), scene.marks, hostile: hostile)
            cases += upper.fill(&random)
            try commit(union, scene, &random)
        }
        return UInt64(cases)
    }

    private static func commit(_ union: KernelUnion, _ scene: MarkScene, _ random: inout Mutator) throws {
        let store = scene.test.store
        do throws(StoreError) {
            let changes = try store.changes(inUpper: union.upper, lowers: scene.base)
            do { try scene.requireNoLoot(changes) } catch { throw StoreError(.conflict, "\(error)") }
        } catch {
            try require(error.code != .conflict, error.message)
        }
        let copies = random.chance(oneIn: 2)
        let layer: LayerRecord
        do throws(StoreError) {
            layer =
                copies
                ? try store.commitLayer(copyingUpper: union.upper, lowers: scene.base).finish()
                : try store.commitLayer(takingUpper: union.upper, lowers: scene.base).finish()
        } catch {
            let expected: Set<StoreError.Code> = [.io, .badName, .notPermitted]
            try require(expected.contains(error.code), "\(error)")
            return
        }
        try scene.requireClean(layer.id, in: scene.test)
        if random.chance(oneIn: 4) {
            let again = try scene.pass(layer.id)
            try require(again.diffID == layer.diffID, "the layer has another digest in another store")
        }
    }
}

/// An upper directory and the index beside it, full of notes.
final class TamperedUpper {
    private let home: FileDescriptor
    private let source: MarkSource
    private let hostile: Int
    private var directories = ["upper"]
    private var files: [String] = []
    private var counter = 0

    /// - Parameters:
    ///   - home: the directory that `upper` and `work` are in.
    ///   - hostile: how many of a hundred notes are to lead out of the layers.
    init(_ home: consuming FileDescriptor, _ source: MarkSource, hostile: Int) {
        self.home = home
        self.source = source
        self.hostile = hostile
    }

    /// Fills it; returns how many files got notes.
    func fill(_ random: inout Mutator) -> Int {
        var marked = 0
        if random.chance(oneIn: 2), (try? home.makeDirectory("work/index", mode: 0o700)) != nil {
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                counter += 1
                marked += (try? makeFile("work/index/00fb\(counter)", &random)) == nil ? 0 : 1
            }
        }
        for _ in 0..<Int.random(in: 5...22, using: &random) {
            counter += 1
            let name = random.chance(oneIn: 4) ? "n\(counter)" : random.pick(MarkScene.baseNames)
            let path = random.pick(directories) + "/" + name
            marked += (try? make(path, &random)) == nil ? 0 : 1
        }
        if random.chance(oneIn: 4) { try? mark("upper", &random) }
        return marked
    }

    private func make(_ path: String, _ random: inout Mutator) throws(Errno) {
        switch Int.random(in: 0..<12, using: &random) {
        case 0, 1, 2, 3, 4:
            try home.makeDirectory(path, mode: 0o755)
            directories.append(path)
            try mark(path, &random)
        case 5: try home.makeNode(path, mode: FileType.characterDevice.rawValue)
        case 6:
            guard let file = files.randomElement(using: &random) else { return }
            try home.makeLink(of: file, in: home, at: path)
        case 7:
            try home.makeSymbolicLink(path, to: random.pick([source.secret, "..", "one"]))
            try mark(path, &random)
        default: try makeFile(path, &random)
        }
    }

    private func makeFile(_ path: String, _ random: inout Mutator) throws(Errno) {
        let file = try home.open(path, [.create, .exclusive, .writeOnly, .noFollow], mode: 0o644)
        // As long as the host's file, which would show whole.
        if random.chance(oneIn: 4) { try file.writeAll("data\n") } else { try file.truncate(to: 14) }
        files.append(path)
        try mark(path, &random)
    }

    private func mark(_ path: String, _ random: inout Mutator) throws(Errno) {
        let names = random.chance(oneIn: 3) ? ["n\(counter)"] : MarkScene.baseNames
        for mark in source.marks(near: names, prefix: "trusted.overlay.", hostile: hostile, &random) {
            try home.setAttribute(mark.name, of: path, mark.value)
        }
    }
}
