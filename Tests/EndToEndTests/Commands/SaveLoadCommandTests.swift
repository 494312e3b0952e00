import Linux
import Testing

extension EndToEnd {
    /// `save`, `load`, `export` and `import`.
    @Suite(.serialized) struct SaveLoadCommandTests {
        @Test func fromStoreToStoreThroughAPipe() throws {
            try Strata.testWithBusybox { strata in
                try strata("tag", "busybox", "registry.example/team/box:1.0")
                let binary = try Strata.binary()
                let other = try strata.directory("other") + "/store"
                let output = try Program.shell(
                    """
                    '\(binary)' --root '\(strata.root)' save busybox registry.example/team/box |
                        '\(binary)' --root '\(other)' load
                    """)
                #expect(output == "Loaded image: busybox:latest\nLoaded image: registry.example/team/box:1.0\n")
                let id = try strata("inspect", "-f", "{{.Id}} {{.Descriptor.digest}}", "busybox")
                #expect(try strata("--root", other, "inspect", "-f", "{{.Id}} {{.Descriptor.digest}}", "busybox") == id)
                #expect(try strata("--root", other, "run", "--rm", "busybox", "cat", "/data/file") == "from the image")
                // The same bytes from both stores, to a file and to the output.
                #expect(
                    try Program.shell(
                        """
                        cd '\(strata.scratch)'
                        '\(binary)' --root '\(strata.root)' save -o one busybox registry.example/team/box:1.0
                        '\(binary)' --root '\(other)' save registry.example/team/box:1.0 busybox:latest >two
                        cmp one two; stat -c %a one; ls
                        """) == "600\none\nother\nstore\ntwo\n")
            }
        }

        @Test func allFormsAreWrittenAndRead() throws {
            try Strata.testWithBusybox { strata in
                let id = try strata("inspect", "-f", "{{.Id}}", "busybox")
                for form in ["docker-archive", "oci-archive", "oci-dir"] {
                    let path = "\(strata.scratch)/\(form)"
                    #expect(try strata("save", "--format", form, "-o", path, String(id.dropFirst(7).prefix(12))) == "")
                    #expect(try strata("load", "-q", "--input", path) == "Loaded image ID: \(id)")
                }
                #expect(try Program.shell("cd '\(strata.scratch)/oci-dir'; ls -A") == "blobs\nindex.json\noci-layout\n")
                // A directory that holds something is not written over.
                try strata.failure(
                    of: "save", "--format", "oci-dir", "-o", strata.scratch + "/oci-dir", "busybox", status: 1)
                #expect(
                    try Program.shell("ls -A '\(strata.scratch)'") == "docker-archive\noci-archive\noci-dir\nstore\n")
                try Program.shell("gzip '\(strata.scratch)/docker-archive'")
                #expect(try strata("load", "-i", strata.scratch + "/docker-archive.gz") == "Loaded image ID: \(id)")
            }
        }

        @Test func aNameThatMovesIsTold() throws {
            try Strata.testWithBusybox { strata in
                let old = try strata("inspect", "-f", "{{.Id}}", "busybox")
                try strata("save", "-o", strata.scratch + "/saved", "busybox")
                try strata("import", "-m", "another", try Busybox.archive(), "busybox")
                let new = try strata("inspect", "-f", "{{.Id}}", "busybox")
                #expect(
                    try strata("load", "-i", strata.scratch + "/saved")
                        == "The image busybox:latest already exists, renaming the old one with ID \(new) to empty string\n"
                        + "Loaded image: busybox:latest")
                #expect(try strata("inspect", "-f", "{{.Id}}", "busybox") == old)
            }
        }

        @Test func archivesComeFromTheWeb() throws {
            try Strata.test { strata in
                let archive = try Busybox.archive()
                let binary = try Strata.binary()
                // A server of its own, which breaks off when it is asked for half of it.
                try strata.write(
                    """
                    import http.server, sys
                    body = open(sys.argv[1], "rb").read()
                    class Handler(http.server.BaseHTTPRequestHandler):
                        def do_GET(self):
                            self.send_response(200)
                            self.send_header("Content-Length", str(len(body)))
                            self.end_headers()
                            self.wfile.write(body[: len(body) // 2] if "half" in self.path else body)
                    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
                    print(server.server_port, flush=True)
                    server.serve_forever()

                    """, to: "server.py")
                let output = try Program.shell(
                    """
                    cd '\(strata.scratch)'
                    coproc python3 server.py '\(archive)' 2> log
                    server=$COPROC_PID
                    trap 'kill $server' EXIT
                    read -r port <&"${COPROC[0]}"
                    '\(binary)' --root '\(strata.root)' import "http://me:secret@localhost:$port/box.tar?key=1" box 2> errors
                    '\(binary)' --root '\(strata.root)' history --format '{{.Comment}}' box | sed "s/$port/PORT/"
                    sed "s/$port/PORT/" errors
                    '\(binary)' --root '\(strata.root)' import "http://localhost:$port/half" half > half 2>&1 && exit 3
                    grep -c 'cannot fetch.*after [0-9]* bytes' half
                    """
                ).split(separator: "\n").map(String.init)
                #expect(output.first?.hasPrefix("sha256:") == true)
                #expect(
                    output.dropFirst() == [
                        "Imported from http://localhost:PORT/box.tar", "Downloading from http://localhost:PORT/box.tar",
                        "1",
                    ], "\(output)")
                #expect(try strata("images", "--format", "{{.Repository}}") == "box")
                try strata.failure(of: "import", "http://127.0.0.1:1/x", status: 1)
                try strata.failure(of: "import", "ftp://localhost/x", status: 1)
            }
        }

        @Test func oneOfSeveralPlatforms() throws {
            try Strata.testWithBusybox { strata in
                // Two images under one name, as an index has them.
                try Program.shell(
                    """
                    cd '\(strata.scratch)'
                    for arch in amd64 arm64; do
                        '\(try Strata.binary())' --root '\(strata.root)' import --platform linux/$arch \
                            '\(try Busybox.archive())' part:$arch > /dev/null
                        '\(try Strata.binary())' --root '\(strata.root)' save --format oci-dir -o $arch part:$arch
                    done
                    python3 - <<'END'
                    import json
                    manifests = []
                    for arch in ("amd64", "arm64"):
                        descriptor = json.load(open(arch + "/index.json"))["manifests"][0]
                        descriptor["platform"] = {"os": "linux", "architecture": arch}
                        descriptor["annotations"] = {"org.opencontainers.image.ref.name": "many:one",
                                                     "io.containerd.image.name": "docker.io/library/many:one"}
                        manifests.append(descriptor)
                    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests}
                    json.dump(index, open("amd64/index.json", "w"))
                    END
                    cp -n arm64/blobs/sha256/* amd64/blobs/sha256/
                    """)
                for architecture in ["arm64", "amd64"] {
                    try strata("load", "--platform", "linux/\(architecture)", "-i", strata.scratch + "/amd64")
                    #expect(try strata("inspect", "-f", "{{.Architecture}}", "many:one") == architecture)
                }
                // The last one loaded has the name.
                let saved = try strata.failure(
                    of: "save", "--platform", "linux/arm64", "-o", strata.scratch + "/saved", "many:one", status: 1)
                #expect(saved.contains("it is for linux/amd64"), "\(saved)")
                try strata("save", "--platform", "linux/amd64", "-o", strata.scratch + "/saved", "many:one")
                try strata.failure(
                    of: "load", "--platform", "linux/s390x", "-i", strata.scratch + "/amd64", status: 1)
            }
        }

        @Test func whatCannotBe() throws {
            try Strata.testWithBusybox { strata in
                let bad = try strata.write("no archive", to: "bad")
                try strata.failure(of: "save", "nosuch", status: 1)
                try strata.failure(of: "save", status: 1)
                try strata.failure(of: "save", "-o", "\(strata.scratch)/nosuch/file", "busybox", status: 1)
                try strata.failure(of: "save", "--format", "zip", "busybox", status: 1)
                try strata.failure(of: "save", "--format", "oci-dir", "busybox", status: 1)
                try strata.failure(of: "load", "-i", "\(strata.scratch)/nosuch", status: 1)
                try strata.failure(of: "load", "-i", bad, status: 1)
                try strata.failure(of: "load", "-i", strata.scratch, status: 1)
                try strata.failure(of: "load", status: 1, input: "{}")
                let message = try strata.failure(
                    of: "load", "-i", bad, status: 1, environment: ["STRATA_MAX_LAYER_SIZE": "much"])
                #expect(message.contains("STRATA_MAX_LAYER_SIZE"))
                try strata.failure(of: "export", "nosuch", status: 1)
                let limited = try strata.failure(
                    of: "import", try Busybox.archive(), "limited", status: 1,
                    environment: ["STRATA_MAX_LAYER_ENTRIES": "3"])
                #expect(limited.contains("3 entries"), "\(limited)")
                // A terminal gets no archive.
                let typed = try Program.run([
                    "/usr/bin/script", "-qec",
                    "'\(try Strata.binary())' --root '\(strata.root)' save busybox", "/dev/null",
                ])
                #expect(typed.status == 1 && typed.output.contains("refusing to save to a terminal"), "\(typed)")
            }
        }

        @Test func exportAndImport() throws {
            try Strata.testWithBusybox { strata in
                try strata(
                    "run", "--name", "one", "busybox", "sh", "-c",
                    "echo new > /new; ln /new /link; rm /data/file; mknod /dev2 c 1 3; chown 3:4 /new")
                try strata("export", "-o", strata.scratch + "/one.tar", "one")
                try strata("import", "-c", "CMD [\"/bin/sh\"]", strata.scratch + "/one.tar", "again")
                #expect(
                    try strata(
                        "run", "--rm", "again", "sh", "-c",
                        "cat /link; ls /data; stat -c '%u:%g %h' /new; ls -l /dev2 | cut -c1")
                        == "new\n3:4 2\nc")
                // One that runs, and one that is mounted.
                try strata("run", "-d", "--name", "two", "busybox", "sh", "-c", "echo running > /state; sleep 100")
                for _ in 0..<50 {
                    if try strata.run(["exec", "two", "cat", "/state"]).output == "running\n" { break }
                }
                let binary = try Strata.binary()
                func names(_ container: String) throws -> String {
                    try Program.shell(
                        "'\(binary)' --root '\(strata.root)' export \(container) | tar -tf - | grep -E '^(state|new|dev/|proc/)$'"
                    )
                }
                #expect(try names("two") == "dev/\nproc/\nstate\n")
                let place = try strata.directory("place")
                try strata("mount", "one", place)
                #expect(try names("one") == "dev/\nnew\nproc/\n")
                #expect(try strata("mount", "--format", "{{.MountPoint}}") == place)
                try strata("umount", place)
                try strata("rm", "-f", "two")
                #expect(try strata("mount", "--format", "{{.MountPoint}}") == "")
            }
        }
    }
}
