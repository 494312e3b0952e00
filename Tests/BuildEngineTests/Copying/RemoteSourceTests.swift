import ImageStore
import Linux
import OCI
import TestSupport
import Testing

@testable import BuildEngine

/// `ADD` of addresses and of git repositories, and contexts from elsewhere.
@Suite(.serialized) struct RemoteSourceTests {
    /// A web of one file each address.
    private func web(_ files: [String: [UInt8]], lastModified: String? = nil) -> FileDownload {
        { address, sink in
            guard let bytes = files[address] else { throw BuildError(.remote, "cannot fetch \(address): status 404") }
            try bytes.withUnsafeBytes { try sink($0) }
            return RemoteFile(lastModified: lastModified)
        }
    }

    @Test func aFileOfTheWebIsAdded() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let address = "https://example.com/files/tool%20one.bin?version=2"
            let download = web([address: Array("content".utf8)], lastModified: "Sun, 06 Nov 1994 08:49:37 GMT")
            let built = try fixture.build("FROM busybox\nADD [\"\(address)\", \"/opt/\"]\n") { $0.download = download }
            #expect(try fixture.lastLayer(built) == ["d 755 0:0 opt", "f 600 0:0 opt/tool one.bin"])
            #expect(
                try fixture.status("/opt/tool one.bin", in: built.image)?.modificationTime
                    == TimeSpec(seconds: 784_111_777))
            let named = try fixture.build("FROM busybox\nADD --chown=app --chmod=755 \(address) /opt/tool\n") {
                $0.download = download
            }
            #expect(try fixture.lastLayer(named) == ["d 755 1000:1001 opt", "f 755 1000:1001 opt/tool"])
            let again = try fixture.build("FROM busybox\nADD --chown=app --chmod=755 \(address) /opt/tool\n") {
                $0.download = self.web([address: Array("content".utf8)], lastModified: "Mon, 07 Nov 1994 08:49:37 GMT")
            }
            #expect(again.result.executedSteps == 0, "the content counts, and not its time")
            let changed = try fixture.build("FROM busybox\nADD --chown=app --chmod=755 \(address) /opt/tool\n") {
                $0.download = self.web([address: Array("other".utf8)])
            }
            #expect(try fixture.text("/opt/tool", in: changed.image) == "other")
            #expect(try fixture.status("/opt/tool", in: changed.image)?.modificationTime == TimeSpec(seconds: 0))
            let missing = try fixture.failure("FROM busybox\nADD https://example.com/nosuch /\n") {
                $0.download = download
            }
            #expect(missing.code == .remote)
            #expect(missing.place == "-:2")
            #expect(try fixture.failure("FROM busybox\nCOPY \(address) /\n").code == .unsupported)
        }
    }

    @Test func theChecksumIsVerified() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let address = "https://example.com/file"
            let right = Digest.sha256(of: "content")
            let wrong = Digest.sha256(of: "other")
            let download = web([address: Array("content".utf8)])
            let built = try fixture.build("FROM busybox\nARG SUM=\(right)\nADD --checksum=$SUM \(address) /\n") {
                $0.download = download
            }
            #expect(try fixture.text("/file", in: built.image) == "content")
            let error = try fixture.failure("FROM busybox\nADD --checksum=\(wrong) \(address) /\n") {
                $0.download = download
            }
            #expect(error.code == .remote)
            #expect(error.message.contains(right.description) && error.message.contains(wrong.description))
            try fixture.write("local", "")
            #expect(try fixture.failure("FROM busybox\nADD --checksum=\(wrong) local /\n").code == .dockerfile)
            let malformed = try fixture.failure("FROM busybox\nADD --checksum=sha256:12 \(address) /\n") {
                $0.download = download
            }
            #expect(malformed.code == .dockerfile)
        }
    }

    @Test func archivesOfTheWebAreUnpackedWhenAsked() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try shell("cd \(fixture.directory); mkdir t; echo f > t/f; tar -czf a.tar.gz -C t f")
            let bytes = try FileDescriptor.open(fixture.directory + "/a.tar.gz").readAll()
            let address = "https://example.com/a.tar.gz"
            let download = web([address: bytes])
            let kept = try fixture.build("FROM busybox\nADD \(address) /d/\n") { $0.download = download }
            #expect(try fixture.lastLayer(kept) == ["d 755 0:0 d", "f 600 0:0 d/a.tar.gz"])
            let unpacked = try fixture.build("FROM busybox\nADD --unpack=true \(address) /d/\n") {
                $0.download = download
            }
            #expect(try fixture.text("/d/f", in: unpacked.image) == "f\n")
            try shell("cp \(fixture.directory)/a.tar.gz \(fixture.context)")
            let local = try fixture.build("FROM busybox\nADD --unpack=false a.tar.gz /d/\n")
            #expect(try fixture.lastLayer(local) == ["d 755 0:0 d", "f 644 0:0 d/a.tar.gz"])
        }
    }

    // MARK: git

    /// A repository `web/r.git` with a branch `main` of two commits, the first with the tag `v1`; returns the commits.
    private func makeRepository(_ fixture: BuildFixture) throws -> [String] {
        try shell(
            """
            cd \(fixture.directory); mkdir web; git init -q -b main work; cd work
            export GIT_AUTHOR_DATE='1000000000 +0000' GIT_COMMITTER_DATE='1000000000 +0000'
            git="git -c user.name=t -c user.email=t@example.com"
            mkdir -p sub/inner; echo one > sub/inner/f; echo top > top; chmod 755 top; ln -s ../../../../etc sub/out
            printf 'FROM busybox\\nCOPY . /all/\\n' > Dockerfile; printf 'FROM busybox\\nCOPY inner /in/\\n' > sub/Dockerfile
            git add .; $git commit -q -m one; git tag v1
            echo two > sub/inner/f; $git commit -q -a -m two
            git clone -q --bare . ../web/r.git; git -C ../web/r.git update-server-info
            git log --reverse --format=%H
            """
        ).split(separator: "\n").map(String.init)
    }

    @Test func repositoriesAreAdded() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let commits = try makeRepository(fixture)
            try withWebServer(fixture.directory + "/web") { (address) throws in
                let repository = address + "/r.git"
                let built = try fixture.build("FROM busybox\nADD \(repository) /src\n")
                #expect(
                    try fixture.lastLayer(built) == [
                        "d 755 0:0 src", "f 644 0:0 src/Dockerfile", "d 755 0:0 src/sub",
                        "f 644 0:0 src/sub/Dockerfile",
                        "d 755 0:0 src/sub/inner", "f 644 0:0 src/sub/inner/f",
                        "l 777 0:0 src/sub/out -> ../../../../etc",
                        "f 755 0:0 src/top",
                    ])
                #expect(try fixture.text("/src/sub/inner/f", in: built.image) == "two\n")
                #expect(
                    try fixture.status("/src/top", in: built.image)?.modificationTime
                        == TimeSpec(seconds: 1_000_000_000))
                #expect(try fixture.build("FROM busybox\nADD \(repository)#main /src\n").result.executedSteps == 0)
                let part = try fixture.build("FROM busybox\nADD \(repository)#v1:sub/inner /src/\n")
                #expect(try fixture.text("/src/f", in: part.image) == "one\n")
                let first = try fixture.build(
                    "FROM busybox\nADD --keep-git-dir=true --checksum=\(commits[0]) \(repository)#\(commits[0]) /src/\n"
                )
                #expect(try fixture.text("/src/.git/HEAD", in: first.image) == commits[0] + "\n")
                let other = try fixture.failure("FROM busybox\nADD --checksum=\(commits[0]) \(repository)#main /src/\n")
                #expect(other.message.contains(commits[0]) && other.message.contains(commits[1]))
                #expect(try fixture.failure("FROM busybox\nADD \(repository)#nosuch /src/\n").code == .remote)
                #expect(try fixture.failure("FROM busybox\nADD \(address)/other.git /src/\n").code == .remote)
                #expect(try fixture.failure("FROM busybox\nADD \(repository)#v1:nosuch /src/\n").code == .noSuchFile)
                #expect(try fixture.failure("FROM busybox\nADD \(repository)#--upload-pack=x /src/\n").code == .remote)
            }
        }
    }

    @Test func repositoriesAreContexts() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            _ = try makeRepository(fixture)
            try withWebServer(fixture.directory + "/web") { (address) throws in
                let built = try fixture.build("") {
                    $0.dockerfile = .standard
                    $0.remoteContext = .address(address + "/r.git#v1")
                }
                #expect(try fixture.text("/all/sub/inner/f", in: built.image) == "one\n")
                let part = try fixture.build("") {
                    $0.dockerfile = .standard
                    $0.remoteContext = .address(address + "/r.git#main:sub")
                }
                #expect(try fixture.text("/in/f", in: part.image) == "two\n")
                let dated = try fixture.build("") {
                    $0.dockerfile = .standard
                    $0.remoteContext = .address(address + "/r.git?branch=main&subdir=sub")
                    $0.buildArguments["SOURCE_DATE_EPOCH"] = "context"
                }
                #expect(dated.image.configuration.created == Timestamp(seconds: 1_000_000_000), "that of the commit")
                let out = try fixture.failure("") {
                    $0.dockerfile = .file("sub/out/passwd")
                    $0.remoteContext = .address(address + "/r.git")
                }
                #expect(out.code == .noDockerfile, "links of a repository do not lead out of it")
                let named = try fixture.build("FROM busybox\nCOPY --from=src sub/inner/f /f\n") {
                    $0.namedContexts = ["src": .remote(address + "/r.git#v1")]
                }
                #expect(try fixture.text("/f", in: named.image) == "one\n")
            }
        }
    }

    // MARK: Contexts

    @Test(arguments: ["tar", "tar.gz", "tar.xz", "tar.bz2", "tar.zst"])
    func anArchiveIsAContext(_ suffix: String) throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try shell(
                """
                mkdir \(fixture.directory)/c; cd \(fixture.directory)/c; echo a > a; echo b > b; chown 3:4 a
                echo b > .dockerignore; printf 'FROM busybox\\nCOPY . /c/\\n' > Dockerfile; cp Dockerfile Other
                cp Dockerfile Third; echo a > Third.dockerignore
                tar -caf ../c.\(suffix) .
                """)
            let path = "\(fixture.directory)/c.\(suffix)"
            let archive = try FileDescriptor.open(path)
            let built = try fixture.build("") {
                $0.dockerfile = .standard
                $0.remoteContext = .descriptor(archive.rawValue)
            }
            let expected = [
                "c", "c/.dockerignore", "c/Dockerfile", "c/Other", "c/Third", "c/Third.dockerignore", "c/a",
            ]
            #expect(try fixture.lastLayer(built).map { $0.split(separator: " ")[3] } == expected.map { $0[...] })
            #expect(try fixture.status("/c/a", in: built.image)?.uid == 0)
            let bytes = try FileDescriptor.open(path).readAll()
            let fetched = try fixture.build("") {
                $0.dockerfile = .file("Other")
                $0.download = self.web(["https://example.com/c": bytes])
                $0.remoteContext = .address("https://example.com/c")
            }
            #expect(fetched.result.imageID == built.result.imageID)
            let third = try fixture.build("") {
                $0.dockerfile = .file("Third")
                $0.download = self.web(["https://example.com/c": bytes])
                $0.remoteContext = .address("https://example.com/c")
            }
            #expect(try fixture.text("/c/b", in: third.image) == "b\n", "the Dockerfile's own ignore file counts")
            #expect(try fixture.text("/c/a", in: third.image) == nil)
            #expect(fetched.result.executedSteps == 0)
        }
    }

    @Test func aDockerfileComesWithoutAContext() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let text = "FROM busybox\nENV A=b\n"
            let pipe = try FileDescriptor.pipe()
            try pipe.write.writeAll(text)
            let read = pipe.keepRead()
            let built = try fixture.build("") {
                $0.dockerfile = .standard
                $0.remoteContext = .descriptor(read.rawValue)
            }
            #expect(built.image.configuration.config.env.contains("A=b"))
            let error = try fixture.failure("") {
                $0.dockerfile = .standard
                $0.download = self.web(["https://example.com/D": Array("FROM busybox\nCOPY a /\n".utf8)])
                $0.remoteContext = .address("https://example.com/D")
            }
            #expect(error.code == .noContext)
        }
    }

    @Test func namesOfTheCommandLineMeanDirectoriesAndImages() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try shell(
                "mkdir \(fixture.directory)/n; cd \(fixture.directory)/n; echo a > a; echo b > b; echo b > .dockerignore"
            )
            let contexts: [String: BuildOptions.NamedContext] = [
                "here": .directory(fixture.directory + "/n"), "alpine:9": .image("busybox"),
            ]
            let text = "FROM alpine:9\nCOPY --from=here . /n/\nCOPY --from=alpine:9 /data/file /file\n"
            let built = try fixture.build(text) { $0.namedContexts = contexts }
            #expect(
                try fixture.layer(built.image, 1).map { $0.split(separator: " ")[3] } == [
                    "n", "n/.dockerignore", "n/a",
                ])
            #expect(try fixture.text("/file", in: built.image) == "old\n")
            #expect(try fixture.build(text) { $0.namedContexts = contexts }.result.executedSteps == 0)
        }
    }

    @Test func stagesAreBuiltAnewByName() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let text =
                "FROM busybox AS one\nRUN echo 1 > /1\nFROM busybox AS two\nRUN echo 2 > /2\nCOPY --from=one /1 /1\n"
            try fixture.build(text)
            let again = try fixture.build(text) { $0.uncachedStages = ["one"] }
            #expect(again.result.executedSteps == 1)
            #expect(try fixture.build(text) { $0.uncachedStages = ["1"] }.result.executedSteps == 2)
        }
    }

    @Test func filesOfAnImageAreExported() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let built = try fixture.build(
                "FROM busybox\nRUN rm /data/file && echo n > /data/new && chown 5:6 /data/new\n")
            let builder = Builder(store: fixture.store)
            try builder.exportFiles(of: built.image, to: fixture.directory + "/out")
            let names = try fixture.listing(of: fixture.directory + "/out/data")
            #expect(names == ["d 755 0:0 inner", "f 644 5:6 new"])
            let file = try FileDescriptor.open(fixture.directory + "/out.tar", [.create, .writeOnly], mode: 0o600)
            let number = BorrowedDescriptor(file.rawValue)
            try builder.exportArchive(of: built.image) { (piece) throws(StoreError) in try? number.writeAll(piece) }
            try fixture.store.releaseLeases()
            let listed = try shell("tar -tf \(fixture.directory)/out.tar | sed 's,/$,,' | sort")
            let found = try shell("cd \(fixture.directory)/out; find . -mindepth 1 -printf '%P\\n' | sort")
            #expect(listed == found)
            #expect(try shell("tar -xOf \(fixture.directory)/out.tar data/new") == "n\n")
        }
    }

    @Test func addressesAreToldFromPaths() {
        #expect(GitReference("https://example.com/a.git#v1:sub/dir/")?.directory == "sub/dir")
        #expect(GitReference("https://example.com/a.git#v1")?.revision == "v1")
        #expect(GitReference("https://example.com/a.git")?.revision == nil)
        #expect(GitReference("git@example.com:user/a")?.address == "git@example.com:user/a")
        #expect(GitReference("ssh://git@example.com/a#x")?.address == "ssh://git@example.com/a")
        let asked = GitReference("https://example.com/a.git?branch=v%31&subdir=/sub/dir/&commit=abc&keep-git-dir")
        #expect(asked?.address == "https://example.com/a.git" && asked?.fault == nil)
        #expect(asked?.revision == "refs/heads/v1" && asked?.directory == "sub/dir")
        #expect(asked?.commit == "abc" && asked?.keepsMetadata == true)
        #expect(GitReference("ssh://git@example.com/a?ref=x#x:y")?.directory == "y")
        #expect(GitReference("git://example.com/a?tag=1")?.revision == "refs/tags/1")
        for query in [
            "ref=a&ref=b", "ref=", "nosuch=1", "ref=a&tag=b", "subdir=a&subdir=a", "keep-git-dir=x", "branch=a&tag=a",
        ] {
            #expect(GitReference("https://example.com/a.git?\(query)")?.fault != nil, "\(query)")
        }
        #expect(GitReference("https://example.com/a.git?ref=a#b")?.fault != nil)
        for text in ["a.git", "/a/b.git", "https://example.com/a", "dir/git@x:y", "git@-x:y", "C:/x", "", "#"] {
            #expect(GitReference(text) == nil, "\(text)")
        }
        #expect(RemoteAddress.fileName("http://h/a/b?c/d#e") == "b")
        for text in ["http://h", "http://h/", "http://h/a/..", "http://h/%2e%2e", "http://h/%00"] {
            #expect(RemoteAddress.fileName(text) == "__unnamed__", "\(text)")
        }
        #expect(RemoteAddress.fileName("http://h/a%2Fb") == "b")
        #expect(HTTPDate.seconds("Tue, 29 Feb 2000 23:59:59 GMT") == 951_868_799)
        #expect(HTTPDate.seconds("Thu, 01 Jan 1970 00:00:00 GMT") == 0)
        #expect(HTTPDate.seconds("yesterday") == nil)
    }
}
