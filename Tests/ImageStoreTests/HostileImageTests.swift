import ImageStore
import Linux
import OCI
import Testing

/// Image archives and layouts that are damaged or want to harm: one clear error, nothing outside, nothing left.
@Suite struct HostileImageTests {
    /// Makes an OCI layout `layout` of the directory `tree`, and a Docker archive `docker`, with Python; `change` may change
    /// what goes into them before it is written.
    ///
    /// What is there to be changed: `layers` (bytes), `config`, `manifest`, `index` (values, filled from those before in
    /// this order; a function of the same name runs before each is encoded), `docker` (the list), `raw` (names to bytes).
    static func layout(kind: String = "gzip", _ change: String = "") -> String {
        """
        test -e tree || { mkdir tree; echo x > tree/f; }
        test -e layer.tar || tar --format=pax --xattrs --xattrs-include='*' --acls -cf layer.tar -C tree .
        rm -rf layout; mkdir -p layout/blobs/sha256
        python3 - <<'END'
        import hashlib, json, subprocess, tarfile, io, os
        sha = lambda d: hashlib.sha256(d).hexdigest()
        OCI = 'application/vnd.oci.image.'
        suffix = {'gzip': '+gzip', 'zstd': '+zstd', 'none': ''}['\(kind)']
        def pack(data):
            if not suffix: return data
            return subprocess.run({'gzip': ['gzip', '-9n'], 'zstd': ['zstd', '-q']}['\(kind)'], input=data, capture_output=True).stdout
        plain = [open('layer.tar', 'rb').read()]
        raw, names = {}, {}
        def blob(data):
            if not isinstance(data, bytes): data = json.dumps(data).encode()
            raw['blobs/sha256/' + sha(data)] = data
            return {'digest': 'sha256:' + sha(data), 'size': len(data)}
        def descriptor(kind, data, **more): return {'mediaType': OCI + kind, **blob(data), **more}
        def Plain(): pass
        def Config(): pass
        def Manifest(): pass
        def Index(): pass
        def Raw(): pass
        \(change)
        Plain()
        config = {'architecture': 'amd64', 'os': 'linux', 'config': {},
            'rootfs': {'type': 'layers', 'diff_ids': ['sha256:' + sha(l) for l in plain]}}
        Config()
        manifest = {'schemaVersion': 2, 'mediaType': OCI + 'manifest.v1+json',
            'config': descriptor('config.v1+json', config),
            'layers': [descriptor('layer.v1.tar' + suffix, pack(l)) for l in plain]}
        Manifest()
        index = {'schemaVersion': 2, 'manifests': [descriptor('manifest.v1+json', manifest,
            annotations={'io.containerd.image.name': 'docker.io/library/web:1', 'org.opencontainers.image.ref.name': '1'})]}
        Index()
        raw['index.json'] = json.dumps(index).encode()
        raw['oci-layout'] = b'{"imageLayoutVersion": "1.0.0"}'
        Raw()
        for name, data in raw.items():
            os.makedirs(os.path.dirname('layout/' + name) or '.', exist_ok=True)
            open('layout/' + name, 'wb').write(data)
        END
        """
    }

    /// Names below the test's directory but for the archives, and what the store holds.
    private func listing(_ test: TemporaryStore) throws -> String {
        try shell(
            """
            find . -path ./layout -prune -o -path ./archive -prune -o -path ./store/catalog.sqlite-shm -prune -o \\
                -path ./store/catalog.sqlite-wal -prune -o -path ./layer.tar -prune -o -path ./tree -prune -o \\
                -type f -exec sha256sum {} + -o -print | grep -v catalog.sqlite | sort
            """, in: test.directory)
    }

    /// Loads the layout, then a tar archive of it: both must be refused, and nothing may be left.
    private func expectRefusal(_ test: TemporaryStore, _ place: SourceLocation = #_sourceLocation) throws {
        try shell("echo untouched > canary; tar -cf archive -C layout .", in: test.directory)
        let before = try listing(test)
        for path in ["layout", "archive"] {
            let store = try test.reopened()
            let error = #expect(throws: StoreError.self, sourceLocation: place) {
                try SaveLoadTests.load("\(test.directory)/\(path)", into: store)
            }
            let code = error?.code ?? .io
            #expect([.badArchive, .corrupt].contains(code), "\(path): \(error?.message ?? "")", sourceLocation: place)
            #expect(error?.message.contains("\n") == false, sourceLocation: place)
            #expect((error?.message.utf8.count ?? 0) < 500, sourceLocation: place)
            try store.releaseLeases()
        }
        #expect(try listing(test) == before, sourceLocation: place)
        #expect(try test.store.layers() == [], sourceLocation: place)
        #expect(try test.names(in: "layers") == [], sourceLocation: place)
        #expect(try test.store.images() == [], sourceLocation: place)
        try test.expectNothingUnfinished(place)
    }

    @Test(arguments: [
        // Sizes and digests that are not right.
        "def Manifest(): manifest['layers'][0]['size'] += 1", "def Manifest(): manifest['config']['size'] = -1",
        "def Index(): index['manifests'][0]['size'] = 1 << 62",
        "def Manifest(): manifest['layers'][0]['digest'] = 'sha256:' + '0' * 64",
        "def Manifest(): manifest['layers'][0]['digest'] = 'sha256:../../../canary'",
        "def Manifest(): manifest['config']['digest'] = 'md5:' + '0' * 32",
        "def Config(): config['rootfs']['diff_ids'][0] = 'sha256:' + '1' * 64",
        "def Config(): config['rootfs']['diff_ids'].append(config['rootfs']['diff_ids'][0])",
        "def Config(): config['rootfs']['diff_ids'] = []",
        "def Raw(): raw['blobs/sha256/' + manifest['layers'][0]['digest'][7:]] += b'x'",
        "def Raw(): raw['blobs/sha256/' + manifest['layers'][0]['digest'][7:]] = b'no layer'",
        "def Raw(): raw['blobs/sha256/' + manifest['config']['digest'][7:]] += b' '",
        "def Raw(): raw['blobs/sha256/' + index['manifests'][0]['digest'][7:]] += b' '",
        "def Raw(): del raw['blobs/sha256/' + manifest['layers'][0]['digest'][7:]]",
        "def Raw(): del raw['blobs/sha256/' + manifest['config']['digest'][7:]]",
        // Types that nobody knows.
        "def Manifest(): manifest['layers'][0]['mediaType'] = 'application/x-shellscript'",
        "def Manifest(): manifest['layers'][0]['mediaType'] += '+encrypted'",
        "def Manifest(): manifest['config']['mediaType'] = 'application/vnd.cncf.helm.config.v1+json'",
        "def Index(): index['manifests'][0]['mediaType'] = 'text/plain'",
        // Documents that are none.
        "def Raw(): raw['index.json'] = b''", "def Raw(): raw['index.json'] = b'[' * 100000",
        "def Raw(): raw['index.json'] = b'{\"manifests\": null}'", "def Raw(): raw['index.json'] = b'{}'",
        "def Raw(): raw['index.json'] = b'{\"schemaVersion\": 2, \"manifests\": []}'",
        "def Raw(): raw['index.json'] = b'{\"schemaVersion\": 2, \"manifests\": [' + b' ' * (9 << 20) + b']}'",
        "def Raw(): del raw['index.json']", "def Raw(): raw['manifest.json'] = b'[]'",
        "def Raw(): raw['manifest.json'] = b'[{}]'",
        "def Raw(): raw['manifest.json'] = json.dumps([{'Config': '../../canary', 'Layers': []}]).encode()",
        "def Raw(): raw['manifest.json'] = json.dumps([{'Config': '/etc/passwd', 'Layers': ['/etc/passwd']}]).encode()",
        "def Raw(): raw['manifest.json'] = json.dumps([{'Config': 'blobs/sha256/' + manifest['config']['digest'][7:], 'Layers': ['index.json']}]).encode()",
        "def Raw(): raw['manifest.json'] = json.dumps([{'Config': 'x' * 5000, 'Layers': []}]).encode()",
        // Names that are none.
        "def Index(): index['manifests'][0]['annotations']['io.containerd.image.name'] = 'UPPER:x y'",
        "def Index(): index['manifests'][0]['annotations']['io.containerd.image.name'] = 'a@sha256:' + '0' * 64",
        "def Raw(): raw['manifest.json'] = json.dumps([{'Config': 'blobs/sha256/' + manifest['config']['digest'][7:], 'RepoTags': ['../x'], 'Layers': ['blobs/sha256/' + manifest['layers'][0]['digest'][7:]]}]).encode()",
        // More than anybody needs.
        "def Config(): config['rootfs']['diff_ids'] *= 10000\ndef Manifest(): manifest['layers'] *= 10000",
        "def Index():\n    for _ in range(8): index['manifests'] = [descriptor('index.v1+json', {'schemaVersion': 2, 'manifests': index['manifests']})]",
        // The second of two images is bad: the first is not stored either.
        "def Index(): index['manifests'].append(descriptor('manifest.v1+json', {**manifest, 'config': descriptor('config.v1+json', {**config, 'rootfs': {'type': 'layers', 'diff_ids': []}})}))",
    ])
    func isRefused(_ change: String) throws {
        let test = try TemporaryStore()
        try shell(Self.layout(change), in: test.directory)
        try expectRefusal(test)
    }

    /// An index that is its own child cannot have a right digest; neither a wrong one nor the circle may do harm.
    @Test func circlesOfIndexesEnd() throws {
        let test = try TemporaryStore()
        let change = """
            def Raw():
                own = 'a' * 64
                child = {'mediaType': OCI + 'index.v1+json', 'digest': 'sha256:' + own, 'size': 1}
                data = json.dumps({'schemaVersion': 2, 'manifests': [child]}).encode()
                raw['blobs/sha256/' + own] = data; raw['index.json'] = data
            """
        try shell(Self.layout(change), in: test.directory)
        try expectRefusal(test)
    }

    /// Layers that harm on their own do no more as a part of an image.
    @Test(arguments: ["../evil", "a/../../evil", ".wh..", ".wh...", ".wh.", "d/.wh...", "n" + "n" + "/../../../canary"])
    func layersThatLeadOut(_ name: String) throws {
        let test = try TemporaryStore()
        let change = """
            def Plain():
                b = io.BytesIO(); t = tarfile.open(fileobj=b, mode='w')
                i = tarfile.TarInfo('d'); i.type = tarfile.DIRTYPE; t.addfile(i)
                i = tarfile.TarInfo('\(name)'); i.size = 4; t.addfile(i, io.BytesIO(b'evil')); t.close()
                plain.append(b.getvalue())
            """
        try shell(Self.layout(change), in: test.directory)
        try expectRefusal(test)
    }

    /// What the store has of an image does not make up for a manifest that names something else.
    @Test(arguments: ["gzip", "none"])
    func aKnownLayerIsNoExcuse(_ kind: String) throws {
        let test = try TemporaryStore()
        try shell(Self.layout(kind: kind), in: test.directory)
        let image = try #require(try SaveLoadTests.load(test.directory + "/layout", into: test.store).first).image
        // The layer alone may be missing where it is named by its own digest.
        try shell(Self.layout(kind: "none", "def Raw(): del raw['blobs/sha256/' + sha(plain[0])]"), in: test.directory)
        try shell("tar -cf archive -C layout .", in: test.directory)
        for path in ["layout", "archive"] {
            let loaded = try SaveLoadTests.load("\(test.directory)/\(path)", into: test.store)
            #expect(loaded.map(\.image.id) == [image.id])
        }
        let wrong = "def Manifest(): manifest['layers'][0]['digest'] = 'sha256:' + '0' * 64"
        // The same through a link, which only archives may hold.
        let link = """
            \(wrong)
            def Raw(): os.makedirs('layout/blobs/sha256', exist_ok=True); \
                os.symlink(descriptor('x', pack(plain[0]))['digest'][7:], 'layout/blobs/sha256/' + '0' * 64)
            """
        for change in [wrong, link] {
            try shell(Self.layout(kind: kind, change) + "\ntar -cf archive -C layout .", in: test.directory)
            for path in change == link ? ["archive"] : ["layout", "archive"] {
                let error = #expect(throws: StoreError.self) {
                    try SaveLoadTests.load("\(test.directory)/\(path)", into: test.store)
                }
                #expect([.badArchive, .corrupt].contains(error?.code ?? .io), "\(error?.message ?? "")")
            }
        }
    }

    /// A name may come again in an archive: the later one counts, and the others keep what they are.
    @Test func repeatedDocumentsDoNotMix() throws {
        let test = try TemporaryStore()
        try shell(
            Self.layout()
                + """

                python3 - <<'END'
                import tarfile, os
                t = tarfile.open('archive', 'w')
                names = ['layout/' + p for p in ('index.json', 'oci-layout')]
                names += sorted('layout/blobs/sha256/' + n for n in os.listdir('layout/blobs/sha256'))
                # Every document, then the first ones again; links that another entry replaces.
                for n in names + names[:1] + names[2:3] + names[:2]:
                    if n == names[2]:
                        i = tarfile.TarInfo(n[7:]); i.type, i.linkname = tarfile.SYMTYPE, 'nowhere'; t.addfile(i)
                    t.add(n, n[7:])
                t.close()
                END
                """, in: test.directory)
        let loaded = try SaveLoadTests.load(test.directory + "/archive", into: test.store)
        #expect(loaded.map { $0.references.map(\.familiar) } == [["web:1"]])
    }

    /// Names are kept until the end, so they may not be as long as they like.
    @Test(arguments: ["'n/' * 2500", "'d/' * 40000 + 'x'"])
    func endlessNamesAreRefused(_ name: String) throws {
        let test = try TemporaryStore()
        try shell(
            Self.layout()
                + """

                python3 - <<'END'
                import tarfile
                t = tarfile.open('archive', 'w'); t.addfile(tarfile.TarInfo(\(name))); t.add('layout', '.'); t.close()
                END
                """, in: test.directory)
        let error = #expect(throws: StoreError.self) {
            try SaveLoadTests.load(test.directory + "/archive", into: test.store)
        }
        #expect(error?.code == .badArchive)
        #expect((error?.message.utf8.count ?? 0) < 500)
    }

    /// The same image under a name that leads elsewhere, or through links within the layout.
    @Test func linksOutOfALayoutAreNotFollowed() throws {
        let test = try TemporaryStore()
        try shell(
            Self.layout()
                + """

                echo '{"secret": 1}' > canary
                for f in layout/blobs/sha256/*; do mv $f outside-${f##*/}; ln -s "$PWD/outside-${f##*/}" $f; done
                """, in: test.directory)
        #expect(throws: StoreError.self) {
            try SaveLoadTests.load(test.directory + "/layout", into: test.store)
        }
        #expect(try test.store.images() == [])
    }

    @Test(arguments: [
        "head -c 3000 good > archive", "head -c 20000 good > archive",
        "gzip -n < good | head -c -9 > archive", "zstd -q < good | head -c -9 > archive", ": > archive",
        "head -c 100000 /dev/urandom > archive", "head -c 10240 /dev/zero > archive", "echo '{}' > archive",
        "tar -cf archive tree",
        "tar -cf archive -C layout --sparse --format=gnu . 2>/dev/null; truncate -s 1000 archive",
        "printf 'index.json/..\\\\0' > x; tar -cf archive -P --transform 's,.*,../out,' canary",
        "(cat good; cat good) | head -c 2500 > archive",
    ])
    func damagedArchives(_ command: String) throws {
        let test = try TemporaryStore()
        try shell(
            Self.layout() + "\necho untouched > canary; head -c 60000 /dev/urandom > layout/noise\n"
                + "tar -cf good -C layout .; \(command); rm -f x", in: test.directory)
        let before = try listing(test)
        let error = #expect(throws: StoreError.self) {
            try SaveLoadTests.load(test.directory + "/archive", into: test.store)
        }
        #expect([.badArchive, .corrupt].contains(error?.code ?? .io), "\(error?.message ?? "")")
        try test.store.releaseLeases()
        #expect(try listing(test) == before)
        #expect(try test.store.images() == [])
        try test.expectNothingUnfinished()
    }

    /// A second archive behind the first is not looked at: tar ends where it says so.
    @Test func concatenatedArchivesAreTheFirst() throws {
        let test = try TemporaryStore()
        try shell(Self.layout() + "\ntar -cf good -C layout .; cat good good > archive", in: test.directory)
        let loaded = try SaveLoadTests.load(test.directory + "/archive", into: test.store)
        #expect(loaded.map { $0.references.map(\.familiar) } == [["web:1"]])
    }

    /// 10 GiB of zeros in 10 KB of Zstandard, two times over; limits may be set lower.
    @Test func bombsAreRefused() throws {
        let test = try TemporaryStore()
        try shell(
            """
            python3 - <<'END'
            import tarfile
            i = tarfile.TarInfo('zeros'); i.size = 3 << 30
            open('head', 'wb').write(i.tobuf())
            END
            (cat head; head -c 3G /dev/zero; head -c 1024 /dev/zero) | zstd -q -1 > bomb; rm head
            """, in: test.directory)
        for options in [ImportOptions(maximumRatio: 100), ImportOptions(maximumBytes: 1 << 28)] {
            let error = #expect(throws: StoreError.self) {
                try test.store.importFile(test.directory + "/bomb", options)
            }
            #expect(error?.code == .badArchive)
            #expect(error?.remedy?.contains("STRATA_MAX_LAYER_") == true)
        }
        try test.expectNothingUnfinished()
        #expect(try test.store.layers() == [])
    }
}
