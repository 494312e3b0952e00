@testable import ImageStore
import Linux
import OCI
import TestSupport
import Testing

/// Archives of layers and of images with damage anywhere: a layer, an image or one error; never a trap, never anything
/// outside, never anything left. `tools/fuzz-readers` runs them for as long as wanted.
@Suite struct ArchiveFuzzTests {
    private static let words: [[UInt8]] =
        [
            "../", "/", "..", ".wh..", ".wh..wh..opq", "ustar\0", "00", "\0\0\0\0\0\0\0\0\0\0\0\0", "77777777777\0",
            "30 mtime=-99999999999999999.5\n", "25 GNU.sparse.major=1\n", "19 size=99999999999\n", "12 uid=-1\n", "5",
            "2",
            "1", "x", "g", "L", "S", "\"size\":-1", "sha256:", "manifest.json", "index.json", "{", "]",
        ].map { Array($0.utf8) } + [[0x80] + [UInt8](repeating: 0xff, count: 11), [UInt8](repeating: 0, count: 1024)]

    /// Checksums that fit again, so that the damage is looked at and not only noticed.
    private static func mend(_ bytes: inout [UInt8]) {
        for start in stride(from: 0, to: bytes.count - 511, by: 512) where bytes[start + 257] == 0x75 {
            bytes.replaceSubrange(start + 148..<start + 156, with: Array("        ".utf8))
            let digits = String(bytes[start..<start + 512].reduce(0) { $0 + Int($1) }, radix: 8)
            let field = String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits + "\0 "
            bytes.replaceSubrange(start + 148..<start + 156, with: Array(field.utf8))
        }
    }

    private func write(_ bytes: [UInt8], _ test: TemporaryStore) throws {
        try FileDescriptor.open(test.directory + "/a", [.create, .truncate, .writeOnly], mode: 0o600).writeAll(bytes)
    }

    private func read(_ names: [String], _ test: TemporaryStore) throws -> [[UInt8]] {
        try names.map { try FileDescriptor.open("\(test.directory)/\($0)").readAll() }
    }

    @Test func damagedLayers() throws {
        let test = try TemporaryStore()
        try test.tree(
            "tree",
            """
            echo x > f; ln f g; setfattr -n user.a -v b f; truncate -s 100k s; echo e >> s; ln -s f l; mkdir d; echo y > d/h
            mknod n c 1 3; : > .wh.gone; : > d/.wh..wh..opq; echo z > $(printf 'n%.0s' $(seq 120)); ln -s d e
            """)
        try shell(
            """
            tar --format=pax --sparse --xattrs --xattrs-include='*' -cf pax -C tree .; tar --format=gnu --sparse -cf gnu -C tree .
            tar --format=ustar -cf ustar -C tree . 2>/dev/null || true; gzip -k pax; zstd -qk gnu
            """, in: test.directory)
        let inputs = try read(["pax", "gnu", "ustar", "pax.gz", "gnu.zst"], test)
        var refused = 0
        try Mutator.repeated(250) { seed, mutator in
            var bytes = mutator.mutate(inputs, words: Self.words)
            if Bool.random(using: &mutator) { Self.mend(&bytes) }
            try write(bytes, test)
            do throws(StoreError) {
                let options = ImportOptions(kind: .layer, isExact: true, maximumBytes: 1 << 28)
                let layer = try test.store.importFile(test.directory + "/a", options)
                // What could be unpacked can be written again.
                let again = try test.store.recomputedSummary(of: layer.id).diffID
                #expect(again == layer.diffID, "seed \(seed)")
            } catch {
                refused += 1
                let expected: Set<StoreError.Code> = [.badArchive, .io, .notPermitted, .noSpace]
                #expect(expected.contains(error.code), "seed \(seed): \(error)")
            }
            try test.store.releaseLeases()
        }
        #expect(refused > 0)
        try test.expectNothingUnfinished()
    }

    @Test func damagedImages() throws {
        let test = try TemporaryStore()
        try shell(HostileImageTests.layout() + "\ntar -cf oci -C layout .", in: test.directory)
        try shell(HostileImageTests.layout(kind: "none") + "\ntar -cf plain -C layout .", in: test.directory)
        try shell(SaveLoadTests.oldDocker + "\nls -A > listing", in: test.directory)
        let inputs = try read(["oci", "plain", "old"], test)
        let before = try shell("ls -A", in: test.directory).replacing("\na\n", with: "\n")
        try Mutator.repeated(150) { seed, mutator in
            var bytes = mutator.mutate(inputs, words: Self.words)
            if Bool.random(using: &mutator) { Self.mend(&bytes) }
            try write(bytes, test)
            do throws(StoreError) {
                _ = try test.store.load(from: try Self.open(test.directory + "/a"))
            } catch {
                let expected: Set<StoreError.Code> = [.badArchive, .corrupt, .io, .notPermitted]
                #expect(expected.contains(error.code), "seed \(seed): \(error)")
            }
            try test.store.releaseLeases()
        }
        #expect(try shell("rm a; ls -A", in: test.directory) == before)
        try test.expectNothingUnfinished()
    }

    private static func open(_ path: String) throws(StoreError) -> FileDescriptor {
        do throws(Errno) { return try FileDescriptor.open(path) } catch { throw StoreError("open", error) }
    }
}
