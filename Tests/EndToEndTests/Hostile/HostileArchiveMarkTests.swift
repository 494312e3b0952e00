import TestSupport
import Testing

extension EndToEnd {
    /// What the layers of an image's archive bring under the names of overlays' notes is data on every way through a store.
    @Suite(.serialized) struct HostileArchiveMarks {
        /// Writes an image `marked` of two layers: a base, and one with each kind of note under each prefix.
        private static let program = """
            import hashlib, io, json, sys, tarfile
            def tar(*files):
                out = io.BytesIO()
                with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT) as archive:
                    for name, data, notes in files:
                        entry = tarfile.TarInfo(name)
                        entry.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
                        entry.mode = 0o755
                        entry.size = len(data or b'')
                        entry.pax_headers = {'SCHILY.xattr.' + key: value for key, value in notes.items()}
                        archive.addfile(entry, io.BytesIO(data or b''))
                return out.getvalue()
            base = [('lower', None, {}), ('lower/file', b'kept', {}), ('other', None, {}), ('other/file', b'other', {}),
                    ('data', b'12345', {}), ('gone', b'here', {})]
            top = []
            for number, prefix in enumerate(sys.argv[2:]):
                n = str(number)
                top += [('lower' + n, None, {prefix + 'opaque': 'y'}), ('lower', None, {prefix + 'opaque': 'y'}),
                        ('lower' + n + '/new', b'new', {}), ('moved' + n, None, {prefix + 'redirect': '/other'}),
                        ('hole' + n, bytes(5), {prefix + 'metacopy': '', prefix + 'redirect': '/data'}),
                        ('from' + n, b'own', {prefix + 'origin': 'no handle', prefix + 'nlink': 'U+3'}),
                        ('white' + n, None, {prefix + 'opaque': 'x'}),
                        ('white' + n + '/empty', b'', {prefix + 'whiteout': 'y'})]
                base += [('lower' + n, None, {}), ('lower' + n + '/file', b'kept', {}), ('white' + n, None, {}),
                         ('white' + n + '/empty', b'below', {})]
            layers = [tar(*base), tar(*top)]
            digests = ['sha256:' + hashlib.sha256(layer).hexdigest() for layer in layers]
            config = {'architecture': 'amd64', 'os': 'linux', 'config': {},
                      'rootfs': {'type': 'layers', 'diff_ids': digests}}
            manifest = [{'Config': 'config', 'RepoTags': ['marked:latest'], 'Layers': ['0', '1']}]
            with tarfile.open(sys.argv[1], 'w') as archive:
                for name, data in [('config', json.dumps(config).encode()), ('0', layers[0]), ('1', layers[1]),
                                   ('manifest.json', json.dumps(manifest).encode())]:
                    entry = tarfile.TarInfo(name)
                    entry.size = len(data)
                    archive.addfile(entry, io.BytesIO(data))
            """

        /// What an image shows, attributes included, is in `$1`; further names are those of images that show the same.
        private static let script = """
            show() {
                strata --root "$1" mount "$2" place > /dev/null
                (cd place; find . -mindepth 1 -type d -printf '%p %m\\n' -o -printf '%p %m %s\\n' | sort
                 find . -type f | sort | xargs md5sum; find . | sort | xargs getfattr -hdm -) > "$3"
                strata --root "$1" umount place > /dev/null
            }
            strata --root one load -qi marked.tar
            show one marked loaded
            strata --root one mount --rw --name edit marked place > /dev/null
            (cd place; for i in moved* hole* from* white*; do chmod 755 $i; done; touch -d @7 white*/empty)
            strata --root one umount place > /dev/null
            strata --root one commit edit edited > /dev/null
            show one edited committed
            strata --root one build -qt copied context > /dev/null
            show one copied built
            for image in marked edited copied; do
                strata --root one save -o $image.tar $image
                strata --root two load -qi $image.tar
                show two $image saved-$image
            done
            strata --root one create --name box marked /none > /dev/null
            strata --root one export -o files.tar box
            strata --root one import files.tar exported > /dev/null
            show one exported exported
            for i in committed built saved-* exported; do diff loaded $i; done
            cat loaded
            """

        @Test(arguments: [false, true])
        func `notes are data from load to save`(rootless: Bool) throws {
            try Strata.test { strata in
                try strata.write(Self.program, to: "make.py")
                try strata.write("FROM marked AS a\nFROM scratch\nCOPY --from=a / /\n", to: "context/Dockerfile")
                try strata.write("set -eu\n" + Self.script, to: "script")
                let prefixes = ["user.overlay.", "user.fuseoverlayfs."] + (rootless ? [] : ["trusted.overlay."])
                let output = try Program.shell(
                    """
                    cd '\(strata.scratch)'; mkdir place; export PATH="$(dirname '\(try Strata.binary())'):$PATH"
                    python3 make.py marked.tar \(prefixes.joined(separator: " "))
                    \(rootless ? "unshare -Urm" : "") sh script
                    """)
                for (number, prefix) in prefixes.enumerated() {
                    for name in ["lower/file", "lower\(number)/file", "lower\(number)/new", "white\(number)/empty"] {
                        #expect(output.contains("./\(name) "), "\(prefix) hides \(name)")
                    }
                    #expect(!output.contains("moved\(number)/"), "\(prefix)redirect leads somewhere")
                    #expect(output.contains("./hole\(number) 755 5\n"))
                    for note in ["opaque=\"x\"", "redirect=\"/data\"", "origin=\"no handle\"", "whiteout=\"y\""] {
                        #expect(output.contains(prefix + note), "\(prefix)\(note) is lost")
                    }
                }
                // The bytes of the hole, three times the same, and not those of `data`.
                let zeros = output.split(separator: "\n").filter { $0.hasPrefix("ca9c491ac66b2c62500882e93f3719a8") }
                #expect(zeros.count == prefixes.count)
            }
        }

        @Test func `an attribute that only root may set is named`() throws {
            try Strata.test { strata in
                try strata.write(Self.program, to: "make.py")
                let line = try Program.shell(
                    """
                    cd '\(strata.scratch)'; python3 make.py marked.tar trusted.overlay.
                    unshare -Urm '\(try Strata.binary())' --root store load -i marked.tar 2>&1 || true
                    """)
                #expect(line.contains("may set the attribute trusted.overlay.opaque") && line.hasPrefix("strata: "))
                #expect(line.split(separator: "\n").count == 1, "\(line)")
            }
        }
    }
}
