import Glibc
import Linux
import Testing

extension EndToEnd {
    /// Images that go to other tools and come from them: documents, digests and trees compared, in both directions. The
    /// outcome is the table in `docs/interoperability.md`.
    @Suite(.serialized) struct InteroperationTests {
        private typealias Row = InteroperationMatrix.Row
        private typealias Tree = InteroperationMatrix.Tree

        /// Fills a directory with everything that a root file system can hold.
        private static let fill = """
            echo hello >plain; chmod 640 plain; chown 12:34 plain; cp /bin/true setid; chmod 6755 setid
            mkdir -p dir/sub gone/deep hidden/deep kept turned; chmod 1777 dir; chown 3000000:65534 dir/sub; chmod 2751 dir/sub
            ln plain hard; ln plain dir/hard; ln -s ../plain dir/link; ln -s /nowhere broken; chown -h 7:8 broken
            mknod null c 1 3; chmod 666 null; mknod block b 259 65537; mkfifo fifo
            setfattr -n user.note -v 'a value' plain; setfattr -n user.bin -v 0x00ff0a3d00 dir
            cp /bin/true capable; setcap cap_net_raw+ep capable
            setfacl -m u:1234:rw,g:99:r setid; setfacl -d -m u:55:rwx kept
            truncate -s 3M sparse; printf end | dd of=sparse bs=1 seek=1M conv=notrunc status=none
            n=$(printf 'n%.0s' $(seq 150)); mkdir -p $n/$n; echo long >$n/$n/$n; : >'new
            line'; printf x >"$(printf 'e\\314\\201')"
            for f in gone/a gone/deep/b hidden/a hidden/deep/b kept/a kept/b turned/x removed; do echo $f >$f; done
            find . -exec touch -h -d '2001-02-03 04:05:06.123456789' {} +
            """

        /// Changes it, so that the next layer has whiteouts of files and directories, and opaque directories.
        private static let change = """
            rm -r gone removed kept/b hidden; mkdir hidden; echo new >hidden/new; rm -r turned; echo 'a file' >turned
            chmod 600 kept/a; mv dir moved; ln kept/a kept/c; rm null; mkdir null; rm fifo; ln -s plain fifo
            find hidden turned kept/a null fifo -exec touch -h -d '2005-06-07 08:09:10.5' {} +
            """

        @Test func matrix() throws {
            var matrix = InteroperationMatrix()
            try Strata.test { strata in
                let ours = try Self.makeOurs(strata)
                try Self.sendToPodman(strata, ours, &matrix)
                try Self.sendToBuildah(strata, ours, &matrix)
                try Self.sendThroughSkopeo(strata, ours, &matrix)
                try Self.sendToUmoci(strata, ours, &matrix)
                try Self.takeFromPodman(strata, &matrix)
                try Self.takeFromBuildah(strata, &matrix)
                try Self.takeFromUmoci(strata, &matrix)
            }
            let repository = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
            try matrix.expect(in: repository + "/docs/interoperability.md")
        }

        /// A copy of our layout in a place without capitals: Podman and Buildah make the image's name of the path.
        private static func copyWithPlainName(_ strata: Strata) throws -> String {
            let copy = "/var/tmp/strata-interoperation-\(getpid())"
            try Program.shell("rm -rf \(copy); cp -r '\(strata.scratch)/ours.oci-dir' \(copy)")
            return copy
        }

        // MARK: Our side

        /// An image of ours, and what is known of it.
        private struct Image {
            var id: String
            var manifest: String
            var tree: Tree
        }

        /// The image of that name, mounted and looked at.
        private static func describe(_ name: String, _ strata: Strata) throws -> Image {
            let place = try strata.directory("mounted")
            try strata("mount", name, place)
            defer { _ = try? strata.run(["umount", place]) }
            return Image(
                id: try strata("inspect", "-f", "{{.Id}}", name),
                manifest: try strata("inspect", "-f", "{{.Descriptor.digest}}", name), tree: try Tree(place))
        }

        /// An image of two layers, saved in all forms.
        private static func makeOurs(_ strata: Strata) throws -> Image {
            let tree = try strata.directory("tree")
            try Program.shell(
                """
                cd '\(tree)'; \(fill)
                tar --format=pax --xattrs --xattrs-include='*' --acls --numeric-owner --sparse -cf ../base.tar .
                tar --format=pax --xattrs --xattrs-include='*' --acls --numeric-owner -cf ../plain.tar .
                """)
            try strata("import", "-c", "CMD [\"/setid\"]", strata.scratch + "/base.tar", "base")
            let place = try strata.directory("work")
            try strata("mount", "--rw", "--name", "editor", "base", place)
            try Program.shell("cd '\(place)'; \(change)")
            try strata("umount", place)
            try strata("commit", "editor", "localhost/ours:1")
            try strata("rm", "editor")
            for form in ["docker-archive", "oci-archive", "oci-dir"] {
                try strata("save", "--format", form, "-o", "\(strata.scratch)/ours.\(form)", "localhost/ours:1")
            }
            return try describe("localhost/ours:1", strata)
        }

        /// Loads what is at a path and describes it under its ID.
        private static func load(_ path: String, _ strata: Strata) throws -> Image {
            let line = try #require(try strata("load", "-i", path).split(separator: "\n").last)
            return try describe(String(line.split(separator: " ").last ?? ""), strata)
        }

        // MARK: Theirs

        private static func sendToPodman(
            _ strata: Strata, _ ours: Image, _ matrix: inout InteroperationMatrix
        ) throws {
            let layout = try copyWithPlainName(strata)
            defer { try? FileDescriptor.currentDirectory.removeTree(layout) }
            for (form, command) in [
                ("docker-archive", "load -q -i '\(strata.scratch)/ours.docker-archive'"),
                ("oci-archive", "load -q -i '\(strata.scratch)/ours.oci-archive'"),
                ("oci-dir", "pull -q oci:\(layout)"),
            ] {
                let tool = try ContainerTool(.podman, home: "\(strata.scratch)/podman-\(form)", overlay: "")
                defer { tool.end() }
                try tool.shell(
                    "tool \(command) --signature-policy policy.json; tool tag $(tool images -q) localhost/it")
                let facts = try tool.shell("tool image inspect --format '{{.Id}} {{.Digest}}' localhost/it").split(
                    whereSeparator: \.isWhitespace)
                var row = Row("Strata →", "Podman", form)
                row.compare(.identity, ours.id, "sha256:\(facts.first ?? "")")
                // Of Docker's form these tools read only manifest.json, which has no digest.
                if form != "docker-archive" { row.compare(.manifest, ours.manifest, String(facts.last ?? "")) }
                row.compare(ours.tree, try tool.withMounted("it") { try Tree($0) })
                matrix.add(row)
            }
        }

        private static func sendToBuildah(
            _ strata: Strata, _ ours: Image, _ matrix: inout InteroperationMatrix
        ) throws {
            let layout = try copyWithPlainName(strata)
            defer { try? FileDescriptor.currentDirectory.removeTree(layout) }
            for (form, source) in [
                ("docker-archive", "docker-archive:\(strata.scratch)/ours.docker-archive"),
                ("oci-archive", "oci-archive:\(strata.scratch)/ours.oci-archive"),
                ("oci-dir", "oci:\(layout)"),
            ] {
                let tool = try ContainerTool(.buildah, home: "\(strata.scratch)/buildah-\(form)", overlay: "")
                defer { tool.end() }
                try tool.shell(
                    "tool pull -q --signature-policy policy.json \(source); tool tag $(tool images -q) localhost/it")
                let facts = try tool.shell(
                    "tool inspect --type image --format '{{.FromImageID}} {{.FromImageDigest}}' localhost/it"
                ).split(whereSeparator: \.isWhitespace)
                var row = Row("Strata →", "Buildah", form)
                row.compare(.identity, ours.id, "sha256:\(facts.first ?? "")")
                if form != "docker-archive" { row.compare(.manifest, ours.manifest, String(facts.last ?? "")) }
                row.compare(ours.tree, try tool.withMounted("it") { try Tree($0) })
                matrix.add(row)
            }
        }

        /// skopeo has no trees: it turns one form into another, and we read that.
        private static func sendThroughSkopeo(
            _ strata: Strata, _ ours: Image, _ matrix: inout InteroperationMatrix
        ) throws {
            let policy = try strata.write("{\"default\":[{\"type\":\"insecureAcceptAnything\"}]}", to: "policy.json")
            for (from, to) in [
                ("docker-archive", "oci-archive"), ("oci-archive", "docker-archive"), ("oci-dir", "oci"),
            ] {
                let target = "\(strata.scratch)/skopeo.\(to)"
                let source = from == "oci-dir" ? "oci" : from
                try Program.shell(
                    """
                    skopeo --policy '\(policy)' copy -q '\(source):\(strata.scratch)/ours.\(from)' \\
                        '\(to):\(target)\(to == "docker-archive" ? ":localhost/skopeo:1" : "")'
                    """)
                try Strata.test { other in
                    let back = try load(target, other)
                    var row = Row("Strata → skopeo → Strata", "skopeo", "\(from), \(to)")
                    row.compare(.identity, ours.id, back.id)
                    if from != "docker-archive", to != "docker-archive" {
                        let digest = try Program.shell(
                            "skopeo inspect --raw 'oci:\(target)' | sha256sum | cut -d' ' -f1")
                        row.compare(.manifest, "sha256:\(digest.dropLast())", back.manifest)
                    }
                    row.compare(ours.tree, back.tree)
                    matrix.add(row)
                }
            }
        }

        private static func sendToUmoci(
            _ strata: Strata, _ ours: Image, _ matrix: inout InteroperationMatrix
        ) throws {
            try Program.shell(
                "cd '\(strata.scratch)'; cp -r ours.oci-dir umoci-in; umoci unpack --image umoci-in:1 bundle 2>&1")
            var row = Row("Strata →", "umoci", "oci-dir")
            row.compare(ours.tree, try Tree(strata.scratch + "/bundle/rootfs"))
            matrix.add(row)
        }

        private static func takeFromPodman(_ strata: Strata, _ matrix: inout InteroperationMatrix) throws {
            let tool = try ContainerTool(.podman, home: "\(strata.scratch)/podman", overlay: "")
            defer { tool.end() }
            try tool.shell(
                """
                tool import -q --signature-policy policy.json '\(strata.scratch)/plain.tar' localhost/base 2>&1
                id=$(tool create localhost/base /setid); place=$(tool mount $id)
                (cd "$place"; \(change))
                tool umount $id; tool commit -q $id localhost/it; tool rm $id
                """)
            let id = try tool.shell("tool image inspect --format '{{.Id}}' localhost/it").dropLast()
            let theirs = try tool.withMounted("it") { try Tree($0) }
            for form in ["docker-archive", "oci-archive", "oci-dir"] {
                try tool.shell("tool save -q --format \(form) -o saved.\(form) localhost/it")
                try compare(
                    "Podman", form, path: tool.home + "/saved.\(form)", id: String(id), theirs, strata, &matrix)
            }
        }

        private static func takeFromBuildah(_ strata: Strata, _ matrix: inout InteroperationMatrix) throws {
            let tool = try ContainerTool(.buildah, home: "\(strata.scratch)/buildah", overlay: "")
            defer { tool.end() }
            try tool.shell(
                """
                one=$(tool from scratch); place=$(tool mount $one); (cd "$place"; \(fill)); tool umount $one
                tool commit -q --signature-policy policy.json $one localhost/base
                two=$(tool from --signature-policy policy.json --pull-never localhost/base); place=$(tool mount $two)
                (cd "$place"; \(change)); tool umount $two
                tool commit -q --signature-policy policy.json $two localhost/it; tool rm -a
                """)
            let id = try tool.shell("tool inspect --type image --format '{{.FromImageID}}' localhost/it").dropLast()
            let theirs = try tool.withMounted("it") { try Tree($0) }
            for (form, target) in [
                ("docker-archive", "docker-archive"), ("oci-archive", "oci-archive"), ("oci-dir", "oci"),
            ] {
                let path = "\(tool.home)/saved.\(form)"
                try tool.shell(
                    "tool push -q --signature-policy policy.json localhost/it \(target):\(path):localhost/it:1")
                try compare("Buildah", form, path: path, id: String(id), theirs, strata, &matrix)
            }
        }

        private static func takeFromUmoci(_ strata: Strata, _ matrix: inout InteroperationMatrix) throws {
            try Program.shell(
                """
                cd '\(strata.scratch)'
                umoci init --layout umoci; umoci new --image umoci:it
                umoci unpack --image umoci:it one; (cd one/rootfs; \(fill)); umoci repack --image umoci:it one
                umoci unpack --image umoci:it two; (cd two/rootfs; \(change)); umoci repack --image umoci:it two
                umoci unpack --image umoci:it three
                """)
            let theirs = try Tree(strata.scratch + "/three/rootfs")
            try compare("umoci", "oci-dir", path: strata.scratch + "/umoci", id: nil, theirs, strata, &matrix)
        }

        /// Loads what another tool wrote; compares with what that tool itself makes of the image.
        private static func compare(
            _ tool: String, _ form: String, path: String, id: String?, _ theirs: Tree, _ strata: Strata,
            _ matrix: inout InteroperationMatrix
        ) throws {
            try Strata.test { other in
                let image = try load(path, other)
                var row = Row("→ Strata", tool, form)
                if let id { row.compare(.identity, "sha256:\(id)", image.id) }
                if form != "docker-archive" {
                    let index = form == "oci-dir" ? "cat '\(path)/index.json'" : "tar -xOf '\(path)' index.json"
                    let digest = try Program.shell(
                        "\(index) | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"manifests\"][0][\"digest\"])'"
                    )
                    row.compare(.manifest, String(digest.dropLast()), image.manifest)
                }
                row.compare(theirs, image.tree)
                matrix.add(row)
                // What was loaded is saved with the same layers.
                try other("save", "-o", other.scratch + "/again", image.id)
                try Strata.test { third in
                    let again = try load(other.scratch + "/again", third)
                    #expect(again.id == image.id)
                }
            }
        }
    }
}
