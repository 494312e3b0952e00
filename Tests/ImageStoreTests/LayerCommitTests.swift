import ImageStore
import Linux
import OCI
import Testing

/// Upper directories made by the kernel's own overlay, committed as layers; what the union showed is the oracle.
@Suite(.serialized) struct LayerCommitTests {
    static let base = """
        mkdir -p a/b/c d/e empty; echo 1 > a/one; echo 2 > a/b/two; echo 3 > a/b/c/three; echo 4 > d/e/four
        echo h > hard; ln hard d/hard; echo i > a/in; ln a/in a/b/c/in; ln -s one a/link; head -c 300000 /dev/urandom > big; chmod 4755 big
        setfattr -n user.x -v y a/one; mkfifo d/fifo; chmod 700 d/e; touch -d @1000000 a/b d/e
        setfattr -n user.d -v z a/b; cp /bin/true cap; setcap cap_net_raw+ep cap
        """
    static let second =
        "mkdir -p a/b d; echo 22 > a/b/two; echo new > a/b/new; mknod d/e c 0 0; echo z > d/z; touch -d @2000000 a/b a d"

    @Test(arguments: [
        // Plain changes.
        "echo x > new; rm a/one; echo y >> a/b/two; rm -r d; mkdir d; echo z > d/z; chmod 711 .; rm hard",
        // Attributes alone, so that the data stay below.
        "chmod 600 big; chown 5:6 cap; setcap cap_net_raw+ep cap; touch -d @77 a/one; setfattr -n user.q -v 1 hard",
        // Renamed directories.
        "mv a z", "mv a/b moved; echo x > moved/x; rm moved/two",
        "mv a z; mv z/b z/y; rm z/y/c/three; echo 1 > z/y/c/n",
        "mkdir n; mv a n/a; mv n/a/b n/b", "mv a/b/c c; mv a d/a; mkdir a; echo fresh > a/f; chmod 600 d/a/one",
        "mv a z; mkdir a; mv z/b a/b; rm a/b/two; echo 1 > a/b/two",
        "mv a z; chmod 600 z/b/two; mv z/b/two top; mv big z/",
        "mv a z; rm -r z/b; mkdir z/b; echo o > z/b/opaque", "mv a/b a/q; mv a z; rm -r z/q/c; mv z/q/new z/q/newer",
        // A renamed file with its data below, and hard links.
        "chmod 640 big; mv big a/b/large; ln a/b/large other", "chmod 600 hard; ln d/hard third; mv a z",
        "echo w >> hard; rm hard", "mv a z; echo w >> z/in", "echo w >> a/b/c/in; mv a/b z; chmod 4711 hard",
    ])
    func showsTheSameAsTheUnion(_ script: String) throws {
        let test = try TemporaryStore()
        let layers = [try test.layer(Self.base).id, try test.layer(Self.second).id]
        let union = try KernelUnion(test, layers)
        let shown = try union.run(script)
        let before = try layers.map { try LayerArchiveWriter.summary(of: test.store.layerPath($0), marks: .trusted) }

        let copy = try test.store.commitLayer(copyingUpper: union.upper, lowers: layers)
        let pending = try test.store.commitLayer(takingUpper: union.upper, lowers: layers)
        #expect(try shell("ls", in: union.directory) == "merged\nwork\n")
        let layer = try pending.finish()
        expectSameTree(try test.show(layers + [layer.id]), shown)
        let notes = try shell(
            "find . | xargs -d '\\n' getfattr -hdm overlay | grep -av -e '^#' -e '^$' || true",
            in: test.store.layerPath(layer.id))
        #expect(notes.split(separator: "\n").allSatisfy { $0 == "trusted.overlay.opaque=\"y\"" }, "\(notes)")
        // Both ways of committing give the same layer, which is stored once.
        #expect(try copy.finish().id == layer.id)

        // The layer's archive, unpacked elsewhere, shows the same as well.
        let archive = test.directory + "/again"
        let file = try FileDescriptor.open(archive, [.create, .writeOnly], mode: 0o600)
        let number = file.rawValue
        _ = try LayerArchiveWriter.write(tree: test.store.layerPath(layer.id), marks: .trusted) {
            (piece) throws(StoreError) in
            do throws(Errno) { try BorrowedDescriptor(number).writeAll(piece) } catch {
                throw StoreError("test", error)
            }
        }
        let other = try TemporaryStore()
        let unpacked = try other.store.importFile(archive, ImportOptions(kind: .layer))
        #expect(unpacked.diffID == layer.diffID)
        // Nothing was written below.
        #expect(
            try layers.map { try LayerArchiveWriter.summary(of: test.store.layerPath($0), marks: .trusted) } == before)
        try test.expectNothingUnfinished()
    }

    @Test func namesAsLongAsTheyMayBe() throws {
        let test = try TemporaryStore()
        let names = """
            A=$(printf 'a%.0s' $(seq 255)); U=$(printf '€%.0s' $(seq 85)); Z=$(printf 'z%.0s' $(seq 255))
            W=$(printf 'ü€%.0s' $(seq 51))
            """
        let layers = [
            try test.layer(
                """
                \(names); mkdir $A m m/$U g g/$A; echo 1 > $A/$U; echo 2 > $U; echo 3 > m/$U/$A; echo h > m/$Z; ln m/$Z $Z
                ln m/$Z m/$W; echo 4 > g/$A/$U; echo 5 > g/$U; head -c 20000 /dev/zero > m/$A
                """
            ).id,
            try test.layer("\(names); mkdir $A m; echo new > $A/$A; echo new > m/new").id,
        ]
        let union = try KernelUnion(test, layers)
        let shown = try union.run(
            """
            \(names); mv $A $W; echo + >> $W/$U; ln $U m/$U/$U; mv m/$W w; echo + >> $Z; chmod 600 m/$A; mv m/$A $A
            mv m x; mkdir m; echo n > m/$U; rm -r g/$A g/$U; mkdir g/$A; echo n > g/$A/$W
            """)
        let long = String(repeating: "€", count: 85)
        let changes = try test.store.changes(inUpper: union.upper, lowers: layers)
        #expect(changes.contains { $0.kind == .deleted && $0.path == "/g/\(long)" })
        #expect(changes.contains { $0.kind == .added && $0.path == "/x/\(long)/\(long)" })
        let layer = try test.store.commitLayer(takingUpper: union.upper, lowers: layers).finish()
        expectSameTree(try test.show(layers + [layer.id]), shown)

        let (other, archive) = (try TemporaryStore(), test.directory + "/archive")
        let file = try FileDescriptor.open(archive, [.create, .writeOnly], mode: 0o600)
        let number = file.rawValue
        try test.store.writeArchive(of: layer.id) { (piece) throws(StoreError) in
            do throws(Errno) { try BorrowedDescriptor(number).writeAll(piece) } catch {
                throw StoreError("test", error)
            }
        }
        #expect(try other.store.importFile(archive, ImportOptions(kind: .layer)).diffID == layer.diffID)
    }

    @Test func aCommitThatFailedCanBeDoneAgain() throws {
        let test = try TemporaryStore()
        let base = try test.layer(Self.base).id
        let other = try test.layer("echo x > f").id
        let union = try KernelUnion(test, [base])
        let shown = try union.run("chmod 600 big; mv big moved")
        // Without its origin only the redirect leads to the data.
        try shell(
            "getfattr -n trusted.overlay.metacopy moved; setfattr -x trusted.overlay.origin moved", in: union.upper)
        #expect(throws: StoreError.self) { try test.store.commitLayer(takingUpper: union.upper, lowers: [other]) }
        let layer = try test.store.commitLayer(takingUpper: union.upper, lowers: [base]).finish()
        expectSameTree(try test.show([base, layer.id]), shown)
    }

    @Test func canBeUsedBeforeItIsFinished() throws {
        let test = try TemporaryStore()
        let base = try test.layer(Self.base).id
        let first = try KernelUnion(test, [base])
        _ = try first.run("echo 1 > first")
        let pending = try test.store.commitLayer(takingUpper: first.upper, lowers: [base])
        let second = try KernelUnion(test, [base, pending.id])
        let shown = try second.run("echo 2 > second; cat first")
        let last = try test.store.commitLayer(takingUpper: second.upper, lowers: [base, pending.id]).finish()
        let middle = try pending.finish()
        expectSameTree(try test.show([base, middle.id, last.id]), shown)
        #expect(try test.store.layers().count == 3)
    }

    @Test func tellsWhatChanged() throws {
        let test = try TemporaryStore()
        let layers = [try test.layer(Self.base).id]
        let union = try KernelUnion(test, layers)
        _ = try union.run(
            """
            echo x > new; mkdir -p dir/sub; rm a/one; echo y >> a/b/two; rm -r d; mkdir d; echo z > d/z; chmod 600 big
            rm -r empty
            """)
        let changes = try test.store.changes(inUpper: union.upper, lowers: layers)
        #expect(
            changes.map { "\($0.kind.rawValue) \($0.path)" } == [
                "C /a", "C /a/b", "C /a/b/two", "D /a/one", "C /big", "C /d", "D /d/e", "D /d/fifo", "D /d/hard",
                "A /d/z", "A /dir",
                "A /dir/sub", "D /empty", "A /new",
            ])
        let renamed = try KernelUnion(test, layers)
        _ = try renamed.run("mv a z; rm z/one; echo n > z/n")
        let moves = try test.store.changes(inUpper: renamed.upper, lowers: layers)
        #expect(
            moves.map { "\($0.kind.rawValue) \($0.path)" } == [
                "D /a", "A /z", "A /z/b", "A /z/b/c", "A /z/b/c/in", "A /z/b/c/three", "A /z/b/two", "A /z/in",
                "A /z/link",
                "A /z/n",
            ])
    }

    /// The form of Linux 6.7, as somebody writes it who prepares an upper directory by hand. `w` makes a whiteout.
    static let preparedUppers = [
        "w a; w big", "mkdir a a/b; setfattr -n trusted.overlay.opaque -v x a; w a/one; w a/b/two; w a/b/none",
        "mkdir a; setfattr -n trusted.overlay.opaque -v y a; echo x > a/one; w a/b",
        "w a; mkdir z z/b; setfattr -n trusted.overlay.redirect -v /a z; w z/one; w z/b/c; echo 3 > z/b/three",
        "w hard; ln hard big; mkdir n; ln hard n/none",
        // What only resembles one is a file.
        "echo x > big; setfattr -n trusted.overlay.whiteout big; touch hard; setfattr -n user.overlay.whiteout hard",
        "ln -s x big; setfattr -hn trusted.overlay.whiteout big; mkdir a; setfattr -n trusted.overlay.whiteout a",
        "touch a hard; setfattr -n trusted.overlay.overlay.whiteout -v y a; setfattr -n trusted.overlay.overlay.opaque -v x a",
    ]

    @Test(arguments: preparedUppers)
    func whiteoutsInEitherFormAreOne(_ script: String) throws {
        let test = try TemporaryStore()
        let base = try test.layer(Self.base).id
        let forms = ["mknod $1 c 0 0", "touch $1; setfattr -n trusted.overlay.whiteout $1"]
        let unions = try forms.map { form in
            let union = try KernelUnion(test, [base])
            try shell("w() { \(form); }; \(script); find . -exec touch -hd @1000000 {} +", in: union.upper)
            return union
        }
        let changes = try unions.map { try test.store.changes(inUpper: $0.upper, lowers: [base]) }
        #expect(changes[0] == changes[1])
        let layers = try unions.flatMap { union in
            [
                try test.store.commitLayer(copyingUpper: union.upper, lowers: [base]).finish().id,
                try test.store.commitLayer(takingUpper: union.upper, lowers: [base]).finish().id,
            ]
        }
        #expect(Set(layers).count == 1)
        // The kernel's overlay over the upper directory as it was is the oracle.
        let oracle = try KernelUnion(test, [base])
        try shell("w() { \(forms[0]); }; \(script); find . -exec touch -hd @1000000 {} +", in: oracle.upper)
        expectSameTree(try test.show([base, layers[0]]), try oracle.run("true"))
    }

    @Test func emptyUpperIsTheEmptyLayer() throws {
        let test = try TemporaryStore()
        let base = try test.layer("echo x > f").id
        let union = try KernelUnion(test, [base])
        _ = try union.run("cat f")
        let layer = try test.store.commitLayer(takingUpper: union.upper, lowers: [base]).finish()
        #expect(layer.diffID == Digest.sha256(of: [UInt8](repeating: 0, count: 1024)))
    }
}
