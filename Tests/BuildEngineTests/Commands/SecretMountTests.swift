import ImageStore
import Linux
import OCI
import Testing

@testable import BuildEngine
@testable import Runtime

/// `RUN --mount=type=secret` and `type=ssh`.
@Suite struct SecretMountTests {
    private static let value = "correct horse battery staple"

    /// Everything below a directory that has the secret in it.
    private func traces(in directory: String) throws -> String {
        try shell("grep -rlaF '\(Self.value)' \(directory) || true")
    }

    @Test func aSecretIsSeenAndLeavesNoTrace() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            try FileDescriptor.open(fixture.directory + "/key", [.writeOnly, .create], mode: 0o600)
                .writeAll(Self.value)
            let built = try fixture.build(
                """
                FROM busybox
                RUN --mount=type=secret,id=key,required seq 1 1 >/dev/null; \
                    cat /run/secrets/key | head -c 7 > /begin; stat -c '%u:%g %a' /run/secrets/key > /owner
                RUN --mount=type=secret,target=/etc/deep/key,uid=1000,gid=1001,mode=0440 \
                    stat -c '%u:%g %a' /etc/deep/key > /owner2
                RUN --mount=type=secret,id=variable,env=TOKEN --mount=type=secret,id=key,env=BOTH,target=/both \
                    test "$TOKEN" = "\(Self.value)" && test "$BOTH" = "$(cat /both)" && ! ls /run/secrets
                """
            ) { options in
                options.secrets = ["key": .file(fixture.directory + "/key"), "variable": .environment("VARIABLE")]
                options.environment = { $0 == "VARIABLE" ? "correct horse" + " battery staple" : nil }
            }
            #expect(try fixture.text("/begin", in: built.image) == "correct")
            #expect(try fixture.text("/owner", in: built.image) == "0:0 400\n")
            #expect(try fixture.text("/owner2", in: built.image) == "1000:1001 440\n")
            #expect(try fixture.layer(built.image, 1) == ["f 644 0:0 begin", "f 644 0:0 owner"])
            #expect(try fixture.layer(built.image, 2) == ["f 644 0:0 owner2"])
            #expect(try fixture.lastLayer(built).isEmpty)
            // The third command names the value itself, so the search leaves out what says so.
            let history = built.image.configuration.history.map { $0.createdBy ?? "" }
            #expect(!history[1].contains("horse") && !history[2].contains("horse"))
            #expect(try traces(in: fixture.store.root + "/layers") == "")
        }
    }

    @Test func theStoreNeverHasTheValue() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let dockerfile =
                "FROM busybox\nRUN --mount=type=secret,id=key,env=KEY test -s /run/secrets/key || test -n \"$KEY\"\n"
            func build(_ value: String) throws -> BuildFixture.Built {
                try fixture.build(dockerfile) { options in
                    options.secrets = ["key": .environment("KEY")]
                    options.environment = { $0 == "KEY" ? value : nil }
                }
            }
            let one = try build(Self.value)
            #expect(try traces(in: fixture.store.root) == "")
            #expect(try build("another").result.imageID == one.result.imageID, "the value is no part of the key")
            let failing = try fixture.failure(
                "FROM busybox\nRUN --mount=type=secret,id=key,env=KEY --mount=type=secret,id=key exit 3\n"
            ) { options in
                options.secrets = ["key": .environment("KEY")]
                options.environment = { $0 == "KEY" ? Self.value : nil }
                options.removesFailedContainer = false
            }
            #expect(failing.exitStatus == 3)
            #expect(try traces(in: fixture.store.root) == "", "not in a container that is kept either")
        }
    }

    @Test func aSecretThatIsRequiredHasToBeThere() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let built = try fixture.build(
                "FROM busybox\nRUN --mount=type=secret,id=none --mount=type=ssh ls /run > /list 2>&1; echo $SSH_AUTH_SOCK\n"
            )
            #expect(built.log.output == "\n")
            let error = try fixture.failure("FROM busybox\nRUN --mount=type=secret,id=none,required=true true\n")
            #expect(error.code == .noSuchSecret)
            #expect(error.place == "-:2")
            let agent = try fixture.failure("FROM busybox\nRUN --mount=type=ssh,required true\n")
            #expect(agent.code == .noSuchSecret)
        }
    }

    @Test func optionsAreReadAsBuildxReadsThem() throws {
        let environment = { (name: String) in name == "SET" ? "value" : nil }
        func parse(_ text: String) throws -> (id: String, secret: BuildSecret) {
            try BuildSecret.parse(text, environment: environment)
        }
        #expect(try parse("id=a,src=/etc/passwd") == ("a", .file("/etc/passwd")))
        #expect(try parse("type=file,id=a,source=/etc/passwd") == ("a", .file("/etc/passwd")))
        #expect(try parse("id=a,env=X") == ("a", .environment("X")))
        #expect(try parse("type=env,id=a,src=X") == ("a", .environment("X")))
        #expect(try parse("type=env,id=a") == ("a", .environment("a")))
        #expect(try parse("id=SET") == ("SET", .environment("SET")))
        for wrong in ["", "src=/etc/passwd", "id=a,src=/nowhere/at/all", "id=a,src=/etc", "id=a,what=b", "id=a,type=x"]
        {
            #expect(throws: BuildError.self) { try parse(wrong) }
        }
        #expect(throws: BuildError.self) { try BuildAgent.parse("default", environment: environment) }
        #expect(throws: BuildError.self) { try BuildAgent.parse("x=/etc/passwd", environment: environment) }
    }

    /// Keys in files get an agent for the time of the build; who may read the file does not matter.
    @Test func keysGetAnAgent() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let key = fixture.directory + "/key"
            try shell("ssh-keygen -q -t ed25519 -N '' -C told -f \(key); chmod 644 \(key)")
            var (id, agent): (String, BuildAgent?) = try BuildAgent.parse("some=\(key)") { _ in nil }
            let socket = try #require(agent?.socket)
            #expect(id == "some")
            #expect(try shell("SSH_AUTH_SOCK=\(socket) ssh-add -l").contains("told"))
            let built = try fixture.build(
                "FROM busybox\nRUN --mount=type=ssh,id=some,required test -S $SSH_AUTH_SOCK\n"
            ) {
                if let agent { $0.agents["some"] = agent }
            }
            #expect(try fixture.lastLayer(built).isEmpty)
            let pattern = "ssh-agent -D -a \(socket)"
            #expect(try shell("pgrep -c -f '^\(pattern)'") == "1\n")
            agent = nil
            id = ""
            #expect(try shell("pgrep -c -f '^\(pattern)' || true") == "0\n", "it ends with the build")
            #expect(try shell("ls \(socket) 2>/dev/null || echo gone") == "gone\n")
            try shell("ssh-keygen -q -t ed25519 -N secret -f \(key)-locked")
            for wrong in ["\(key)-locked", "/etc/passwd", "\(key),\(fixture.directory)", "/nosuch"] {
                #expect(throws: BuildError.self) { try BuildAgent.parse("x=\(wrong)") { _ in nil } }
            }
        }
    }

    @Test func anAgentHasASocket() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let path = fixture.directory + "/agent"
            let agent = try UnixSocket.listen(at: path)
            let built = try fixture.build(
                """
                FROM busybox
                USER app
                RUN --mount=type=ssh,uid=1000,mode=0600,required --mount=type=ssh,id=other \
                    echo $SSH_AUTH_SOCK && stat -c '%u:%g %a %F' $SSH_AUTH_SOCK && ls /run/buildkit
                """
            ) { $0.agents = ["default": BuildAgent(socket: path)] }
            let lines = built.log.output.split(separator: "\n")
            #expect(lines.prefix(2) == ["/run/buildkit/ssh_agent.0", "1000:0 600 socket"])
            #expect(try fixture.lastLayer(built).isEmpty)
            withExtendedLifetime(agent) {}
        }
    }

    @Test func connectionsReachTheAgent() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let agent = try UnixSocket.listen(at: fixture.directory + "/agent")
            let home = try FileDescriptor.open(fixture.directory, [.directory])
            let relay = try SocketRelay(named: "relay", in: home, to: fixture.directory + "/agent")
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 1)
            defer { buffer.deallocate() }
            func text(_ socket: borrowing FileDescriptor) throws -> String {
                let count = try socket.read(into: buffer)
                return String(decoding: buffer[..<count], as: UTF8.self)
            }
            for number in 1...2 {
                let client = try UnixSocket.connect(to: fixture.directory + "/relay")
                try client.writeAll("question \(number)")
                let server = try UnixSocket.accept(on: agent)
                #expect(try text(server) == "question \(number)")
                try server.writeAll("answer")
                #expect(try text(client) == "answer")
            }
            withExtendedLifetime(relay) {}
        }
    }

    @Test("A client of an agent that has said all still gets its answer")
    func aHalfClosedConnection() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let agent = try UnixSocket.listen(at: fixture.directory + "/agent")
            let home = try FileDescriptor.open(fixture.directory, [.directory])
            let relay = try SocketRelay(named: "relay", in: home, to: fixture.directory + "/agent")
            let client = try UnixSocket.connect(to: fixture.directory + "/relay")
            try client.writeAll("question")
            try UnixSocket.shutDown(client, .writing)
            let server = try UnixSocket.accept(on: agent)
            #expect(String(decoding: try server.readAll(), as: UTF8.self) == "question")
            try server.writeAll("answer")
            try UnixSocket.shutDown(server, .writing)
            #expect(String(decoding: try client.readAll(), as: UTF8.self) == "answer")
            withExtendedLifetime(relay) {}
        }
    }
}
