import ImageStore
import Linux
import OCI
import Testing

/// What programs and archives bring under the names of an overlay's notes: it is data, or it is refused. It leads nowhere
/// and hides nothing. The kernel's overlay, under which the programs run, is the oracle.
@Suite(.serialized) struct HostileMarkTests {
    /// A store, a layer in it, and a file of the host that nothing may lead to.
    private struct Scene {
        let test: TemporaryStore
        let base: LayerID
        let secret: String
        static let canary = "canary-7d1f9c"

        init() throws {
            test = try TemporaryStore()
            base = try test.layer(LayerCommitTests.base).id
            secret = try test.tree("secret", "echo \(Self.canary) > file; mkdir sub; echo \(Self.canary) > sub/deep")
        }

        /// The redirect that would lead from a layer's root to the secret.
        var upwards: String { String(repeating: "../", count: 12) + secret.dropFirst() }

        /// Expects a tree to hold nothing of the secret.
        func expectNoCanary(_ path: String, _ location: SourceLocation = #_sourceLocation) throws {
            #expect(
                try shell("grep -rl \(Self.canary) \(path) || true") == "", "the host's file came in",
                sourceLocation: location)
        }
    }

    /// Scripts with `$S` for the secret's directory and `$U` for the way up to it.
    static let byPrograms = [
        "mkdir tmp; setfattr -n user.overlay.redirect -v $U tmp",
        "mkdir tmp; setfattr -n user.overlay.redirect -v $S tmp",
        "mkdir tmp tmp/x; setfattr -n user.overlay.redirect -v .. tmp/x",
        "mkdir tmp; setfattr -n user.overlay.redirect -v /a tmp",
        "truncate -s 14 f; setfattr -n user.overlay.metacopy f; setfattr -n user.overlay.redirect -v $S/file f",
        "truncate -s 14 f; setfattr -n user.overlay.metacopy f; setfattr -n user.overlay.redirect -v $U/file f",
        "truncate -s 14 f; setfattr -n user.overlay.metacopy f; setfattr -n user.overlay.origin -v $H f",
        "setfattr -n user.overlay.redirect -v $S a; setfattr -n user.overlay.opaque -v y a",
        "chmod 700 d; setfattr -n user.overlay.opaque -v y d; setfattr -n user.fuseoverlayfs.opaque -v y d",
        "touch w; setfattr -n user.overlay.whiteout -v y w; setfattr -n trusted.overlay.opaque -v y d",
        "chmod 700 a; setfattr -n trusted.overlay.redirect -v $S a; setfattr -n trusted.overlay.overlay.redirect -v /d a",
        "mv a z; setfattr -n user.overlay.redirect -v $U z; setfattr -n user.overlay.redirect -v $S z/b",
        "chmod 600 hard; setfattr -n user.overlay.metacopy hard; setfattr -n user.overlay.nlink -v U+9 hard",
    ]

    @Test(arguments: byPrograms)
    func `attributes that programs set are data`(_ script: String) throws {
        let scene = try Scene()
        let (test, base) = (scene.test, scene.base)
        let handle = try Self.origin(of: scene.secret + "/file")
        let union = try KernelUnion(test, [base])
        let shown = try union.run("S=\(scene.secret); U=\(scene.upwards); H=\(handle); \(script)")

        // No name of the secret's is among the changes.
        let changes = try test.store.changes(inUpper: union.upper, lowers: [base])
        #expect(!changes.contains { $0.path.hasSuffix("/deep") || $0.path.hasSuffix("/file") })
        let copy = try test.store.commitLayer(copyingUpper: union.upper, lowers: [base]).finish()
        let layer = try test.store.commitLayer(takingUpper: union.upper, lowers: [base]).finish()
        #expect(copy.id == layer.id)
        expectSameTree(try test.show([base, layer.id]), shown)
        try scene.expectNoCanary(test.store.layerPath(layer.id))

        // Nor after the layer's archive came to another store.
        let other = try Scene()
        let again = try pass(layer.id, from: test, to: other.test)
        #expect(again.diffID == layer.diffID)
        var (left, right) = (try other.test.show([again.id]), try test.show([layer.id]))
        // An archive does not tell when the root was changed.
        (left.files["."], right.files["."]) = (nil, nil)
        expectSameTree(left, right)
        #expect(try other.test.store.layer(again.id).diffID == layer.diffID)
    }

    /// Notes as only root of the machine can write them, in an upper directory that somebody tampered with.
    static let byRoot = [
        "mkdir t; setfattr -n trusted.overlay.redirect -v $U t",
        "mkdir t; setfattr -n trusted.overlay.redirect -v .. t",
        "mkdir t; setfattr -n trusted.overlay.redirect -v /../$U t",
        "mkdir t; setfattr -n trusted.overlay.redirect -v a/../../.. t",
        "mkdir t; setfattr -n trusted.overlay.redirect -v //$S t",
        "mkdir t; setfattr -n trusted.overlay.redirect -v . t",
        "mkdir t t/u; setfattr -n trusted.overlay.redirect -v /a t; setfattr -n trusted.overlay.redirect -v ../.. t/u",
        "truncate -s 14 f; setfattr -n trusted.overlay.metacopy f; setfattr -n trusted.overlay.redirect -v $U/file f",
        "truncate -s 14 f; setfattr -n trusted.overlay.metacopy f; setfattr -n trusted.overlay.redirect -v /$U/file f",
        "truncate -s 14 f; setfattr -n trusted.overlay.metacopy f; setfattr -n trusted.overlay.origin -v $H f",
    ]

    @Test(arguments: byRoot)
    func `notes that lead out of the layers are refused`(_ script: String) throws {
        let scene = try Scene()
        let handle = try Self.origin(of: scene.secret + "/file")
        let upper = try scene.test.tree(
            "upper", "S=\(scene.secret); U=\(scene.upwards); H=\(handle); \(script)")
        #expect(throws: StoreError.self) {
            try scene.test.store.commitLayer(copyingUpper: upper, lowers: [scene.base])
        }
        #expect(throws: StoreError.self) {
            try scene.test.store.commitLayer(takingUpper: upper, lowers: [scene.base])
        }
        let changes = (try? scene.test.store.changes(inUpper: upper, lowers: [scene.base])) ?? []
        #expect(!changes.contains { $0.path.hasSuffix("/deep") || $0.path.hasSuffix("/file") })
        try scene.expectNoCanary("\(scene.test.directory)/store")
    }

    @Test func `a redirect to an absolute path of the host finds a layer's path, or nothing`() throws {
        let scene = try Scene()
        let upper = try scene.test.tree(
            "upper", "mkdir t; setfattr -n trusted.overlay.redirect -v \(scene.secret) t")
        let layer = try scene.test.store.commitLayer(takingUpper: upper, lowers: [scene.base]).finish()
        #expect(try shell("find .", in: scene.test.store.layerPath(layer.id)) == ".\n./t\n")
    }

    @Test func `of an overlay's notes a layer keeps only that a directory is opaque`() throws {
        let scene = try Scene()
        let upper = try scene.test.tree(
            "upper",
            """
            echo x > f; ln -s f l; mkdir x y
            for i in f l y; do setfattr -hn trusted.overlay.opaque -v y $i; done
            setfattr -n trusted.overlay.opaque -v x x; setfattr -hn trusted.overlay.whiteout -v y f
            """)
        let layer = try scene.test.store.commitLayer(takingUpper: upper, lowers: [scene.base]).finish()
        let notes = try shell("getfattr -hRm overlay . | grep -v '^$'", in: scene.test.store.layerPath(layer.id))
        #expect(notes == "# file: y\ntrusted.overlay.opaque\n")
    }

    @Test(arguments: [
        "trusted.overlay.opaque=y", "user.overlay.opaque=y", "user.fuseoverlayfs.opaque=y",
        "trusted.overlay.redirect=/d", "user.overlay.redirect=/d", "trusted.overlay.metacopy=",
    ])
    func `attributes that an archive brings are data`(_ attribute: String) throws {
        let scene = try Scene()
        let parts = attribute.split(separator: "=", omittingEmptySubsequences: false)
        let set = "setfattr -n \(parts[0]) \(parts[1].isEmpty ? "" : "-v \(parts[1])")"
        let layer = try scene.test.layer("mkdir -p a d; echo new > a/new; \(set) a; \(set) d; \(set) a/new; \(set) .")
        // As if they had other names: nothing is hidden, renamed or empty.
        let plain = try scene.test.layer(
            "mkdir -p a d; echo new > a/new; for f in a d a/new .; do setfattr -n user.plain -v y $f; done")
        let (shown, expected) = (
            try scene.test.show([scene.base, layer.id]), try scene.test.show([scene.base, plain.id])
        )
        #expect(shown.files.keys.sorted() == expected.files.keys.sorted())
        #expect(shown.files["a"]?.contains(String(parts[0])) == true)

        let again = try pass(layer.id, from: scene.test, to: try TemporaryStore())
        #expect(again.diffID == layer.diffID)
    }

    @Test func `a device 0 0 of an archive is left out and hides nothing`() throws {
        let scene = try Scene()
        let layer = try scene.test.layer("mknod hard c 0 0; mkdir a; mknod a/one c 0 0; mknod new c 0 0; echo x > file")
        let plain = try scene.test.layer("mkdir a; echo x > file")
        let ignored: TreeSnapshot.Options = [.ignoreDirectoryTimes]
        let (shown, below) = (try scene.test.show([scene.base, layer.id], ignored), try scene.test.show([scene.base]))
        #expect(
            shown.files.keys.sorted() == (try scene.test.show([scene.base, plain.id], ignored)).files.keys.sorted())
        #expect(shown.files["hard"] == below.files["hard"] && shown.files["a/one"] == below.files["a/one"])
        #expect(try pass(layer.id, from: scene.test, to: try TemporaryStore()).diffID == layer.diffID)

        let archive = """
            import sys, tarfile
            with tarfile.open(sys.argv[1], 'w') as archive:
                for name, kind in [('d', tarfile.DIRTYPE), ('d/zero', tarfile.CHRTYPE), ('d/link', tarfile.LNKTYPE)]:
                    entry = tarfile.TarInfo(name)
                    entry.type, entry.mode, entry.linkname = kind, 0o755, 'd/zero'
                    archive.addfile(entry)
            """
        for kind in [ImportOptions.Kind.layer, .rootFileSystem, .files] {
            let error = #expect(throws: StoreError.self) {
                try scene.test.importArchive(made: "python3 - $A <<'END'\n\(archive)\nEND", kind: kind)
            }
            // A link to what is left out has nothing to lead to.
            #expect(error?.message.contains(kind == .files ? "device 0:0" : "d/zero") == true)
        }
    }

    @Test func `a name that means a whiteout is refused where it would be a file`() throws {
        let scene = try Scene()
        let upper = try scene.test.tree("upper", "echo data > .wh.a; echo data > .wh..wh..opq")
        #expect(throws: StoreError.self) {
            try scene.test.store.commitLayer(takingUpper: upper, lowers: [scene.base]).finish()
        }
        try scene.test.tree("files", "echo data > .wh.a")
        let error = #expect(throws: StoreError.self) {
            try scene.test.importArchive(made: "tar -C files -cf $A .", kind: .files)
        }
        #expect(error?.message.contains(".wh.a") == true)
    }

    @Test func `a plain directory becomes a layer with all its attributes as data`() throws {
        let scene = try Scene()
        let plain = try scene.test.tree(
            "plain",
            """
            mkdir d; echo x > d/x; setfattr -n trusted.overlay.opaque -v y d
            setfattr -n user.overlay.redirect -v \(scene.secret) d; setfattr -n trusted.overlay.redirect -v /a d
            """)
        let layer = try scene.test.store.commitLayer(copyingPlain: plain).finish()
        try scene.expectNoCanary(scene.test.store.layerPath(layer.id))
        let shown = try scene.test.show([scene.base, layer.id])
        #expect(shown.files["d/e"] != nil)
        #expect(shown.files["d"]?.contains("trusted.overlay.redirect") == true)
        for script in ["mknod w c 0 0", "mkdir e; echo x > e/.wh.x"] {
            let other = try scene.test.tree("other\(script.count)", script)
            #expect(throws: StoreError.self) { try scene.test.store.commitLayer(copyingPlain: other) }
        }
    }

    @Test func `an attribute's name may hold any byte`() throws {
        let (test, other) = (try TemporaryStore(), try TemporaryStore())
        let plain = try test.tree(
            "plain",
            """
            echo x > f; setfattr -n user.a -v 1 f; setfattr -n user.a=b -v 2 f; setfattr -n 'user.a=%25 c' -v '3=' f
            setfattr -n "$(printf 'user.\\351')" -v 4 f; setfattr -n "$(printf 'user.\\350')" -v 5 f
            """)
        let layer = try test.store.commitLayer(copyingPlain: plain).finish()
        let again = try pass(layer.id, from: test, to: other)
        #expect(again.diffID == layer.diffID)
        let (shown, expected) = (try other.show([again.id]), try test.show([layer.id]))
        #expect(shown.files["f"] == expected.files["f"])
        #expect(shown.files["f"]?.contains("user.a=b=[50]") == true)
    }

    // MARK: Helpers

    /// Sends a layer's archive to another store.
    private func pass(_ id: LayerID, from test: TemporaryStore, to other: TemporaryStore) throws -> LayerRecord {
        let archive = other.directory + "/passed"
        let file = try FileDescriptor.open(archive, [.create, .writeOnly], mode: 0o600)
        let number = file.rawValue
        try test.store.writeArchive(of: id) { (piece) throws(StoreError) in
            do throws(Errno) { try BorrowedDescriptor(number).writeAll(piece) } catch {
                throw StoreError("test", error)
            }
        }
        return try other.store.importFile(archive, ImportOptions(kind: .layer))
    }

    /// A note `origin` that names a file, as setfattr(1) takes it.
    private static func origin(of path: String) throws -> String {
        "0x" + (try originNote(of: path)).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
