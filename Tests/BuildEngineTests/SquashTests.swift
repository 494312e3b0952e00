import ImageStore
import Linux
import OCI
import TestSupport
import Testing

@testable import BuildEngine

/// `--squash` and `--annotation`.
@Suite struct SquashTests {
    private static let dockerfile = """
        FROM busybox
        RUN mkdir -p /a/b /a/c && echo 1 > /a/b/one && echo 2 > /a/two && ln /a/two /a/link && echo x > /replaced
        RUN rm /a/two /data/file && mkdir /gone && echo 3 > /gone/x && echo 4 > /a/c/four
        RUN rm -r /gone /data/inner && mkdir /data/inner && echo new > /data/inner/new && chmod 711 /a
        RUN rm -r /a/c /replaced && mkdir /replaced && echo y > /replaced/y && rm /bin/seq && echo s > /bin/seq
        RUN rm -r /tmp && ln -s data /tmp
        ENV A=1
        """

    @Test func newLayersBecomeOneThatDoesTheSame() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let plain = try fixture.build(Self.dockerfile)
            let squashed = try fixture.build(Self.dockerfile) { $0.assembly.squashes = true }
            #expect(squashed.result.executedSteps == 0)
            #expect(squashed.image.layerIDs.count == 2)
            #expect(squashed.image.layerIDs.first == fixture.base.layerIDs.first)
            let (one, two) = (fixture.directory + "/one", fixture.directory + "/two")
            try Builder(store: fixture.store).exportFiles(of: plain.image, to: one)
            try Builder(store: fixture.store).exportFiles(of: squashed.image, to: two)
            let trees = try (TreeSnapshot(of: one), TreeSnapshot(of: two))
            // The root's own time is that of its directory here.
            #expect(trees.0.differences(to: trees.1).filter { !$0.hasPrefix(".: mtime") } == [])
            #expect(try fixture.text("/replaced/y", in: squashed.image) == "y\n")
            let layer = try fixture.lastLayer(squashed)
            #expect(layer.contains { $0.hasPrefix("c ") && $0.hasSuffix(" data/file") }, "a whiteout: \(layer)")
            #expect(!layer.contains { $0.hasSuffix(" gone") }, "what was never in the base is not hidden")
            #expect(!layer.contains { $0.hasPrefix("c ") && $0.hasSuffix(" a/two") })
            let history = squashed.image.configuration.history
            #expect(history.count == plain.image.configuration.history.count + 1)
            #expect(history.count { $0.emptyLayer != true } == 2)
            #expect(history.dropFirst().dropLast().allSatisfy { $0.emptyLayer == true })
            #expect(history.last?.comment == "merge \(plain.image.id) to \(fixture.base.id)")
            #expect(squashed.image.configuration.config == plain.image.configuration.config)
            let again = try fixture.build(Self.dockerfile) { $0.assembly.squashes = true }
            #expect(again.image.id == squashed.image.id)
            // Others read the layer as an archive: it has to mean the same there.
            let archive = fixture.directory + "/squashed.tar"
            try shell("touch \(archive)")
            let file = try FileDescriptor.open(archive, [.writeOnly])
            let number = BorrowedDescriptor(file.rawValue)
            try fixture.store.writeArchive(of: squashed.image.layerIDs[1]) { (piece) throws(StoreError) in
                do throws(Errno) { try number.writeAll(piece) } catch { throw StoreError(.io, "\(error)") }
            }
            let names = try shell("tar -tf \(archive)").split(separator: "\n")
            #expect(names.contains("data/.wh.file") && names.contains("data/inner/.wh..wh..opq"), "\(names)")
            withExtendedLifetime(file) {}
        }
    }

    @Test func nothingNewIsNothingToSquash() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let built = try fixture.build("FROM busybox\nENV A=1\n") { $0.assembly.squashes = true }
            #expect(built.image.layerIDs == fixture.base.layerIDs)
            let scratch = try fixture.build("FROM scratch\nCOPY <<a <<b /\n1\na\n2\nb\nCOPY <<a /\n3\na\n") {
                $0.assembly.squashes = true
            }
            #expect(scratch.image.layerIDs.count == 1)
            #expect(scratch.image.configuration.history.last?.comment?.hasPrefix("create new from sha256:") == true)
            #expect(try fixture.text("/a", in: scratch.image) == "3\n")
        }
    }

    @Test func annotationsAreInTheManifest() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let dockerfile = "FROM busybox\nRUN echo 1 > /one\n"
            let plain = try fixture.build(dockerfile)
            #expect(try fixture.store.manifest(of: plain.image).annotations == nil)
            let told = try fixture.build(dockerfile) { $0.assembly.annotations = ["key": "value"] }
            #expect(told.image.id == plain.image.id)
            #expect(try fixture.store.manifest(of: told.image).annotations == ["key": "value"])
            let changed = try fixture.build(dockerfile) { $0.assembly.annotations = ["other": "x"] }
            #expect(try fixture.store.manifest(of: changed.image).annotations == ["other": "x"])
            let without = try fixture.build(dockerfile)
            #expect(try fixture.store.manifest(of: without.image).annotations == nil)
            #expect(without.image.manifestDigest == plain.image.manifestDigest)
        }
    }
}
