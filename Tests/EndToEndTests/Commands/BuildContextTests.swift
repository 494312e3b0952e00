import Linux
import TestSupport
import Testing

extension EndToEnd {
    /// Where `build` takes files from, and where it puts its result.
    @Suite(.serialized) struct BuildContexts {
        @Test func theWebServesFilesAndContexts() throws {
            try Strata.testWithBusybox { strata in
                let web = try strata.directory("web")
                try strata.write("from the web\n", to: "web/file")
                try strata.write("FROM busybox\nCOPY inside /inside\n", to: "in/Dockerfile")
                try strata.write("inside\n", to: "in/inside")
                try Program.shell(
                    """
                    cd '\(strata.scratch)'; touch -d @784111777 web/file; tar -czf web/context -C in .
                    git init -q -b main repository; cp in/* repository; cd repository; git add .
                    git -c user.name=t -c user.email=t@example.com commit -q -m one
                    git clone -q --bare . ../web/r.git; git -C ../web/r.git update-server-info
                    """)
                try withWebServer(web) { address in
                    let sum = try Program.shell("sha256sum '\(web)/file'").prefix(64)
                    let text = "FROM busybox\nADD --checksum=sha256:\(sum) \(address)/file /got/\n"
                    let added = try strata.run(["build", "-q", "-"], input: text)
                    #expect(added.status == 0, "\(added)")
                    #expect(try strata("run", "--rm", added.line, "cat", "/got/file") == "from the web")
                    #expect(
                        try strata("run", "--rm", added.line, "stat", "-c", "%a %Y", "/got/file") == "600 784111777")
                    let again = try strata.run(["build", "--progress=plain", "-"], input: text)
                    #expect(again.errors.contains(/\] ADD[^\n]*\n#\d+ CACHED/))
                    let wrong = try strata.run(
                        ["build", "-"],
                        input: text.replacing("sha256:\(sum)", with: "sha256:" + String(repeating: "0", count: 64)))
                    #expect(wrong.status == 1)
                    #expect(wrong.errors.contains("sha256:\(sum)") && wrong.errors.contains("sha256:0000"))
                    for context in [
                        "\(address)/context", "\(address)/r.git#main", "\(address)/r.git",
                        "\(address)/r.git?branch=main",
                    ] {
                        let id = try strata("build", "-q", context)
                        #expect(try strata("run", "--rm", id, "cat", "/inside") == "inside", "\(context)")
                    }
                    try strata.failure(of: "build", "\(address)/nosuch", status: 1)
                    try strata.failure(of: "build", "\(address)/r.git#nosuch", status: 1)
                    try strata.failure(of: "build", "\(address)/r.git?commit=0123456", status: 1)
                    let unknown = try strata.failure(of: "build", "\(address)/r.git?nosuch=1", status: 1)
                    #expect(unknown.contains("there is no nosuch"))
                }
                try strata.failure(of: "build", "nosuch://host/path", status: 1)
                try strata.expectOrder()
            }
        }

        @Test func standardInputIsAContextOrADockerfile() throws {
            try Strata.testWithBusybox { strata in
                try strata.write("FROM busybox\nCOPY inside /inside\n", to: "in/Dockerfile")
                try strata.write("FROM busybox\nCOPY inside /other\n", to: "in/sub/Other")
                try strata.write("inside\n", to: "in/inside")
                for form in ["tar", "tar.gz", "tar.xz", "tar.bz2", "tar.zst"] {
                    let archive = "\(strata.scratch)/context.\(form)"
                    try Program.shell("tar -caf '\(archive)' -C '\(strata.scratch)/in' .")
                    let whole = try strata.run(["build", "-q", "-"], inputFile: archive)
                    #expect(try strata("run", "--rm", whole.line, "cat", "/inside") == "inside", "\(form)")
                    let other = try strata.run(["build", "-q", "-f", "sub/Other", "-"], inputFile: archive)
                    #expect(try strata("run", "--rm", other.line, "cat", "/other") == "inside", "\(form)")
                }
                let elsewhere = try strata.run(
                    ["build", "-q", "-f", "-", strata.scratch + "/in"], input: "FROM busybox\nCOPY inside /here\n")
                #expect(try strata("run", "--rm", elsewhere.line, "cat", "/here") == "inside")
                try strata.failure(of: "build", "-f", "-", "-", status: 1)
                let missing = try strata.run(["build", "-"], input: "FROM busybox\nCOPY inside /x\n")
                #expect(missing.errors.contains("no context"))
                try strata.expectOrder()
            }
        }

        @Test func theResultGoesWhereItIsWanted() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                let named = try strata.directory("named")
                try strata.write("named\n", to: "named/file")
                try strata.write("FROM box AS base\nCOPY --from=src file /file\n", to: "context/Dockerfile")
                let out = strata.scratch + "/out"
                try strata(
                    "build", "-t", "result:1", "--build-context", "src=\(named)", "--build-context",
                    "box=docker-image://busybox", "-o", out, "--output", "type=tar,dest=\(out).tar", "--output",
                    "type=oci,dest=\(out).oci", "--output", "type=docker,dest=\(out).docker", "--metadata-file",
                    "\(out).json", "--iidfile", "\(out).id", context)
                #expect(try Program.shell("cat '\(out)/file'; tar -xOf '\(out).tar' file") == "named\nnamed\n")
                #expect(
                    try Program.shell("cd '\(out)'; find . -mindepth 1 -printf '%P\\n' | sort")
                        == Program.shell("tar -tf '\(out).tar' | sed 's,/$,,' | sort"))
                let id = try Program.shell("cat '\(out).id'")
                let metadata = try Program.shell("cat '\(out).json'")
                #expect(metadata.contains("\"containerimage.config.digest\" : \"\(id)\""))
                #expect(metadata.contains("\"image.name\" : \"docker.io/library/result:1\""))
                #expect(try Program.shell("tar -tf '\(out).oci'").contains("index.json"))
                try strata("rmi", "result:1")
                #expect(try strata("load", "-i", "\(out).docker").contains("result:1"))
                #expect(try strata("images", "-q", "--no-trunc", "result:1") == id)
                try strata.failure(of: "build", "-o", "type=nosuch,dest=x", context, status: 1)
                try strata.failure(of: "build", "-o", "type=local", context, status: 1)
                try strata.failure(of: "build", "--build-context", "nothing", context, status: 1)
                try strata.expectOrder()
            }
        }

        /// A gibibyte lies in the context and one mebibyte of it is used; the bytes that the program has read are counted.
        @Test func onlyWhatIsUsedOfTheContextIsRead() throws {
            try Strata.testWithBusybox { strata in
                let context = try strata.directory("context")
                try Program.shell(
                    "cd '\(context)'; mkdir used big; head -c 1M /dev/urandom > used/file; truncate -s 512M big/1 big/2"
                )
                try strata.write(
                    "FROM busybox\nCOPY used /used\nRUN --mount=source=used,target=/m cat /m/file >/file\n",
                    to: "recipe")
                let script = """
                    '\(try Strata.binary())' --root '\(strata.root)' build -q -f '\(strata.scratch)/recipe' '\(context)' >/dev/null
                    awk '$1 == "rchar:" { print $2 }' /proc/$$/io
                    """
                let read = try #require(Int(try Program.shell(script).split(separator: "\n").last ?? ""))
                #expect(read > 1 << 20 && read < 256 << 20, "\(read) bytes")
            }
        }

        @Test func theResultIsPushed() throws {
            try DebianRegistry.test { registry in
                try Strata.testWithBusybox { strata in
                    let context = try strata.directory("context")
                    try strata.write("FROM busybox\nENV A=1\n", to: "context/Dockerfile")
                    let name = "\(registry.domain)/built:1"
                    let id = try strata("build", "-q", "--push", "-t", name, context)
                    try strata("rmi", "-f", name)
                    try strata("pull", "-q", name)
                    #expect(try strata("images", "-q", "--no-trunc", name) == id)
                    try strata.failure(of: "build", "--push", context, status: 1)
                }
            }
        }
    }
}
