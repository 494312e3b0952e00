@testable import ImageStore
import Linux
import OCI
import Testing

/// Layers whose archive must come out again byte for byte, whoever wrote it.
@Suite struct ExactLayerTests {
    /// Imports the archive `name` in the test's directory.
    static func importExactly(
        _ name: String, _ test: TemporaryStore, expecting diffID: Digest? = nil
    ) throws(StoreError) -> LayerRecord {
        try test.store.importFile(
            "\(test.directory)/\(name)", ImportOptions(kind: .layer, isExact: true, expectedDiffID: diffID))
    }

    /// Expects that a layer's archive is the file `name`, byte for byte.
    static func expectSameArchive(
        _ layer: LayerRecord, _ name: String, _ test: TemporaryStore, _ location: SourceLocation = #_sourceLocation
    ) throws {
        let file = try FileDescriptor.open("\(test.directory)/again", [.create, .truncate, .writeOnly], mode: 0o600)
        let number = BorrowedDescriptor(file.rawValue)
        let summary = try test.store.writeArchive(of: layer.id) { (piece) throws(StoreError) in
            do throws(Errno) { try number.writeAll(piece) } catch { throw StoreError("write", error) }
        }
        try file.close()
        let difference = try shell("cmp again \(name) 2>&1 || true", in: test.directory)
        #expect(difference == "", sourceLocation: location)
        #expect(summary.diffID == layer.diffID, sourceLocation: location)
        #expect(summary.archiveSize == layer.archiveSize, sourceLocation: location)
        let sum = try shell("sha256sum <\(name)", in: test.directory).prefix(64)
        #expect(layer.diffID?.hex == String(sum), sourceLocation: location)
        #expect(try test.store.recomputedSummary(of: layer.id).diffID == layer.diffID, sourceLocation: location)
    }

    static func hasRecipe(_ layer: LayerRecord, _ test: TemporaryStore) throws -> Bool {
        try test.names(in: "layers/\(layer.id)").contains("recipe")
    }

    @Test(arguments: [
        "tar --format=pax --xattrs --xattrs-include='*' --acls -cf a -C tree .",
        "tar --format=pax --sparse --xattrs --xattrs-include='*' --acls -cf a -C tree .",
        "tar --format=pax --sparse --sparse-version=0.1 --xattrs --xattrs-include='*' -cf a -C tree .",
        "tar --format=gnu --sparse -cf a -C tree .", "tar --format=gnu --blocking-factor=200 -cf a -C tree .",
        "LC_ALL=C.UTF-8 bsdtar --format=pax --xattrs --acls --numeric-owner -cf a -C tree .",
        "(cd tree; find . -depth -print0 | tar --format=pax --no-recursion --null -T - -cf ../a)",
        "python3 -c \"import tarfile; t = tarfile.open('a', 'w'); t.add('tree', ''); t.close()\"",
        // Nothing at the end, too much at the end, something at the end.
        "tar --format=gnu -cf a -C tree .; python3 -c \"import tarfile, os; m = tarfile.open('a').getmembers()[-1]; os.truncate('a', m.offset_data + (-(-m.size // 512) * 512 if m.isreg() else 0))\"",
        "tar --format=gnu -cf a -C tree .; head -c 3000000 /dev/zero >> a",
        "tar --format=gnu -cf a -C tree .; head -c 1234567 /dev/urandom >> a",
    ])
    func archivesComeOutAsTheyWere(_ command: String) throws {
        let test = try TemporaryStore()
        let tree = try test.tree("tree", ArchiveImportTests.everything)
        if command.contains("bsdtar") { try shell("rm caf*; touch -d @5 old", in: tree) }
        try shell(command, in: test.directory)
        let layer = try Self.importExactly("a", test)
        #expect(try Self.hasRecipe(layer, test))
        try Self.expectSameArchive(layer, "a", test)
        try test.expectNothingUnfinished()
    }

    @Test(arguments: ["gzip -9", "gzip -1", "xz -0", "zstd -q", "bzip2", "cat"])
    func compressionDoesNotCount(_ compressor: String) throws {
        let test = try TemporaryStore()
        try test.tree("tree", "cp /bin/true true; ln true false; mkdir d; echo x > d/y")
        try shell("tar --format=gnu -cf a -C tree .; \(compressor) < a > compressed", in: test.directory)
        let layer = try Self.importExactly("compressed", test)
        try Self.expectSameArchive(layer, "a", test)
        #expect(try Self.importExactly("a", test).id == layer.id)
    }

    /// What our own tools wrote needs no recipe: the tree is enough.
    @Test func canonicalArchivesNeedNoRecipe() throws {
        let test = try TemporaryStore()
        let tree = try test.tree(
            "tree", ArchiveImportTests.everything + "\nmknod gone c 0 0; setfattr -n trusted.overlay.opaque -v y dir")
        let file = try FileDescriptor.open("\(test.directory)/a", [.create, .writeOnly], mode: 0o600)
        let number = BorrowedDescriptor(file.rawValue)
        let summary = try LayerArchiveWriter.write(tree: tree, marks: .trusted) { (piece) throws(StoreError) in
            do throws(Errno) { try number.writeAll(piece) } catch { throw StoreError("write", error) }
        }
        try file.close()
        let layer = try Self.importExactly("a", test, expecting: summary.diffID)
        #expect(try !Self.hasRecipe(layer, test))
        #expect(layer.diffID == summary.diffID)
        try Self.expectSameArchive(layer, "a", test)
        // One bit of a time, and it is another archive.
        try shell("tar --format=pax -cf b -C tree plain", in: test.directory)
        let other = try Self.importExactly("b", test)
        #expect(try Self.hasRecipe(other, test))
    }

    /// An archive may hold a name several times, also through links to directories; the last one counts, and all of
    /// them are in the bytes.
    @Test(arguments: [
        "add('f', data=b'one'); add('f', data=b'two!'); add('f', data=b'three')",
        "add('d', DIR); add('d/a', data=b'1' * 5000); add('d/b'); add('d', data=b'a file now'); add('e')",
        "add('f', data=b'old'); add('g', LNK, 'f'); add('f', data=b'newer'); add('h', LNK, 'f')",
        "add('d', DIR); add('l', SYM, 'd'); add('l/f', data=b'one'); add('d/f', data=b'other'); add('l/f', data=b'x')",
        "add('d', DIR); add('l', SYM, 'd'); add('l/f', data=b'one'); add('l', data=b'no link any more')",
        "add('f', SYM, 'x'); add('f', data=b'y')",
        "add('f', data=b'x' * 100000); add('.wh.f'); add('f', data=b'z'); add('.wh.f', data=b'content')",
        "add('d', DIR); add('d/x', data=b'x' * 9999); add('d', SYM, 'e'); add('e', DIR); add('d/x', data=b'y')",
        "add('t', data=b'a file'); add('t/.wh.x'); add('t/u/.wh.y')",
        "add('.wh..wh.aufs', data=b'plnk'); add('hidden', CHR); add('f', data=b'1')",
        "add('b', DIR); add('a', SYM, 'b'); add('a/x', data=b'1'); add('a', DIR); add('a/y', data=b'2')",
        "add('b', DIR); add('a', SYM, 'b'); add('a/s', DIR); add('a', DIR); add('b/s', data=b'no directory')",
    ])
    func repeatedNames(_ body: String) throws {
        let test = try TemporaryStore()
        try shell("A=a; " + HostileArchiveTests.python(body), in: test.directory)
        let layer = try Self.importExactly("a", test)
        try Self.expectSameArchive(layer, "a", test)
        try test.expectNothingUnfinished()
    }

    /// A directory in the place of a link to another one is no way into that one any more; what is left to be done to
    /// directories is done where they are, not where a name led when they came.
    @Test func linksThatGiveWay() throws {
        let test = try TemporaryStore()
        let layer = try test.importArchive(
            made: HostileArchiveTests.python(
                """
                def directory(name, mode, time):
                    i = tarfile.TarInfo(name); i.type = DIR; i.mode = mode; i.mtime = time; t.addfile(i)
                directory('b', 0o751, 1); add('a', SYM, 'b'); add('a/x'); directory('a/s', 0o711, 2)
                directory('a', 0o750, 3); add('a/y'); directory('a/s', 0o700, 4)
                """), kind: .layer)
        let tree = test.store.layerPath(layer.id)
        #expect(
            try shell("find . -mindepth 1 -type d -printf '%p %m %Ts\\n' -o -printf '%p\\n' | sort", in: tree)
                == "./a 750 3\n./a/s 700 4\n./a/y\n./b 751 1\n./b/s 711 2\n./b/x\n")
    }

    /// Headers may be longer than a record of a recipe.
    @Test(arguments: [
        "i.pax_headers = {'comment': 'x' * (2 << 20)}; t.addfile(i, io.BytesIO(b'data'))",
        "i.pax_headers = {'comment': '\\0' * (3 << 20) + 'end' * 700000}; t.addfile(i, io.BytesIO(b'data'))",
        "t.addfile(i, io.BytesIO(b'data')); t.fileobj.write(bytes(1024) + b'y' * (5 << 20))",
    ])
    func longHeaders(_ entry: String) throws {
        let test = try TemporaryStore()
        try shell(
            "A=a; " + HostileArchiveTests.python("i = tarfile.TarInfo('f'); i.size = 4; \(entry)"), in: test.directory)
        let layer = try Self.importExactly("a", test)
        try Self.expectSameArchive(layer, "a", test)
        _ = try test.image(layers: [layer.id], "1", tags: ["app"])
        try SaveLoadTests.save(["app"], to: "saved", test)
        let saved = "tar -xOf saved blobs/sha256/\(try #require(layer.diffID).hex) | cmp - a"
        #expect(try shell(saved, in: test.directory) == "")
    }

    /// Random sequences of entries over few names: whatever can be unpacked comes out again.
    @Test func randomArchives() throws {
        let test = try TemporaryStore()
        try shell(
            """
            python3 - <<'END'
            import tarfile, io, random
            for seed in range(60):
                r = random.Random(seed)
                t = tarfile.open('r%d' % seed, 'w', format=r.choice([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]))
                names = ['a', 'b', 'c', 'a/a', 'a/b', 'b/a', 'c/a', 'a/b/c', 'b/c/d', 'c/c', 'n' * 120]
                for _ in range(r.randint(1, r.choice([5, 40]))):
                    i = tarfile.TarInfo(r.choice(names)); kind = r.randint(0, 9); data = b''
                    if kind < 5: data = r.randbytes(r.choice([0, 1, 511, 512, 513, 5000]))
                    elif kind < 7: i.type = tarfile.DIRTYPE
                    elif kind == 7: i.type, i.linkname = tarfile.SYMTYPE, r.choice(names)
                    elif kind == 8: i.type, i.linkname = tarfile.LNKTYPE, r.choice(names)
                    else: i.name = '/'.join(i.name.split('/')[:-1] + ['.wh.' + i.name.split('/')[-1]])
                    i.size = len(data); i.mtime = r.randint(0, 1 << 33); i.uid = r.randint(0, 1 << 22)
                    t.addfile(i, io.BytesIO(data))
                t.close()
            END
            """, in: test.directory)
        var unpacked = 0
        for seed in 0..<60 {
            do throws(StoreError) {
                let layer = try Self.importExactly("r\(seed)", test)
                unpacked += 1
                do { try Self.expectSameArchive(layer, "r\(seed)", test) } catch { Issue.record("\(seed): \(error)") }
            } catch {
                #expect(error.code == .badArchive, "\(seed): \(error)")
            }
        }
        #expect(unpacked > 10)
        try test.expectNothingUnfinished()
    }

    @Test func anotherDigestIsRefused() throws {
        let test = try TemporaryStore()
        try test.tree("tree", "echo x > f")
        try shell("tar -cf a -C tree .", in: test.directory)
        let error = #expect(throws: StoreError.self) {
            try Self.importExactly("a", test, expecting: Digest.sha256(of: "another"))
        }
        #expect(error?.code == .corrupt)
        #expect(try test.store.layers() == [])
        #expect(try test.names(in: "layers") == [])
        try test.expectNothingUnfinished()
    }

    @Test func damageIsNoticed() throws {
        let test = try TemporaryStore()
        try test.tree("tree", "echo hello > f; echo other > g")
        try shell("tar -cf a -C tree .", in: test.directory)
        let layer = try Self.importExactly("a", test)
        let home = "\(test.directory)/store/layers/\(layer.id)"
        func write() throws(StoreError) {
            try test.store.writeArchive(of: layer.id) { (_: UnsafeRawBufferPointer) throws(StoreError) in }
        }
        try write()
        try shell("printf J | dd of=fs/f bs=1 conv=notrunc status=none", in: home)
        #expect(throws: StoreError.self) { try write() }
        try shell("printf h | dd of=fs/f bs=1 conv=notrunc status=none; truncate -s 3 fs/g", in: home)
        #expect(throws: StoreError.self) { try write() }
        try shell("echo other > fs/g; cp recipe kept; truncate -s 40 recipe", in: home)
        #expect(throws: StoreError.self) { try write() }
        try shell("mv kept recipe", in: home)
        try write()
    }
}
