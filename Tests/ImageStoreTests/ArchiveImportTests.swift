import ImageStore
import Linux
import OCI
import Testing

/// Archives of several programs, unpacked, against the trees they were made of.
@Suite struct ArchiveImportTests {
    /// A tree with everything that a root file system can hold.
    static let everything = """
        echo hello > plain; chmod 640 plain; chown 12:34 plain; touch -d '2001-02-03 04:05:06.123456789' plain
        : > empty; chmod 4755 empty
        mkdir -p dir/sub; echo x > dir/sub/file; chmod 1777 dir; chown 65534:65534 dir
        chmod 2751 dir/sub; touch -d '1999-01-01 00:00:00.5' dir/sub dir
        ln plain hard; ln plain dir/hard2
        ln -s ../plain dir/link; ln -s /absolute/none broken; chown -h 7:8 broken
        mknod null c 1 3; chmod 666 null; mknod block b 259 65537; mkfifo fifo
        setfattr -n user.note -v 'a value' plain; setfattr -n user.bin -v 0x00ff0a3d00 dir
        setfattr -n trusted.secret -v t dir/sub/file
        cp /bin/true capable; setcap cap_net_raw+ep capable
        setfacl -m u:1234:rw,g:99:r plain; setfacl -d -m u:55:rwx dir/sub
        chown 3000000:4000000 capable; setcap cap_net_raw+ep capable
        truncate -s 3M sparse; printf end | dd of=sparse bs=1 seek=1M conv=notrunc status=none
        n=$(printf 'n%.0s' $(seq 150)); echo l > $n; ln -s $n long; mkdir -p $n.d/$n.e; echo x > $n.d/$n.e/$n
        printf 'latin' > "$(printf 'caf\\351')"; printf 'nfd' > "$(printf 'e\\314\\201')"; : > 'new
        line'; echo s > ' space '; touch -d '1960-01-01 00:00:00.25' old
        """

    @Test(arguments: [
        "tar --format=pax --xattrs --xattrs-include='*' --acls -cf $A -C tree .",
        "tar --format=pax --sparse --xattrs --xattrs-include='*' --acls -cf $A -C tree .",
        "tar --format=pax --sparse --sparse-version=0.1 --xattrs --xattrs-include='*' --acls -cf $A -C tree .",
        "tar --format=pax --sparse --sparse-version=0.0 --xattrs --xattrs-include='*' --acls -cf $A -C tree .",
        "tar --format=pax --xattrs --xattrs-include='*' --acls -czf $A -C tree .",
        "tar --format=pax --xattrs --xattrs-include='*' --acls -cJf $A -C tree .",
        "tar --format=pax --xattrs --xattrs-include='*' --acls --zstd -cf $A -C tree .",
        "tar --format=pax --xattrs --xattrs-include='*' --acls -cjf $A -C tree .",
        "LC_ALL=C.UTF-8 bsdtar --format=pax --xattrs --acls --numeric-owner -cf $A -C tree .",
    ])
    func unpacksAllThereIs(_ command: String) throws {
        let test = try TemporaryStore()
        let tree = try test.tree("tree", Self.everything)
        // bsdtar reads names by the locale and cannot archive one that is not UTF-8; fractions of a second before 1970
        // it adds where they should be taken away.
        if command.contains("bsdtar") { try shell("rm caf*; touch -d @5 old", in: tree) }
        let layer = try test.importArchive(made: command)
        expectSameTree(
            try TreeSnapshot(test.store.layerPath(layer.id), .includeRoot), try TreeSnapshot(tree, .includeRoot))
        let sparse = try FileDescriptor.currentDirectory.status(of: test.store.layerPath(layer.id) + "/sparse")
        #expect(sparse.allocatedSize < 1 << 20)
        try test.expectNothingUnfinished()
    }

    /// Names are cleaned as Go's `path.Clean` does, by which Docker reads layers: `..` drops the name before it.
    @Test func namesAreCleaned() throws {
        let test = try TemporaryStore()
        let archive = HostileArchiveTests.python(
            "add('d/./e/../f', data=b'1'); add('./x/..//y', data=b'2'); add('h/../z', LNK, 'q/../y')")
        let layer = try test.importArchive(made: archive)
        let listing = try shell("find . -type f -o -type l | sort; cat d/f y z", in: test.store.layerPath(layer.id))
        #expect(listing == "./d/f\n./y\n./z\n122")
    }

    /// No bytes at all are a layer without entries; whoever makes a root file system of nothing has lost something.
    @Test(arguments: ["", "gzip", "zstd -q"])
    func nothingIsALayer(_ compressor: String) throws {
        let test = try TemporaryStore()
        try shell(compressor.isEmpty ? ": > empty" : "\(compressor) < /dev/null > empty", in: test.directory)
        let layer = try test.store.importFile(test.directory + "/empty", ImportOptions(kind: .layer, isExact: true))
        #expect(layer.diffID == .sha256(of: []) && layer.archiveSize == 0)
        var bytes = 0
        try test.store.writeArchive(of: layer.id) { (piece) throws(StoreError) in bytes += piece.count }
        #expect(bytes == 0)
        let error = #expect(throws: StoreError.self) { try test.store.importFile(test.directory + "/empty") }
        #expect(error?.code == .badArchive)
        try test.expectNothingUnfinished()
    }

    /// Older formats keep less: seconds, and no attributes.
    @Test(arguments: ["gnu", "gnu --sparse", "ustar", "v7", "oldgnu --sparse"])
    func unpacksOldFormats(_ format: String) throws {
        let test = try TemporaryStore()
        let tree = try test.tree(
            "tree",
            """
            mkdir -p dir/sub; echo x > dir/sub/file; ln dir/sub/file hard; ln -s dir link; chmod 4711 dir/sub/file
            truncate -s 200000 sparse
            for i in $(seq 9); do printf x | dd of=sparse bs=1 seek=$((i*20480)) conv=notrunc status=none; done
            case '\(format)' in v7*) ;; *) mkfifo fifo; mknod null c 1 3 ;; esac
            case '\(format)' in gnu*) n=$(printf 'n%.0s' $(seq 150)); echo l > $n; ln -s $n long ;; esac
            find . -exec touch -h -d @1000000000 {} +
            """)
        let layer = try test.importArchive(made: "tar --format=\(format) -cf $A -C tree .")
        expectSameTree(
            try TreeSnapshot(test.store.layerPath(layer.id), .includeRoot), try TreeSnapshot(tree, .includeRoot))
    }

    @Test func readsFromAPipe() throws {
        let test = try TemporaryStore()
        try test.tree("tree", "echo hello > file")
        var pipe = try FileDescriptor.pipe()
        let child = try ChildProcess.spawn(
            "tar", arguments: ["tar", "-C", test.directory + "/tree", "-cf", "-", "."],
            descriptors: [0, pipe.write.rawValue, 2])
        let read = pipe.keepRead()
        pipe = try FileDescriptor.pipe()
        let layer = try test.store.importLayer(from: read)
        #expect(try child.wait() == .exited(0))
        #expect(try shell("cat file", in: test.store.layerPath(layer.id)) == "hello\n")
    }

    @Test func laterEntriesReplaceEarlierOnes() throws {
        let test = try TemporaryStore()
        let layer = try test.importArchive(
            made: """
                mkdir one two; mkdir -p one/a one/b/c; echo old > one/f; echo x > one/a/x
                echo file > two/a; mkdir two/f; ln -s nowhere two/b
                tar -cf $A -C one . ; tar -rf $A -C two a f b
                """)
        let listing = try shell("find . -printf '%p %y\\n' | sort", in: test.store.layerPath(layer.id))
        #expect(listing == ". d\n./a f\n./b l\n./f d\n")
    }

    @Test func entriesMayComeWithoutTheirDirectories() throws {
        let test = try TemporaryStore()
        let layer = try test.importArchive(
            made: "mkdir -p x/y/z; echo 1 > x/y/z/f; ln -s y x/link; tar --no-recursion -cf $A x/y/z/f x/link")
        #expect(try shell("cat x/link/z/f; stat -c '%a %u' x/y", in: test.store.layerPath(layer.id)) == "1\n755 0\n")
    }

    @Test func whiteoutsOfALayerBecomeAnOverlays() throws {
        let test = try TemporaryStore()
        let make = """
            mkdir -p t/dir t/opaque t/both; : > t/.wh.gone; : > t/dir/.wh.x; : > t/opaque/.wh..wh..opq
            echo n > t/opaque/new; : > t/.wh.both; echo k > t/both/kept; : > t/.wh..wh.plnk
            """
        let layer = try test.importArchive(made: make + "; tar -cf $A -C t .", kind: .layer)
        let path = test.store.layerPath(layer.id)
        let script = """
            stat -c '%F %t %T' gone dir/x
            getfattr -n trusted.overlay.opaque --only-values opaque both; echo; find . | wc -l
            """
        #expect(try shell(script, in: path) == "character special file 0 0\ncharacter special file 0 0\nyy\n8\n")
        // A root file system has nothing below it: nothing is hidden, and nothing of the kind is kept.
        let root = try test.importArchive(made: "tar -cf $A -C t .")
        let names = try shell("find . | sort", in: test.store.layerPath(root.id))
        #expect(names == ".\n./both\n./both/kept\n./dir\n./opaque\n./opaque/new\n")
    }
}
