import ImageStore
import Linux
import OCI
import Testing

/// The canonical archive: the same for the same tree, and read back equal by us and by others.
@Suite struct ArchiveWriterTests {
    private func write(_ tree: String, to path: String) throws -> LayerSummary {
        let file = try FileDescriptor.open(path, [.create, .truncate, .writeOnly], mode: 0o600)
        let number = file.rawValue
        let summary = try LayerArchiveWriter.write(tree: tree, marks: .trusted) { (piece) throws(StoreError) in
            do throws(Errno) {
                try BorrowedDescriptor(number).writeAll(piece)
            } catch {
                throw StoreError("write the test's archive", error)
            }
        }
        try file.close()
        return summary
    }

    @Test func readsBackEqual() throws {
        let test = try TemporaryStore()
        let tree = try test.tree("tree", ArchiveImportTests.everything)
        let archive = test.directory + "/archive"
        let summary = try write(tree, to: archive)
        let size = try FileDescriptor.currentDirectory.status(of: archive).size
        #expect(summary.archiveSize == size)
        #expect(try shell("sha256sum < archive", in: test.directory).hasPrefix(summary.diffID.hex))
        let expected = try TreeSnapshot(tree)

        let layer = try test.store.importLayer(from: try FileDescriptor.open(archive), options: .init(kind: .layer))
        expectSameTree(try TreeSnapshot(test.store.layerPath(layer.id)), expected)
        #expect(layer.diffID == summary.diffID)
        #expect(layer.archiveSize == summary.archiveSize)

        try shell(
            "mkdir gnu; tar -C gnu -xpf archive --same-owner --xattrs --xattrs-include='*' --numeric-owner",
            in: test.directory)
        expectSameTree(try TreeSnapshot(test.directory + "/gnu"), expected)
    }

    /// libarchive, in a locale that knows UTF-8, reads every name that is UTF-8. ACLs are written the way Docker's tools
    /// read them, as attributes, and that libarchive passes over.
    @Test func libarchiveReadsBackEqual() throws {
        let test = try TemporaryStore()
        let tree = try test.tree(
            "tree",
            ArchiveImportTests.everything
                + "\nrm caf* \"$(printf 'e\\314\\201')\"; setfacl -bk plain dir/sub; touch -d @5 old")
        _ = try write(tree, to: test.directory + "/archive")
        try shell(
            "mkdir bsd; LC_ALL=C.UTF-8 bsdtar -C bsd -xpf archive --numeric-owner --xattrs --acls", in: test.directory)
        expectSameTree(try TreeSnapshot(test.directory + "/bsd"), try TreeSnapshot(tree))
    }

    @Test func pythonListsTheSame() throws {
        let test = try TemporaryStore()
        let tree = try test.tree(
            "tree", "mkdir b a; echo 1 > b/x; ln b/x a/y; : > a-file; ln -s t l; touch -d @5 b a . a/y")
        _ = try write(tree, to: test.directory + "/archive")
        let script = """
            python3 -c "import tarfile
            for e in tarfile.open('archive'): print(e.name, e.type.decode(), e.size, e.linkname, oct(e.mode))"
            """
        #expect(
            try shell(script, in: test.directory) == """
                a 5 0  0o755
                a/y 0 2  0o644
                a-file 0 0  0o644
                b 5 0  0o755
                b/x 1 0 a/y 0o644
                l 2 0 t 0o777

                """)
    }

    @Test func doesNotDependOnHowTheTreeWasMade() throws {
        let test = try TemporaryStore()
        let one = try test.tree(
            "one",
            "for i in $(seq 100); do echo $i > f$i; setfattr -n user.b -v 1 f$i; setfattr -n user.a -v 2 f$i; done; touch -d @7 * ."
        )
        let two = try test.tree(
            "two",
            "for i in $(seq 100 -1 1); do echo $i > f$i; setfattr -n user.a -v 2 f$i; setfattr -n user.b -v 1 f$i; done; touch -d @7 *; touch -d @8 ."
        )
        #expect(
            try LayerArchiveWriter.summary(of: one, marks: .trusted).diffID
                == LayerArchiveWriter.summary(of: two, marks: .trusted).diffID)
        try shell("chmod 600 f50", in: two)
        #expect(
            try LayerArchiveWriter.summary(of: one, marks: .trusted).diffID
                != LayerArchiveWriter.summary(of: two, marks: .trusted).diffID)
    }

    /// The digest every tool knows for a layer without content.
    @Test func emptyTreeIsTheWellKnownEmptyLayer() throws {
        let test = try TemporaryStore()
        let summary = try LayerArchiveWriter.summary(of: try test.tree("empty", ":"), marks: .trusted)
        #expect(
            summary.diffID.description == "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef")
        #expect(summary.archiveSize == 1024)
    }

    @Test func whiteoutsAndRootAttributesSurvive() throws {
        let test = try TemporaryStore()
        let tree = try test.tree(
            "tree",
            """
            mknod gone c 0 0; mkdir opaque dir; setfattr -n trusted.overlay.opaque -v y opaque; echo x > opaque/new
            mknod dir/gone c 0 0; ln gone dir/linked; setfattr -n trusted.overlay.origin -v 0x00fb opaque/new
            chmod 711 .; chown 5:6 .; setfattr -n user.root -v yes .
            """)
        let archive = test.directory + "/archive"
        _ = try write(tree, to: archive)
        let names = try shell("tar tf archive", in: test.directory)
        #expect(
            names == """
                ./
                dir/
                dir/.wh.gone
                dir/.wh.linked
                .wh.gone
                opaque/
                opaque/.wh..wh..opq
                opaque/new

                """)
        let layer = try test.store.importLayer(from: try FileDescriptor.open(archive), options: .init(kind: .layer))
        try shell("setfattr -x trusted.overlay.origin opaque/new; rm dir/linked; mknod dir/linked c 0 0", in: tree)
        let listing = "stat -c '%n %F %u %t' . gone dir/gone dir/linked; find . | sort | xargs getfattr -hdm -"
        #expect(try shell(listing, in: test.store.layerPath(layer.id)) == shell(listing, in: tree))
        #expect(
            try LayerArchiveWriter.summary(of: test.store.layerPath(layer.id), marks: .trusted).diffID == layer.diffID)
    }

    @Test func sizesAreThoseOfDu() throws {
        let test = try TemporaryStore()
        let tree = try test.tree("tree", ArchiveImportTests.everything)
        try shell("sync -f .", in: tree)
        let du = try shell("du -s --block-size=1 . | cut -f1", in: tree)
        #expect(try LayerArchiveWriter.summary(of: tree, marks: .trusted).diskUsage == Int64(du.dropLast()))
    }
}
