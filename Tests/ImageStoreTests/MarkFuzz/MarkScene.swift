import Glibc
@testable import ImageStore
import Linux
import Testing

/// What a round found: the text says what is not as it must be.
struct MarkFault: Error, CustomStringConvertible {
    var description: String
}

/// Throws a fault unless the condition holds.
func require(_ condition: Bool, _ text: @autoclosure () -> String) throws {
    if !condition { throw MarkFault(description: text()) }
}

/// Throws a fault that names the differences of two trees.
func requireSame(_ left: TreeSnapshot, _ right: TreeSnapshot, _ text: String) throws {
    let differences = left.differences(to: right)
    try require(
        differences.isEmpty, "\(text): \(differences.prefix(6).map { $0.prefix(1500) }.joined(separator: "\n"))")
}

/// Stores with layers, and files of the host that nothing may lead to.
final class MarkScene {
    let test: TemporaryStore
    /// A store that layers are sent to.
    let other: TemporaryStore
    /// The layers that everything happens over, bottom first.
    let base: [LayerID]
    let marks: MarkSource
    /// What the files of the host hold, and what each of their names begins with.
    private static let canary = Array("canary-7d1f9c".utf8)
    private static let lootName = Array("loot-5b1e".utf8)

    /// All names that there are below, of files and of directories.
    static let baseNames = [
        "a", "b", "c", "d", "e", "f", "g", "one", "two", "three", "four", "in", "hard", "link", "big", "node", "fifo",
        "empty", "tail",
    ]

    /// In memory, unless `STRATA_TEST_SCRATCH` names a directory: a round waits for no disk then.
    private static var scratch: String {
        if let path = getenv("STRATA_TEST_SCRATCH") { return String(cString: path) }
        return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/var/tmp"
    }

    init() throws {
        test = try TemporaryStore(in: Self.scratch)
        other = try TemporaryStore(in: Self.scratch)
        base = [
            try test.layer(
                """
                mkdir -p a/b/c d/e f/g empty; echo 1 > a/one; echo 2 > a/b/two; echo 3 > a/b/c/three; echo 4 > d/e/four
                echo h > hard; ln hard d/hard; echo i > a/in; ln a/in a/b/c/in; ln -s one a/link; echo g > f/g/one
                head -c 9000 /dev/zero > big; echo end >> big; chmod 4755 big; mknod node c 1 3; mkfifo fifo
                """
            ).id,
            try test.layer(
                """
                mkdir -p a/b d f/g; : > a/b/.wh.two; : > f/g/.wh..wh..opq; echo 5 > f/g/two; echo 6 > d/tail
                echo j > d/in; ln d/in f/in; setfattr -n trusted.overlay.opaque -v y d
                setfattr -n user.overlay.redirect -v /d a; setfattr -n trusted.overlay.redirect -v /a d/tail
                """
            ).id,
        ]
        // It keeps the layers when leases are released.
        _ = try test.image(layers: base, "base")
        let secret = try test.tree(
            "secret",
            "echo canary-7d1f9c > loot-5b1e; mkdir loot-5b1e-d; echo canary-7d1f9c > loot-5b1e-d/loot-5b1e-deep")
        let inLayer = test.store.layerPath(base[0])
        marks = MarkSource(
            secret: secret, secretName: "loot-5b1e",
            notes: [try originNote(of: secret + "/loot-5b1e"), try originNote(of: secret)],
            layerNotes: try ["/hard", "/a/in", "/big", "/a"].map { try originNote(of: inLayer + $0) })
    }

    /// Expects a layer to hold nothing of the host, and no note but that a directory is opaque.
    func requireClean(_ layer: LayerID, in test: TemporaryStore) throws {
        let root = try FileDescriptor.open(test.store.layerPath(layer), [.directory])
        try requireClean(root, "", test.store.marks)
    }

    private func requireClean(_ directory: borrowing FileDescriptor, _ path: String, _ marks: OverlayMarks) throws {
        for name in try directory.sortedEntryNames() {
            let bytes = name.dropLast().map { UInt8(bitPattern: $0) }
            let full = path + "/" + String(decoding: bytes, as: UTF8.self)
            try require(!bytes.starts(with: Self.lootName), "\(full) is the host's")
            let status = try directory.status(of: name)
            let file = try directory.open(name, [.path, .noFollow])
            for attribute in try file.attributeNames() where marks.isMark(attribute) {
                let value = try file.attribute(attribute) ?? []
                try require(
                    attribute == marks.name(.opaque) && status.isDirectory && value == [UInt8(ascii: "y")],
                    "\(full) kept the note \(String(decoding: attribute.map { UInt8(bitPattern: $0) }, as: UTF8.self))")
            }
            if status.isDirectory {
                try requireClean(try directory.open(name, [.directory, .noFollow]), full, marks)
            } else if status.isRegular, status.size >= Self.canary.count {
                let content = try directory.open(name, [.noFollow]).readAll()
                try require(!Self.hasCanary(content), "\(full) has the content of the host's file")
            }
        }
    }

    private static func hasCanary(_ content: [UInt8]) -> Bool {
        var rest = content[...]
        while let start = rest.firstIndex(of: canary[0]) {
            rest = rest[start...]
            if rest.starts(with: canary) { return true }
            rest = rest.dropFirst()
        }
        return false
    }

    /// Expects the changes in an upper directory to name nothing of the host.
    func requireNoLoot(_ changes: [LayerChange]) throws {
        for change in changes { try require(!change.path.contains("/loot-5b1e"), "a change names \(change.path)") }
    }

    /// Sends a layer's archive to the other store.
    func pass(_ id: LayerID, _ options: ImportOptions = ImportOptions(kind: .layer)) throws -> LayerRecord {
        let archive = other.directory + "/passed"
        let file = try FileDescriptor.open(archive, [.create, .truncate, .writeOnly], mode: 0o600)
        let number = file.rawValue
        try test.store.writeArchive(of: id) { (piece) throws(StoreError) in
            do throws(Errno) { try BorrowedDescriptor(number).writeAll(piece) } catch {
                throw StoreError("test", error)
            }
        }
        return try other.store.importFile(archive, options)
    }

    /// Expects nothing unfinished, and the host's files as they were.
    func endRound() throws {
        for test in [test, other] {
            let left = try test.names(in: "tmp")
            try require(left.isEmpty, "left in tmp: \(left)")
            try test.store.releaseLeases()
        }
        let secret = try FileDescriptor.open(marks.secret, [.directory])
        try require(try secret.sortedEntryNames().count == 2, "something was written to the host")
        try require(
            try secret.open("loot-5b1e").readAll() == Self.canary + [0x0A], "something was written to the host's file")
    }
}
