import Glibc
import Linux
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct RegistryCommandTests {
        @Test func pushPullAndRun() throws {
            try DebianRegistry.test { registry in
                try Strata.testWithBusybox { strata in
                    let name = "\(registry.domain)/tools/box:1"
                    try strata("tag", "busybox", name)
                    let pushed = try strata("push", name).split(separator: "\n").map(String.init)
                    #expect(pushed.first == "The push refers to repository [\(registry.domain)/tools/box]")
                    #expect(pushed.count == 3 && pushed[1].hasSuffix(": Pushed"), "\(pushed)")
                    let last = try #require(pushed.last)
                    #expect(last.hasPrefix("1: digest: sha256:") && last.contains(" size: "))
                    #expect(try strata("push", "-q", name) == name)
                    let again = try strata("push", "--disable-content-trust", name).split(separator: "\n")
                    #expect(again.count == 3 && again[1].hasSuffix(": Layer already exists"), "\(again)")

                    try strata("rmi", "-f", name, "busybox:latest")
                    try strata("image", "prune", "-af")
                    let pulled = try strata("pull", name).split(separator: "\n").map(String.init)
                    #expect(pulled.first == "1: Pulling from tools/box")
                    #expect(pulled.contains { $0.hasSuffix(": Pull complete") })
                    let digest = last.split(separator: " ")[2]
                    #expect(pulled.contains("Digest: \(digest)"))
                    #expect(pulled.contains("Status: Downloaded newer image for \(name)"))
                    #expect(pulled.last == name)
                    #expect(try strata("pull", name).contains("Status: Image is up to date for \(name)"))
                    let digests = try strata("inspect", "--format", "{{index .RepoDigests 0}}", name)
                    #expect(digests == "\(registry.domain)/tools/box@\(digest)")
                    try strata("rmi", "-f", name)

                    // Commands that need an image fetch it.
                    let run = try strata.run(["run", "--rm", name, "echo", "hello"])
                    #expect(run.status == 0 && run.line == "hello", "\(run)")
                    #expect(run.errors.contains("Unable to find image '\(name)' locally"))
                    try strata("rmi", "-f", name)
                    #expect(try strata.failure(of: "run", "--pull=never", name, status: 125).contains("No such image"))
                    try strata.write("FROM \(name)\nRUN echo built > /built\n", to: "context/Dockerfile")
                    try strata("build", "-t", "built", strata.scratch + "/context")
                    #expect(try strata("run", "--rm", "built", "cat", "/built") == "built")
                    // The base's layer is in the registry, in another repository: only the new one is sent.
                    try strata("tag", "built", "\(registry.domain)/built")
                    let second = try strata("push", "\(registry.domain)/built")
                    #expect(second.contains("Mounted from tools/box") && second.contains("Using default tag: latest"))
                }
            }
        }

        @Test func digestsAreNames() throws {
            try DebianRegistry.test { registry in
                try Strata.testWithBusybox { strata in
                    let repository = "\(registry.domain)/box"
                    try strata("tag", "busybox", "\(repository):1")
                    let pushed = try strata("push", "\(repository):1")
                    let digest = try #require(pushed.split(separator: " ").first { $0.hasPrefix("sha256:") })
                    let name = "\(repository)@\(digest)"
                    func rows() throws -> [String] {
                        try strata("images", "--digests", "--format", "{{.Repository}} {{.Tag}} {{.Digest}}")
                            .split(separator: "\n").map(String.init).sorted()
                    }
                    #expect(try rows() == ["busybox latest <none>", "\(repository) 1 \(digest)"])
                    #expect(try strata("rmi", "\(repository):1") == "Untagged: \(repository):1\nUntagged: \(name)")
                    try strata("rmi", "busybox")

                    try strata("pull", "\(repository):1")
                    let id = try strata("images", "-q", "--no-trunc")
                    #expect(try rows() == ["\(repository) 1 \(digest)"])
                    #expect(try strata("images", "-q", "--no-trunc", name) == id)
                    #expect(try strata("inspect", "-f", "{{.Id}} {{.RepoDigests}}", name) == "\(id) [\(name)]")
                    _ = try registry.requests()
                    #expect(try strata("run", "--rm", name, "echo", "hello") == "hello")
                    #expect(try registry.requests() == [])
                    #expect(try strata("rmi", name) == "Untagged: \(name)")
                    try strata.failure(of: "rmi", name, status: 1)
                    #expect(try rows() == ["\(repository) 1 <none>"])
                    try strata("rmi", "\(repository):1")

                    // By its digest alone it has no tag.
                    try strata("pull", "-q", name)
                    #expect(try rows() == ["\(repository) <none> \(digest)"])
                    #expect(try strata("images", "--format", "{{.Repository}}:{{.Tag}}") == "\(repository):<none>")
                    #expect(try strata("rmi", id).hasPrefix("Untagged: \(name)\nDeleted: \(id)"))
                }
            }
        }

        /// A registry with a certificate of its own, under a name that only a mount namespace knows.
        @Test func registriesProveWhoTheyAre() throws {
            try DebianRegistry.test(isSecure: true) { registry in
                try Strata.testWithBusybox { strata in
                    let name = "registry.test:\(registry.port)/box:1"
                    try strata("tag", "busybox", name)
                    let trust = try strata.directory("certificates/registry.test:\(registry.port)")
                    try strata.write("127.0.0.1 localhost registry.test\n", to: "hosts")
                    func strataThere(_ arguments: String) throws -> Outcome {
                        try Program.run([
                            "unshare", "--mount", "--propagation", "private", "sh", "-c",
                            """
                            mount --bind '\(strata.scratch)/hosts' /etc/hosts
                            mount -t tmpfs none /etc/containers; cp -r '\(strata.scratch)/certificates' /etc/containers/certs.d
                            STRATA_ROOT='\(strata.root)' exec '\(try Strata.binary())' \(arguments)
                            """,
                        ])
                    }
                    let refused = try strataThere("push \(name)")
                    #expect(refused.status == 1 && refused.errors.contains("certificate"), "\(refused)")
                    #expect(refused.errors.contains("--tls-verify=false"), "\(refused)")
                    let forced = try strataThere("push -q --tls-verify=false \(name)")
                    #expect(forced.status == 0 && forced.output == name + "\n", "\(forced)")
                    try Program.shell("cp '\(registry.certificate)' '\(trust)/ca.crt'")
                    let trusted = try strataThere("pull \(name)")
                    #expect(trusted.status == 0 && trusted.output.contains("Image is up to date"), "\(trusted)")
                }
            }
        }

        @Test func loginAndLogout() throws {
            try DebianRegistry.test(user: ("me", "secret")) { registry in
                try Strata.testWithBusybox { strata in
                    let environment = ["DOCKER_CONFIG": strata.scratch + "/docker"]
                    let name = "\(registry.domain)/box"
                    try strata("tag", "busybox", name)
                    let refused = try strata.failure(of: "push", name, status: 1, environment: environment)
                    #expect(refused.contains("UNAUTHORIZED") && refused.contains("strata login \(registry.domain)"))
                    let wrong = try strata.failure(
                        of: "login", "-u", "me", "--password-stdin", registry.domain, status: 1, input: "wrong",
                        environment: environment)
                    #expect(wrong.contains("UNAUTHORIZED"))
                    let login = try strata.run(
                        ["login", "-u", "me", "--password-stdin", registry.domain], input: "secret\n",
                        environment: environment)
                    #expect(login.status == 0 && login.output == "Login Succeeded\n", "\(login)")
                    #expect(login.errors.contains("stored unencrypted"))
                    let push = try strata.run(["push", name], environment: environment)
                    #expect(push.status == 0, "\(push)")
                    let again = try strata.run(["login", registry.domain], environment: environment)
                    #expect(again.output == "Login Succeeded\n", "\(again)")
                    let logout = try strata.run(["logout", registry.domain], environment: environment)
                    #expect(logout.output == "Removing login credentials for \(registry.domain)\n")
                    let twice = try strata.run(["logout", registry.domain], environment: environment)
                    #expect(twice.output == "Not logged in to \(registry.domain)\n")
                    try strata.failure(of: "pull", name, status: 1, environment: environment)
                    try strata.failure(of: "login", registry.domain, status: 1, environment: environment)
                }
            }
        }

        @Test func aKilledPullGoesOn() throws {
            try DebianRegistry.test { registry in
                try Strata.test { strata in
                    let name = "\(registry.domain)/large:1"
                    try Program.shell(
                        """
                        cd '\(strata.scratch)'; mkdir a b
                        head -c 20000000 /dev/urandom > a/small
                        head -c 150000000 /dev/urandom > b/large
                        """)
                    try strata.write("FROM scratch\nCOPY a /a\nCOPY b /b\n", to: "Dockerfile")
                    try strata("build", "-q", "-t", name, strata.scratch)
                    try strata("push", "-q", name)
                    let id = try strata("images", "-q", "--no-trunc", name)
                    try strata("system", "prune", "-af")
                    _ = try registry.requests()

                    // Killed once the first layer is reported as finished.
                    let output = strata.scratch + "/output"
                    let killed = try Program.shell(
                        """
                        STRATA_ROOT='\(strata.root)' '\(try Strata.binary())' pull '\(name)' > '\(output)' 2>&1 & pid=$!
                        for i in $(seq 2000); do grep -q 'Pull complete' '\(output)' && break; sleep 0.005; done
                        kill -9 $pid; wait $pid || echo $?
                        """)
                    let said = try Program.shell("cat '\(output)'")
                    #expect(killed == "137\n", "\(said)")
                    #expect(try registry.requests().count { $0.contains("/blobs/") } == 3)
                    #expect(try strata("images", "-q").isEmpty)

                    let lines = try strata("pull", name).split(separator: "\n")
                    #expect(lines.count { $0.hasSuffix(": Already exists") } == 1, "\(lines)")
                    #expect(lines.count { $0.hasSuffix(": Pull complete") } == 1, "\(lines)")
                    // The configuration and the other layer.
                    #expect(try registry.requests().count { $0.hasPrefix("GET") && $0.contains("/blobs/") } == 2)
                    #expect(try strata("images", "-q", "--no-trunc", name) == id)
                }
            }
        }

        @Test func whatCannotBeFetchedIsSaidInOneLine() throws {
            try DebianRegistry.test { registry in
                try Strata.test { strata in
                    let missing = try strata.failure(of: "pull", "\(registry.domain)/nobody:1", status: 1)
                    #expect(missing.contains("MANIFEST_UNKNOWN"))
                    let tag = try strata.failure(of: "push", "\(registry.domain)/nobody:1", status: 1)
                    #expect(tag.hasPrefix("An image does not exist locally with the tag: \(registry.domain)/nobody:1"))
                    try strata.failure(of: "pull", "not/A/name", status: 1)
                    try strata.failure(of: "run", "\(registry.domain)/nobody:1", status: 125)
                    let closed = try strata.failure(of: "pull", "localhost:1/nobody:1", status: 1)
                    #expect(closed.contains("localhost:1"))
                }
            }
        }
    }
}
