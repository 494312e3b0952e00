import ImageStore
import Linux
import OCI
import Testing

/// Files of different layers that are the same share their space where the file system can, and the gain is real.
@Suite struct DeduplicationTests {
    /// Calls `body` with a store on a file system of its own.
    private func withFileSystem(_ kind: String, _ body: (TemporaryStore, String) throws -> Void) throws {
        let path = "/var/tmp/strata-dedupe-\(UInt64.random(in: 0...UInt64.max))"
        try shell("mkdir \(path); truncate -s 400M \(path)/disk; mkfs.\(kind) -q \(path)/disk; mkdir \(path)/mounted")
        defer { try? FileDescriptor.currentDirectory.removeTree(path) }
        try shell("mount -o loop \(path)/disk \(path)/mounted")
        defer { _ = try? shell("umount -l \(path)/mounted") }
        try body(try TemporaryStore(in: path + "/mounted"), path + "/mounted")
    }

    @Test(arguments: ["xfs", "btrfs"])
    func spaceIsShared(_ kind: String) throws {
        try withFileSystem(kind) { test, mounted in
            try shell("head -c 20M /dev/urandom > big; head -c 9000 /dev/urandom > small", in: test.directory)
            let copies = "cp \(test.directory)/big \(test.directory)/small .; cp small again; truncate -s 1M holes"
            let one = try test.layer(copies + "; ln big link; head -c 20M /dev/zero | tr '\\0' x > own")
            let two = try test.layer(copies + "; echo another > layer")
            _ = try test.image(layers: [one.id, two.id], "both", tags: ["both"])
            let before = try [one, two].map { try TreeSnapshot(test.store.layerPath($0.id)) }
            func free() throws -> Int64 {
                let text = try shell("sync -f .; stat -f -c '%f %S' .", in: mounted)
                let numbers = text.split(whereSeparator: \.isWhitespace).compactMap { Int64($0) }
                return numbers[0] * numbers[1]
            }
            let trial = try test.store.dedupe(isDryRun: true)
            let freeBefore = try free()
            let report = try test.store.dedupe()
            #expect(report.sharedCount == 4)
            #expect(report.sharedCount == trial.sharedCount)
            #expect(report.sharedBytes == trial.sharedBytes)
            #expect(report.sharedBytes >= 20 << 20)
            // What is told is there: but for the file system's own notes.
            let gained = try free() - freeBefore
            #expect(abs(gained - report.sharedBytes) < 1 << 20, "\(gained) \(report.sharedBytes)")
            for (layer, snapshot) in zip([one, two], before) {
                expectSameTree(try TreeSnapshot(test.store.layerPath(layer.id)), snapshot)
            }
            let again = try test.store.dedupe()
            #expect(again.sharedCount == 0 && again.sharedBytes == 0 && again.knownCount == 4)
            try test.expectNothingUnfinished()
        }
    }

    @Test func aFileSystemThatCannotShareIsTold() throws {
        try withFileSystem("ext4") { test, _ in
            _ = try test.image("x", tags: ["x"])
            let error = #expect(throws: StoreError.self) { try test.store.dedupe() }
            #expect(error?.message.contains("ext4") == true)
            #expect(error?.remedy?.contains("XFS") == true)
            #expect(try test.store.dedupe(isDryRun: true).sharedCount == 0)
            try test.expectNothingUnfinished()
        }
    }
}
