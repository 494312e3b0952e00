import FoundationEssentials
import ImageStore
import Linux
import OCI
import Testing

/// Images to archives and back.
@Suite struct SaveLoadTests {
    /// Saves images into the file `name` of the test's directory.
    static func save(
        _ names: [String], to name: String, _ test: TemporaryStore, format: ImageArchiveFormat = .docker,
        from store: ImageStore? = nil
    ) throws {
        let store = store ?? test.store
        if format == .directory {
            return try store.save(try store.imagesToSave(names), toDirectory: "\(test.directory)/\(name)")
        }
        let file = try FileDescriptor.open("\(test.directory)/\(name)", [.create, .truncate, .writeOnly], mode: 0o600)
        let number = BorrowedDescriptor(file.rawValue)
        try store.save(try store.imagesToSave(names), format: format) { (piece) throws(StoreError) in
            do throws(Errno) { try number.writeAll(piece) } catch { throw StoreError("write", error) }
        }
        try file.close()
    }

    /// Loads what is at a path below a test's directory.
    static func load(_ path: String, into store: ImageStore) throws -> [LoadedImage] {
        if try FileDescriptor.currentDirectory.status(of: path).isDirectory {
            return try store.load(fromDirectory: path)
        }
        return try store.load(from: try FileDescriptor.open(path))
    }

    /// Two layers, the upper one hiding and replacing parts of the lower one.
    static func twoLayers(_ test: TemporaryStore, tags: [String]) throws -> ImageRecord {
        let base = try test.layer(ArchiveImportTests.everything)
        let tree = try test.tree(
            "upper",
            """
            mknod plain c 0 0; mkdir dir; setfattr -n trusted.overlay.opaque -v y dir; echo new > dir/new
            mkdir newer; echo x > newer/x; ln newer/x newer/y
            """)
        let top = try test.store.commitLayer(takingUpper: tree, lowers: [base.id]).finish()
        return try test.image(layers: [base.id, top.id], "two", tags: tags, labels: ["a": "b"])
    }

    @Test(arguments: ImageArchiveFormat.allCases)
    func roundTrip(_ format: ImageArchiveFormat) throws {
        let (test, other) = (try TemporaryStore(), try TemporaryStore())
        let image = try Self.twoLayers(test, tags: ["registry.example:5000/team/web:1.0", "web:2"])
        try Self.save(["registry.example:5000/team/web:1.0", "web:2"], to: "saved", test, format: format)
        let loaded = try Self.load(test.directory + "/saved", into: other.store)
        #expect(loaded.count == 1)
        let copy = try #require(loaded.first).image
        #expect(copy.id == image.id)
        #expect(copy.manifestDigest == image.manifestDigest)
        #expect(copy.references == image.references)
        // The lower one: a whiteout, as in the upper, has neither a mode nor times of its own.
        for (left, right) in zip(image.layerIDs, copy.layerIDs).prefix(1) {
            expectSameTree(
                try TreeSnapshot(test.store.layerPath(left)), try TreeSnapshot(other.store.layerPath(right)))
        }
        try other.expectNothingUnfinished()
        // What is known is not stored again, and the archive of the copy is the same.
        #expect(try Self.load(test.directory + "/saved", into: other.store).first?.image == copy)
        #expect(try other.names(in: "layers").count == 2)
        try Self.save(
            ["web:2", "registry.example:5000/team/web:1.0"], to: "again", test, format: format, from: other.store)
        #expect(try shell("diff -r saved again", in: test.directory) == "")
    }

    @Test func archivesAreWhatOthersExpect() throws {
        let test = try TemporaryStore()
        let shared = try test.layer("echo shared > f")
        for name in ["one", "two"] {
            let own = try test.layer("echo \(name) > own")
            _ = try test.image(layers: [shared.id, own.id], name, tags: ["\(name):latest", "both:\(name)"])
        }
        try Self.save(["both"], to: "saved", test)
        let script = """
            python3 - <<'END'
            import tarfile, json, hashlib
            t = tarfile.open('saved'); names = t.getnames()
            assert names == sorted(names) and len(set(names)) == len(names), names
            assert all((e.mtime, e.uid, e.gid, e.uname) == (0, 0, 0, '') for e in t)
            read = lambda n: t.extractfile(n).read()
            for n in names:
                if n.startswith('blobs/sha256/'): assert hashlib.sha256(read(n)).hexdigest() == n[13:], n
            manifest = json.loads(read('manifest.json')); index = json.loads(read('index.json'))
            assert json.loads(read('oci-layout')) == {'imageLayoutVersion': '1.0.0'}
            assert [m['RepoTags'] for m in manifest] == [['both:one'], ['both:two']], manifest
            assert manifest[0]['Layers'][0] == manifest[1]['Layers'][0]
            assert list(json.loads(read('repositories'))) == ['both']
            for m, d in zip(manifest, index['manifests']):
                assert d['annotations']['io.containerd.image.name'] == 'docker.io/library/' + m['RepoTags'][0]
                inner = json.loads(read('blobs/sha256/' + d['digest'][7:]))
                assert 'blobs/sha256/' + inner['config']['digest'][7:] == m['Config']
                for path, layer, diff in zip(m['Layers'], inner['layers'], json.loads(read(m['Config']))['rootfs']['diff_ids']):
                    assert path == 'blobs/sha256/' + layer['digest'][7:] and layer['digest'] == diff
                    assert layer['size'] == t.getmember(path).size == m['LayerSources'][diff]['size']
            print(len([n for n in names if n.startswith('blobs/')]))
            END
            """
        // Two directories' worth: sha256, 3 layers, 2 configurations, 2 manifests.
        #expect(try shell(script, in: test.directory) == "8\n")
        let all = try test.store.imagesToSave(["one", "two"])
        #expect(all.map { $0.references.map(\.familiar) } == [["one:latest"], ["two:latest"]])
        let id = try test.store.image(matching: "one").id
        #expect(try test.store.imagesToSave([id.short]).map(\.references) == [[]])
    }

    /// Docker before version 25: directories with `layer.tar`, links for layers that several images have.
    static let oldDocker = """
        python3 - <<'END'
        import tarfile, io, json, hashlib
        def layer(files):
            b = io.BytesIO(); t = tarfile.open(fileobj=b, mode='w')
            for name, data in files.items():
                i = tarfile.TarInfo(name); i.size = len(data); t.addfile(i, io.BytesIO(data))
            t.close(); return b.getvalue()
        sha = lambda d: hashlib.sha256(d).hexdigest()
        out = tarfile.open('old', 'w')
        def put(name, data):
            i = tarfile.TarInfo(name); i.size = len(data); out.addfile(i, io.BytesIO(data))
        a, b = layer({'a': b'1'}), layer({'b': b'2'})
        items = []
        for n, ls in (('one', [a, b]), ('two', [a])):
            config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {'Cmd': [n]},
                'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + sha(l) for l in ls]}}).encode()
            put(sha(config) + '.json', config)
            paths = []
            for k, l in enumerate(ls):
                path = f'{sha(n.encode() + l)}/layer.tar'; paths.append(path)
                put(path.replace('layer.tar', 'VERSION'), b'1.0'); put(path.replace('layer.tar', 'json'), b'{}')
                if n == 'two':
                    i = tarfile.TarInfo(path); i.type = tarfile.SYMTYPE
                    i.linkname = '../' + items[0]['Layers'][0]; out.addfile(i)
                else: put(path, l)
            items.append({'Config': sha(config) + '.json', 'RepoTags': [n + ':old'], 'Layers': paths})
        put('manifest.json', json.dumps(items).encode()); put('repositories', b'{}'); out.close()
        END
        """

    @Test func archivesWithAnEmptyLayerAreRead() throws {
        let test = try TemporaryStore()
        let script = Self.oldDocker.replacing("layer({'b': b'2'})", with: "b''")
        try shell(script, in: test.directory)
        let loaded = try Self.load(test.directory + "/old", into: test.store)
        let image = try #require(loaded.first).image
        #expect(try test.store.layer(try #require(image.layerIDs.last)).archiveSize == 0)
        try Self.save(["one:old"], to: "saved", test)
        let again = try TemporaryStore()
        #expect(try Self.load(test.directory + "/saved", into: again.store).first?.image.id == image.id)
        try test.expectNothingUnfinished()
    }

    @Test(arguments: ["cat", "gzip", "xz -0", "zstd -q"])
    func oldArchivesAreRead(_ compressor: String) throws {
        let test = try TemporaryStore()
        try shell(Self.oldDocker + "\n\(compressor) < old > packed", in: test.directory)
        let loaded = try Self.load(test.directory + "/packed", into: test.store)
        #expect(loaded.map { $0.references.map(\.familiar) } == [["one:old"], ["two:old"]])
        #expect(loaded.map(\.image.layerIDs.count) == [2, 1])
        #expect(loaded.first?.image.layerIDs.first == loaded.last?.image.layerIDs.first)
        #expect(try test.names(in: "layers").count == 2)
        try test.expectNothingUnfinished()
    }

    /// A layout as registries have it: compressed layers. Saved again it has the same layers without compression.
    @Test(arguments: ["gzip", "zstd"])
    func compressedLayoutsAreRead(_ kind: String) throws {
        let test = try TemporaryStore()
        try test.tree("tree", ArchiveImportTests.everything)
        try shell(HostileImageTests.layout(kind: kind), in: test.directory)
        let fromDirectory = try Self.load(test.directory + "/layout", into: test.store)
        let manifest = try shell(
            "python3 -c \"import json; print(json.load(open('layout/index.json'))['manifests'][0]['digest'])\"",
            in: test.directory)
        let image = try #require(fromDirectory.first).image
        #expect(image.manifestDigest.description + "\n" == manifest)
        #expect(image.references.map(\.familiar) == ["web:1"])
        try shell("tar -C layout -cf archive .", in: test.directory)
        #expect(try Self.load(test.directory + "/archive", into: test.store).first?.image == image)
        let other = try TemporaryStore()
        #expect(try Self.load(test.directory + "/archive", into: other.store).first?.image.id == image.id)
        try Self.save(["web:1"], to: "saved", test)
        let again = try TemporaryStore()
        let copy = try #require(try Self.load(test.directory + "/saved", into: again.store).first).image
        #expect(copy.id == image.id)
        #expect(copy.configuration.rootFS == image.configuration.rootFS)
    }

    @Test func namesMoveToTheLoadedImage() throws {
        let (test, other) = (try TemporaryStore(), try TemporaryStore())
        let new = try test.image("new", tags: ["web:1"])
        let old = try other.image("old", tags: ["web:1"])
        try Self.save(["web:1"], to: "saved", test)
        let loaded = try #require(try Self.load(test.directory + "/saved", into: other.store).first)
        #expect(loaded.moved.map(\.value) == [old.id])
        #expect(try other.store.image(matching: "web:1").id == new.id)
        #expect(try other.store.image(id: old.id).isDangling)
    }
}
