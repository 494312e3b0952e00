import Glibc
import Linux
import TestSupport
import Testing

extension EndToEnd {
    /// `strata-fuse` in the place of fuse-overlayfs, under Podman and Buildah: the images that they commit are those
    /// that they commit on the kernel's overlay.
    @Suite(.serialized) struct MountProgramTests {
        /// The mount server beside the program under test, or `STRATA_FUSE`.
        private static func server() throws -> String {
            if let path = getenv("STRATA_FUSE") { return String(cString: path) }
            return try Strata.binary() + "-fuse"
        }

        /// A directory of this repository.
        private static func repository(_ path: String) -> String {
            "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/" + path
        }

        /// Debian's root file system as an archive.
        private static func debian() throws -> String {
            if let archive = getenv("STRATA_TEST_DEBIAN") { return String(cString: archive) }
            return try Program.shell("'\(repository("tools/bases"))' --archive", seconds: 600)
                .split(separator: "\n").last.map(String.init) ?? ""
        }

        /// What an image that was built twice has to have in common.
        private struct Built {
            var tree: TreeSnapshot
            var layers: [[String]]
            var output: String
        }

        /// Has a tool build a context on `strata-fuse`, and then on the kernel's overlay; runs a command in each image.
        ///
        /// With any mount program these tools find out what a step changed by comparing what they see mounted before and
        /// after it. With `redirect_dir` they do the same on the kernel's overlay, where else they would archive the upper
        /// directory.
        private func buildTwice(
            _ name: ContainerTool.Name, base: (archive: String, name: String), context: String, in strata: Strata,
            run command: String
        ) throws -> (strata: Built, kernel: Built) {
            let start = Int64(time(nil)) - 1
            let server = try Self.server()
            func build(_ peer: String, _ overlay: String, _ type: String) throws -> Built {
                let tool = try ContainerTool(name, home: strata.scratch + "/" + peer, overlay: overlay)
                defer { tool.end() }
                try tool.load(archive: base.archive, as: base.name)
                try tool.shell("build built '\(context)'")
                let output = try tool.run("built", script: command)
                let tree = try tool.withMounted("built") { path in
                    #expect(try Program.shell("stat -f -c %T '\(path)'") == type + "\n")
                    return try TreeSnapshot(of: path, recent: start)
                }
                return Built(tree: tree, layers: try tool.layers(of: "built", recent: start), output: output)
            }
            let onStrata = try build("strata", "mount_program=\"\(server)\"", "fuseblk")
            let onKernel = try build("kernel", "mountopt=\"redirect_dir=on,index=on\"", "overlayfs")
            return (onStrata, onKernel)
        }

        /// What programs write anew each time: logs, caches that hold times, keys.
        private static let generated = [
            "var/log/", "var/cache/ldconfig/aux-cache", "var/cache/apt/", "etc/ssl/private/ssl-cert-snakeoil.key",
            "etc/ssl/certs/",
        ]

        /// Expects two images to hold the same files: types, modes, owners, contents, attributes, hard links, and times
        /// from before the build.
        private func expectEqual(_ pair: (strata: Built, kernel: Built)) {
            let differences = pair.strata.tree.differences(to: pair.kernel.tree).filter { line in
                !Self.generated.contains { line.hasPrefix($0) }
            }
            #expect(differences.prefix(20) == [], "on strata-fuse != on the kernel's overlay")
            #expect(pair.strata.tree.directoryFaults == [])
            #expect(pair.strata.tree.entries.count > 250)
            #expect(pair.strata.output == pair.kernel.output)
            #expect(pair.strata.layers.count == pair.kernel.layers.count)
        }

        @Test("acceptance 04", arguments: ContainerTool.Name.allCases)
        func first(tool: ContainerTool.Name) throws {
            try Strata.test { strata in
                let pair = try buildTwice(
                    tool, base: (try Busybox.archive(), "localhost/alpine"),
                    context: Self.repository("Tests/EndToEndTests/contexts/04-first"), in: strata, run: "exec /hello.sh"
                )
                expectEqual(pair)
                #expect(pair.strata.layers == pair.kernel.layers)
                #expect(pair.strata.output.contains("layered"))
            }
        }

        /// Builds on Debian, which take longer.
        enum Larger: String, Sendable {
            case edits, apache
        }

        /// `STRATA_TEST_ALL` is for both builds with both tools; else the one that takes some 20 seconds is enough.
        static let larger: [(ContainerTool.Name, Larger)] =
            getenv("STRATA_TEST_ALL") == nil
            ? [(.buildah, .edits)]
            : ContainerTool.Name.allCases.flatMap { [($0, .edits), ($0, .apache)] }

        @Test("acceptance 02, and what is removed, replaced, renamed and linked in two steps", arguments: larger)
        func debian(tool: ContainerTool.Name, build: Larger) throws {
            try Strata.test { strata in
                switch build {
                case .apache: try apache(tool, strata)
                case .edits: try edits(tool, strata)
                }
            }
        }

        private func apache(_ tool: ContainerTool.Name, _ strata: Strata) throws {
            let pair = try buildTwice(
                tool, base: (try Self.debian(), "localhost/ubuntu:14.04"),
                context: Self.repository("Tests/EndToEndTests/contexts/02-apache"), in: strata,
                run: #"""
                    apachectl start 2>/dev/null
                    exec bash -c 'for i in {1..50}; do exec 3<>/dev/tcp/127.0.0.1/80 && break; sleep 0.1; done 2>/dev/null
                        printf "GET /test.html HTTP/1.0\r\n\r\n" >&3; tail -n 1 <&3; apachectl stop 2>/dev/null'
                    """#)
            expectEqual(pair)
            #expect(pair.strata.output == "hello\n")
        }

        /// Files with capabilities and attributes, whiteouts of files and directories, directories made anew and renamed,
        /// kinds that change, hard links that are made, broken and changed through one name.
        private func edits(_ tool: ContainerTool.Name, _ strata: Strata) throws {
            let context = try strata.directory("context")
            try Program.shell(
                """
                cd '\(context)'; mkdir -p tree/opt; cp /bin/true tree/opt/program; echo a >tree/opt/a; ln tree/opt/a tree/opt/b
                setcap cap_net_raw+ep tree/opt/program; setfattr -n user.note -v hello tree/opt/program
                touch -d 2001-02-03 tree/opt/a; tar --xattrs --xattrs-include='*' -C tree -cf tree.tar opt; rm -r tree
                """)
            try strata.write(Self.editing, to: "context/Dockerfile")
            let pair = try buildTwice(
                tool, base: (try Self.debian(), "localhost/base"), context: context, in: strata,
                run: "stat -c %n:%h:%a /opt/* /usr/bin/perl; ls /usr/share /usr/share/docs /usr/share/doc")
            expectEqual(pair)
            #expect(pair.strata.layers == pair.kernel.layers)
            let tree = pair.strata.tree.entries
            #expect(tree["usr/bin/perl"]?.mode == 0o100700 && tree["usr/bin/perl"]?.linkCount == 2)
            #expect(tree["opt/copied"]?.attributes.keys.sorted() == ["security.capability", "user.note"])
            // What a step linked is linked.
            #expect(tree["opt/three"]?.sameAs == "opt/one")
            #expect(tree["opt/b"]?.linkCount == 2 && tree["opt/b"]?.sameAs == "opt/a")
            let whiteouts = pair.strata.layers.map { layer in layer.count { $0.contains("/.wh.") } }
            #expect(whiteouts.count == 4 && whiteouts[2] > 5 && whiteouts[3] > 2, "\(whiteouts)")
        }

        private static let editing = #"""
            FROM localhost/base
            ADD tree.tar /
            RUN set -e; cd /usr/share; rm -r doc/adduser common-licenses/GPL-1; \
                rm -r doc/base-files; mkdir doc/base-files; echo anew >doc/base-files/new; \
                mv pam pam-moved; mv doc documents; mkdir doc; echo second >doc/file; \
                rm -r lintian; echo file >lintian; rm /etc/issue.net; mkdir /etc/issue.net; echo x >/etc/issue.net/in; \
                chmod 700 /usr/bin/perl; echo more >>/usr/bin/gunzip; rm /usr/bin/uncompress; \
                echo one >/opt/one; ln /opt/one /opt/two; ln /opt/one /opt/three; chown 1000:1001 /etc/debian_version; \
                chmod u+s,g+s /bin/ls; touch -d 2002-03-04 /opt/dated; ln -sfn elsewhere /etc/os-release; \
                mkfifo /opt/pipe; cp -a /opt/program /opt/copied; printf x >"/opt/$(printf 'not\377utf8')"; echo more >>/opt/a
            RUN set -e; rm /opt/two; ln /opt/three /opt/four; mkdir /usr/share/doc/adduser; \
                mv /usr/share/documents /usr/share/docs; mv /usr/share/pam-moved/* /opt/; rmdir /usr/share/pam-moved; \
                rm -r /usr/share/locale; echo gone >/usr/share/locale; rm /opt/pipe; \
                rm -r /etc/issue.net; echo again >/etc/issue.net; touch -d 2003-04-05 /usr/share/docs/base-files
            """#
    }
}
