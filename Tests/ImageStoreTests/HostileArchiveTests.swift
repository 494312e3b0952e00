import ImageStore
import Linux
import OCI
import Testing

/// Archives that are damaged or want to harm: one clear error, nothing outside, nothing left.
@Suite struct HostileArchiveTests {
    /// Makes an archive with Python, which writes any name. `add(name, type, link, data)` adds an entry.
    static func python(_ body: String) -> String {
        """
        python3 - $A <<'END'
        import tarfile, io, sys
        t = tarfile.open(sys.argv[1], 'w', format=tarfile.PAX_FORMAT)
        def add(name, type=tarfile.REGTYPE, link='', data=b'evil'):
            i = tarfile.TarInfo(name); i.type = type; i.linkname = link
            i.size = len(data) if type == tarfile.REGTYPE else 0
            t.addfile(i, io.BytesIO(data) if type == tarfile.REGTYPE else None)
        def raw(size=0, mode=None, **more):
            i = tarfile.TarInfo('f'); b = bytearray(i.tobuf(tarfile.GNU_FORMAT))
            for key, value in more.items(): setattr(i, key, value)
            if more: b = bytearray(i.tobuf(tarfile.GNU_FORMAT))
            b[124:136] = b'%011o\\0' % size if 0 <= size < 1 << 33 else (b'\\x80' if size > 0 else b'\\xff') + size.to_bytes(11, 'big', signed=True)
            if mode: b[100:108] = mode
            b[148:156] = b' ' * 8; b[148:155] = b'%06o\\0' % sum(b)
            t.fileobj.write(b)
        def pax(key, value, type=tarfile.REGTYPE):
            i = tarfile.TarInfo('f'); i.type = type; i.pax_headers = {key: value}; t.addfile(i)
        def header(type, data, count=1):
            i = tarfile.TarInfo('f'); i.type = type; i.size = len(data)
            t.fileobj.write((i.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512)) * count)
        def record(key, value):
            rest = len(key) + len(value) + 3; length = rest + len(str(rest)); length = rest + len(str(length))
            return b'%d %s=%s\\n' % (length, key, value)
        def sparse(data):
            header(b'x', b''.join(record(b'GNU.sparse.' + k, b'%d' % v) for k, v in ((b'major', 1), (b'realsize', 9))))
            header(b'0', data + b'\\n' * (-len(data) % 512))
        def old_sparse(blocks):
            b = bytearray(tarfile.TarInfo('f').tobuf(tarfile.GNU_FORMAT)); b[156] = ord('S'); b[482] = 1
            b[148:156] = b' ' * 8; b[148:155] = b'%06o\\0' % sum(b)
            t.fileobj.write(b + ((b'0' * 11 + b'\\0') * 42 + b'\\1' + bytes(7)) * blocks + bytes(512))
        SYM, LNK, DIR, CHR = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE
        \(body)
        t.close()
        END
        """
    }

    @Test(arguments: [
        "add('../evil')", "add('a/../../evil')", "add('a', DIR); add('a/../../../evil')", "add('/../evil')",
        "add('ok'); add('link', LNK, '../../victim')", "add('link', LNK, '/victim')",
        "add('d', SYM, '/'); add('d/victim')  ; add('x/../../y')",
        "add('d', SYM, '/'); add('d/../../evil')", "add('ok'); add('link', LNK, 'd/../../victim')",
        "add('x', DIR); add('y', LNK, 'x')",
        "add('f'); add('f/child')", "add('l', SYM, 'nowhere'); add('l/child')", "add('l', SYM, 'l'); add('l/child')",
        "add('n' * 256)", "add('link', LNK, 'missing')", "add('unknown', b'Z')",
        "add('.wh..')", "add('.wh...')", "add('.wh.')", "add('d', DIR); add('d/.wh..')",
        "add('d', DIR); add('d/.wh...')",
        "add('d', SYM, 'e'); add('d/f')", "add('d', DIR); add('d/x'); add('d', SYM, '../sub'); add('d/y')",
        "add('a/' * 5000 + 'f')", "raw(size=-1)", "raw(size=1 << 62)", "raw(size=1 << 40)", "raw(uid=-5)",
        "raw(mode=b'9' * 8)", "pax('size', '-1')", "pax('size', '9' * 30)", "pax('mtime', 'soon')",
        "pax('path', '../evil')",
        "pax('linkpath', '/victim', LNK)", "pax('GNU.sparse.map', '0,1,0,1')", "pax('GNU.sparse.map', '5,-1')",
        "pax('SCHILY.acl.access', 'user::rwq')", "t.fileobj.write(b'x' * 5000)",
        // More than any entry needs, and nothing that ends.
        "header(b'x', b''.join(record(b'SCHILY.xattr.user.%d' % i, b'') for i in range(5000))); add('f')",
        "header(b'x', record(b'comment', b'x' * (7 << 20)), count=3); add('f')",
        "header(b'g', record(b'comment', b'x' * (1 << 20)), count=17); add('f')",
        "header(b'V', b'x' * (1 << 20), count=17); add('f')",
        "sparse(b'2000000\\n' + b'0\\n0\\n' * 2000000)", "old_sparse(60000)",
    ])
    func isRefused(_ body: String) throws {
        let test = try TemporaryStore()
        try shell("echo untouched > victim; mkdir sub", in: test.directory)
        let before = try TreeSnapshot(test.directory + "/sub", .includeRoot)
        let error = #expect(throws: StoreError.self) {
            try test.importArchive(made: Self.python(body), kind: .layer)
        }
        #expect(error?.code == .badArchive, "\(error?.message ?? "")")
        #expect(error?.message.contains("\n") == false)
        #expect(try shell("cat victim; ls | grep -v archive", in: test.directory) == "untouched\nstore\nsub\nvictim\n")
        expectSameTree(try TreeSnapshot(test.directory + "/sub", .includeRoot), before)
        try test.expectNothingUnfinished()
        #expect(try test.store.layers() == [])
        #expect(try test.names(in: "layers") == [])
    }

    /// Absolute names and links count from the root of the layer.
    @Test(arguments: [
        "add('/etc/passwd')", "add('d', SYM, '/etc'); add('etc', DIR); add('d/passwd')",
        "add('d', SYM, '../../../../etc'); add('etc', DIR); add('d/passwd')",
        "add('etc', DIR); add('a', DIR); add('a/b', SYM, '/etc'); add('a/b/passwd')",
        "add('etc', DIR); add('etc/x'); add('etc/passwd', LNK, '/etc/x')", "add('.//./etc///passwd')",
        // A name's `..` removes the component before it, whatever that is: it follows no symbolic link.
        "add('etc/ssl/../passwd')", "add('etc', DIR); add('etc/x'); add('etc/passwd', LNK, 'usr/../etc/./x')",
        "add('a', DIR); add('a/b', DIR); add('d', SYM, 'a/b'); add('d/../etc/passwd')",
    ])
    func staysInside(_ body: String) throws {
        let test = try TemporaryStore()
        let victim = try FileDescriptor.open("/etc/passwd").readAll()
        let layer = try test.importArchive(made: Self.python(body), kind: .layer)
        #expect(try shell("cat etc/passwd", in: test.store.layerPath(layer.id)) == "evil")
        #expect(try FileDescriptor.open("/etc/passwd").readAll() == victim)
    }

    @Test func deviceWhiteoutsAreNotMade() throws {
        let test = try TemporaryStore()
        let layer = try test.importArchive(made: Self.python("add('hidden', CHR); add('kept')"))
        #expect(try shell("ls", in: test.store.layerPath(layer.id)) == "kept\n")
    }

    @Test(arguments: [
        "head -c 100000 /dev/zero | gzip > $A", ": > $A", "echo 'no archive at all' > $A",
        "head -c 70000 /dev/urandom > $A",
        "tar -cz -C / etc/passwd usr/bin/env | head -c 5000 > $A", "tar -cJ -C / usr/bin/env | head -c 3000 > $A",
        "tar -c --zstd -C / usr/bin/env | head -c 3000 > $A", "tar -c -C / usr/bin/env | head -c 20000 > $A",
        "tar -c -C / usr/bin/env | head -c 700 > $A",
        "tar -cf $A -C / etc/passwd; printf 'XX' | dd of=$A bs=1 seek=20 conv=notrunc status=none",
        "tar -czf $A -C / etc/passwd; truncate -s -6 $A",
        "printf 'PK\\003\\004' > $A; head -c 1000 /dev/zero >> $A",
    ])
    func damagedArchivesAreRefused(_ command: String) throws {
        let test = try TemporaryStore()
        if command.hasPrefix("head -c 100000 /dev/zero") {
            // Zeros are an archive without entries.
            #expect(try test.importArchive(made: command).archiveSize == 1024)
            return
        }
        let error = #expect(throws: StoreError.self) { try test.importArchive(made: command) }
        #expect(error?.code == .badArchive)
        try test.expectNothingUnfinished()
        #expect(try test.store.layers() == [])
    }

    private func importDamaged(_ bytes: [UInt8], _ test: TemporaryStore) throws -> StoreError? {
        let path = test.directory + "/bad"
        try FileDescriptor.open(path, [.create, .truncate, .writeOnly], mode: 0o600).writeAll(bytes)
        do throws(StoreError) {
            _ = try test.store.importFile(path, ImportOptions(kind: .layer, maximumBytes: 1 << 30))
            return nil
        } catch {
            return error
        }
    }

    /// Damage anywhere leads to an error or to a layer, never to a trap.
    @Test func randomDamageNeverTraps() throws {
        let test = try TemporaryStore()
        try test.tree(
            "tree", "echo x > f; ln f g; setfattr -n user.a -v b f; truncate -s 100k s; echo e >> s; ln -s f l")
        try shell("tar --format=pax --sparse --xattrs --xattrs-include='*' -cf good -C tree .", in: test.directory)
        let good = try FileDescriptor.open(test.directory + "/good").readAll()
        var random = SystemRandomNumberGenerator()
        var refused = 0
        for _ in 0..<300 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                bytes[Int.random(in: 0..<min(bytes.count, 8192), using: &random)] = random.next()
            }
            for start in stride(from: 0, to: min(bytes.count, 8192), by: 512) where bytes[start + 257] == 0x75 {
                // A right checksum, so that the damage is looked at and not only noticed.
                bytes.replaceSubrange(start + 148..<start + 156, with: Array("        ".utf8))
                let sum = bytes[start..<start + 512].reduce(0) { $0 + Int($1) }
                let digits = String(sum, radix: 8)
                let field = String(repeating: "0", count: max(0, 6 - digits.count)) + digits
                bytes.replaceSubrange(start + 148..<start + 154, with: Array(field.utf8))
            }
            if let error = try importDamaged(bytes, test) {
                refused += 1
                #expect([.badArchive, .io, .notPermitted, .noSpace].contains(error.code), "\(error)")
            }
        }
        #expect(refused > 0)
        try test.expectNothingUnfinished()
    }

    @Test func limitsAreKept() throws {
        let test = try TemporaryStore()
        try shell("head -c 50M /dev/zero > big; tar -czf bomb big; tar -cf many -C /usr/bin .", in: test.directory)
        for (name, options) in [
            ("bomb", ImportOptions(maximumBytes: 1 << 20)), ("many", ImportOptions(maximumEntries: 10)),
        ] {
            let error = #expect(throws: StoreError.self) {
                try test.store.importFile("\(test.directory)/\(name)", options)
            }
            #expect(error?.code == .badArchive)
        }
        try test.expectNothingUnfinished()
    }
}
