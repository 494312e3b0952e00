import Archive
import Linux
import OCI
import TestSupport
@testable import ImageStore

/// Archives with notes in them: refused, or as if the notes were not there, but for the attributes that they are.
enum ArchiveRound {
    /// Plays one round; returns how many entries got notes.
    static func play(_ scene: MarkScene, _ random: inout Mutator) throws -> UInt64 {
        var cases = 0
        for _ in 0..<Int.random(in: 3...6, using: &random) {
            let kind = random.pick([ImportOptions.Kind.layer, .layer, .layer, .rootFileSystem, .files])
            var archive = FuzzArchive(scene.marks, misplacesNames: random.chance(oneIn: 6))
            archive.fill(entries: Int.random(in: 20...90, using: &random), kind, &random)
            cases += archive.marked
            var options = ImportOptions(kind: kind)
            options.isExact = random.chance(oneIn: 4)
            guard let layer = try read(archive.bytes(withMarks: true), scene, options) else { continue }
            guard let plain = try read(archive.bytes(withMarks: false), scene, options) else {
                throw MarkFault(description: "only without its attributes the archive is refused")
            }
            let below = kind == .rootFileSystem ? [] : scene.base
            // Directories that have no entry are as old as the layer.
            let ignored: TreeSnapshot.Options = [.ignoreAttributes, .ignoreDirectoryTimes]
            let shown = try scene.test.show(below + [layer.id], ignored)
            let expected = try scene.test.show(below + [plain.id], ignored)
            try requireSame(shown, expected, "with its attributes (\(kind)) | without")
            try scene.requireClean(layer.id, in: scene.test)
            if random.chance(oneIn: 2) {
                // What is written again is the archive that came, or the tree's own, which is a layer's.
                if !options.isExact { options.kind = .layer }
                try passOn(layer, options, scene)
            }
        }
        return UInt64(cases)
    }

    /// The archive that is written again means the same layer.
    private static func passOn(_ layer: LayerRecord, _ options: ImportOptions, _ scene: MarkScene) throws {
        let again = try scene.pass(layer.id, options)
        try require(again.diffID == layer.diffID, "the layer has another digest in another store")
        try scene.requireClean(again.id, in: scene.other)
        let ignored: TreeSnapshot.Options = [.includeRoot, .ignoreDirectoryTimes]
        let (shown, expected) = (try scene.other.show([again.id], ignored), try scene.test.show([layer.id], ignored))
        try requireSame(shown, expected, "in another store | in this one")
    }

    private static func read(
        _ bytes: [UInt8], _ scene: MarkScene, _ options: ImportOptions
    ) throws -> LayerRecord? {
        do throws(StoreError) {
            return try scene.test.store.importLayer(from: ArrayOfBytes(bytes), options: options)
        } catch {
            let expected: Set<StoreError.Code> = [.badArchive, .io, .notPermitted, .badName, .noSpace]
            try require(expected.contains(error.code), "\(error)")
            return nil
        }
    }
}

/// An archive in memory.
private final class ArrayOfBytes: ByteSource {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        let count = min(buffer.count, bytes.count - position)
        buffer.copyBytes(from: bytes[position..<position + count])
        position += count
        return count
    }
}

/// Random entries of a layer's archive.
struct FuzzArchive {
    private let source: MarkSource
    /// Whether a name may lead out, and an attribute be where none can.
    private let misplacesNames: Bool
    private var entries: [(header: TarHeaderWriter, content: [UInt8])] = []
    private var directories: [String] = [""]
    private var files: [String] = []
    private var counter = 0
    /// Entries with notes.
    private(set) var marked = 0

    init(_ source: MarkSource, misplacesNames: Bool) {
        self.source = source
        self.misplacesNames = misplacesNames
    }

    /// The archive, or the same one without any attribute.
    func bytes(withMarks: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries {
            var header = entry.header
            if !withMarks { header.attributes = [] }
            bytes += header.encoded() + entry.content
            bytes += [UInt8](repeating: 0, count: (512 - entry.content.count % 512) % 512)
        }
        return bytes + [UInt8](repeating: 0, count: 1024)
    }

    mutating func fill(entries count: Int, _ kind: ImportOptions.Kind, _ random: inout Mutator) {
        for _ in 0..<count {
            counter += 1
            let isRefused = kind == .files && !misplacesNames
            switch Int.random(in: 0..<16, using: &random) {
            case 0 where !isRefused: addWhiteout(&random)
            case 1 where !isRefused: add("3", newPath(&random), &random)
            case 2:
                guard let file = files.randomElement(using: &random) else { continue }
                add("1", newPath(&random), target: file, marks: false, &random)
            case 3:
                let target = random.pick([source.secret, "../../..", "/a", ".", "one"])
                add("2", newPath(&random), target: target, &random)
            case 4: add(random.pick(["4", "6"]), newPath(&random), device: 7, &random)
            case 5, 6, 7, 8:
                let path = newPath(&random)
                directories.append(path + "/")
                add("5", path + "/", &random)
            case 9 where random.chance(oneIn: 4): add("5", "./", &random)
            case 10 where misplacesNames && random.chance(oneIn: 6):
                add("0", random.pick(["../x", "a/../../x", "/..", "a/.."]), &random)
            default:
                let path = newPath(&random)
                files.append(path)
                add("0", path, content: Array("new \(counter)\n".utf8), &random)
            }
        }
    }

    private mutating func addWhiteout(_ random: inout Mutator) {
        let name = random.pick(MarkScene.baseNames)
        let whiteouts = [".wh.\(name)", ".wh.\(name)", ".wh..wh..opq", ".wh..wh.plnk", ".wh.n\(counter)"]
        let bad = [".wh..", ".wh...", ".wh.", ".wh.a/b"]
        let whiteout = random.pick(misplacesNames && random.chance(oneIn: 3) ? bad : whiteouts)
        add("0", random.pick(directories) + whiteout, &random)
    }

    private mutating func add(
        _ type: String, _ path: String, target: String = "", device: UInt32 = 0, content: [UInt8] = [],
        marks: Bool = true, _ random: inout Mutator
    ) {
        var header = TarHeaderWriter(
            typeFlag: type.utf8.first ?? 0, path: Array(path.utf8), target: Array(target.utf8), permissions: 0o755,
            size: Int64(content.count), modificationTime: TimeSpec(seconds: Int64(counter)), deviceMajor: device)
        if marks && random.chance(oneIn: 2) || misplacesNames && random.chance(oneIn: 4) {
            let takesUser = type == "0" || type == "5" || misplacesNames
            let prefix = takesUser && random.chance(oneIn: 2) ? "user.overlay." : "trusted.overlay."
            var attributes: [[UInt8]: [UInt8]] = [:]
            for mark in source.marks(near: MarkScene.baseNames, prefix: prefix, &random) {
                let name = mark.name.dropLast().map { UInt8(bitPattern: $0) }
                if takesUser || name.starts(with: "trusted.".utf8) { attributes[name] = mark.value }
            }
            header.attributes = attributes.map { TarEntry.Attribute(name: $0.key, value: $0.value) }
            if !attributes.isEmpty { marked += 1 }
        }
        entries.append((header, content))
    }

    private mutating func newPath(_ random: inout Mutator) -> String {
        let name = random.chance(oneIn: 2) ? random.pick(MarkScene.baseNames) : "n\(counter)"
        return random.pick(directories) + name
    }
}
