import Dockerfile
import Testing

/// The small languages inside arguments: modes, owners, ports.
@Suite struct ValueTests {
    /// What `chmod(1)` with a umask of zero makes of the same.
    static let modes: [(text: String, before: UInt32, directory: Bool, after: UInt32)] = [
        ("755", 0o600, false, 0o755), ("0755", 0o7777, true, 0o755), ("4711", 0, false, 0o4711),
        ("0", 0o777, false, 0),
        ("u+x", 0o644, false, 0o744), ("+x", 0o644, false, 0o755), ("a-w", 0o666, false, 0o444),
        ("go=", 0o777, false, 0o700),
        ("u=rwX,go=rX", 0o600, false, 0o644), ("u=rwX,go=rX", 0o600, true, 0o755),
        ("u=rwX,go=rX", 0o700, false, 0o755),
        ("a+X", 0o644, false, 0o644), ("a+X", 0o645, false, 0o755), ("u+s", 0o755, false, 0o4755),
        ("g+s", 0o755, true, 0o2755),
        ("+t", 0o777, true, 0o1777), ("g=u", 0o740, false, 0o770), ("o=g-w", 0o770, false, 0o775),
        ("u-x+w", 0o577, false, 0o677),
        ("ug+rw,o-rwx", 0o007, false, 0o660), ("a=r", 0o777, false, 0o444),
    ]

    @Test(arguments: modes) func mode(text: String, before: UInt32, directory: Bool, after: UInt32) throws {
        #expect(try ModeChange.parse(text).applied(to: before, isDirectory: directory) == after)
    }

    @Test(arguments: ["", "8", "77777", "u", "x", "u+q", "u+x,", "0x1", "u+x g+x", "u=rwz", "99999999999999999999"])
    func noMode(text: String) {
        let error = #expect(throws: DockerfileError.self) { try ModeChange.parse(text) }
        #expect(error?.code == .invalidArgument)
    }

    static let owners: [(text: String, user: String, group: String?)] = [
        ("root", "root", nil), ("0", "0", nil), ("a:b", "a", "b"), ("1000:1000", "1000", "1000"),
    ]

    @Test(arguments: owners) func owner(text: String, user: String, group: String?) throws {
        let owner = try OwnerSpecification.parse(text)
        #expect(owner.user == user && owner.group == group)
    }

    @Test(arguments: ["", ":", "a:", ":b"]) func noOwner(text: String) {
        #expect(throws: DockerfileError.self) { try OwnerSpecification.parse(text) }
    }

    static let ports: [(text: String, ports: [String])] = [
        ("80", ["80/tcp"]), ("53/UDP", ["53/udp"]), ("8000-8002", ["8000/tcp", "8001/tcp", "8002/tcp"]),
        ("1-2/sctp", ["1/sctp", "2/sctp"]), ("8080:80", ["80/tcp"]), ("65535", ["65535/tcp"]),
    ]

    @Test(arguments: ports) func port(text: String, ports: [String]) throws {
        #expect(try ExposedPort.parse(text).map(\.description) == ports)
    }

    @Test(arguments: ["", "0", "65536", "a", "80/", "80/foo", "/tcp", "2-1", "1-2-3", "-1", "1-", "+1", "80/tcp/udp"])
    func noPort(text: String) {
        let error = #expect(throws: DockerfileError.self) { try ExposedPort.parse(text) }
        #expect(error?.code == .invalidArgument)
    }

    /// As Go's `time.ParseDuration` has it, apart from signs.
    static let durations: [(text: String, nanoseconds: Int64?)] = [
        ("0", 0), ("1ms", 1_000_000), ("1.5s", 1_500_000_000), ("1h2m3s4ms", 3_723_004_000_000), ("1000us", 1_000_000),
        (".5m", 30_000_000_000), ("1.s", 1_000_000_000), ("1500µs", 1_500_000), ("+2s", 2_000_000_000),
        ("0.000001h", 3_600_000),
        ("2562047h", 9_223_369_200_000_000_000), ("2562048h", nil), ("99999999999999999999s", nil),
        ("1", nil), ("s", nil),
        (".s", nil), ("-1s", nil), ("1d", nil), ("1s1", nil), ("1 s", nil), ("999us", nil), ("1s+1s", nil),
    ]

    @Test(arguments: durations) func duration(text: String, nanoseconds: Int64?) throws {
        let instruction = "HEALTHCHECK --interval=\"\(text)\" CMD true"
        guard let nanoseconds else {
            let error = #expect(throws: DockerfileError.self) {
                try DockerfileDocument.instructions(parsing: instruction)
            }
            #expect(error?.code == .invalidFlag)
            return
        }
        var check = HealthcheckInstruction(command: .shell("true"))
        check.interval = nanoseconds
        #expect(try DockerfileDocument.instructions(parsing: instruction)[0].operation == .healthcheck(check))
    }

    /// Any bytes at all end in a document or an error, never in a crash.
    @Test func anythingCanBeParsed() {
        var generator = Generator(state: 42)
        let pieces = [
            "FROM x", "RUN ", "COPY ", "ENV ", "ARG ", "ONBUILD ", "HEALTHCHECK ", "LABEL ", "EXPOSE ",
            "CMD ", "--from=", "--mount=",
            "<<EOF", "<<-'E'", "EOF", "\n", "\n", "\r\n", "\\\n", "\\", "$", "${", "}", ":-", "##", "//",
            "\"", "'", "[", "]", ",", "a=b",
            " ", "\t", "#", "# escape=`\n", "`", "é", "\u{0}", "\u{FEFF}", "--", "=", "*", "!", "1", "AS ",
            "type=cache", "target=/x",
        ]
        var parsed = 0
        for _ in 0..<5000 {
            var text = generator.next() % 2 == 0 ? "FROM x\n" : ""
            for _ in 0..<Int(generator.next() % 30) { text += pieces[Int(generator.next() % UInt64(pieces.count))] }
            var bytes = Array(text.utf8)
            if generator.next() % 10 == 0 { bytes.insert(0xC3, at: Int(generator.next() % UInt64(bytes.count + 1))) }
            do {
                let document = try DockerfileDocument(parsing: bytes)
                let graph = try document.resolve()
                _ = graph.order(for: document.stages.count - 1)
                for instruction in document.stages.flatMap(\.instructions) { _ = try? instruction.expanded { $0 } }
                parsed += 1
            } catch {
                #expect(!"\(error)".isEmpty)
            }
            _ = try? IgnorePatterns(parsing: bytes).excludes("a/b")
            _ = try? GlobPattern(text).matches("a/b")
        }
        #expect(parsed > 100)
    }

    /// A fixed sequence, so that a failure can be seen again (xorshift).
    struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }
}
