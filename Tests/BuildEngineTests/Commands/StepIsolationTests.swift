import Dockerfile
import Linux
import Runtime
import Testing

@testable import BuildEngine

/// `--network`, `--security`, `--add-host`, `--shm-size`, `--ulimit`.
@Suite struct StepIsolationTests {
    /// What a command sees of the network.
    private static let look = "cat /proc/net/dev > /dev-list; cat /sys/class/net/lo/flags > /flags"

    private func interfaces(_ built: BuildFixture.Built, _ fixture: BuildFixture) throws -> [String] {
        let text = try #require(try fixture.text("/dev-list", in: built.image))
        return text.split(separator: "\n").dropFirst(2).compactMap { line in
            line.split(separator: ":").first.map { String($0.drop { $0 == " " }) }
        }
    }

    @Test func withoutANetworkThereIsNothingButTheLoopback() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let built = try fixture.build("FROM busybox\nRUN --network=none \(Self.look)\n")
            #expect(try interfaces(built, fixture) == ["lo"])
            let flags = try #require(try fixture.text("/flags", in: built.image))
            #expect(Int(flags.dropFirst(2).dropLast(), radix: 16).map { $0 & 1 } == 1, "it is up")
        }
    }

    @Test func theBuildSaysWhichNetworkAndTheInstructionComesFirst() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let namespace = "readlink /proc/self/ns/net"
            let host = try shell(namespace)
            func seen(_ flag: String, _ change: (inout BuildOptions) -> Void = { _ in }) throws -> String {
                try fixture.build("FROM busybox\nRUN \(flag) busybox \(namespace)\n") { options in
                    options.usesCache = false
                    change(&options)
                }.log.output
            }
            #expect(try seen("") == host)
            #expect(try seen("") { $0.network = .none } != host)
            #expect(try seen("--network=default") { $0.network = .none } != host)
            #expect(try seen("--network=host") { $0.network = .none } == host)
            #expect(try seen("--network=none") != host)
        }
    }

    @Test func theNetworkCountsForTheCache() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            _ = try fixture.build("FROM busybox\nRUN true\n")
            #expect(try fixture.build("FROM busybox\nRUN --network=default true\n").result.executedSteps == 0)
            #expect(try fixture.build("FROM busybox\nRUN --network=none true\n").result.executedSteps == 1)
        }
    }

    @Test func insecureNeedsPermission() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let dockerfile = """
                FROM busybox
                RUN cat /proc/self/status > /usual
                RUN --security=insecure cat /proc/self/status > /all; mkdir /m && busybox mount -t tmpfs none /m && \
                    busybox umount /m && rm -r /m
                """
            let error = try fixture.failure(dockerfile)
            #expect(error.code == .notAllowed)
            #expect(error.place == "-:3")
            #expect(error.description.contains("--allow security.insecure"))
            let built = try fixture.build(dockerfile) { $0.entitlements = [.insecure] }
            func capabilities(_ text: String?) -> UInt64? {
                let line = text?.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
                return line.flatMap { UInt64($0.split(separator: "\t").last ?? "", radix: 16) }
            }
            let all = try #require(capabilities(try fixture.text("/all", in: built.image)))
            let usual = try #require(capabilities(try fixture.text("/usual", in: built.image)))
            #expect(all == capabilities(try shell("cat /proc/self/status")))
            #expect(usual & ~all == 0 && usual != all)
        }
    }

    @Test func commandsAreConfinedAsContainersAre() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let look = "busybox grep -E 'Seccomp:|CapBnd' /proc/self/status"
            let dockerfile = """
                FROM busybox
                RUN \(look) > /usual; busybox sh -c 'busybox unshare -U true' 2> /refused; true
                RUN --network=none \(look) > /apart
                RUN --security=insecure \(look) > /all
                """
            let built = try fixture.build(dockerfile) { $0.entitlements = [.insecure] }
            #expect(try fixture.text("/usual", in: built.image) == "CapBnd:\t00000000a80405fb\nSeccomp:\t2\n")
            #expect(try fixture.text("/refused", in: built.image)?.contains("not permitted") == true)
            #expect(try fixture.text("/apart", in: built.image) == "CapBnd:\t00000000a80425fb\nSeccomp:\t2\n")
            #expect(try fixture.text("/all", in: built.image)?.hasSuffix("\nSeccomp:\t0\n") == true)
        }
    }

    @Test func commandsHaveALimitOfProcesses() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let bomb = "for i in $(seq 30); do sleep 100 & done; echo all"
            let failure = try fixture.failure("FROM busybox\nRUN \(bomb)\n") { $0.isolation.resources.processes = 10 }
            #expect(failure.code == .commandFailed)
            let built = try fixture.build("FROM busybox\nRUN busybox cat /proc/self/cgroup > /group; sleep 1\n")
            #expect(try fixture.text("/group", in: built.image)?.contains("/strata/") == true)
        }
    }

    @Test func volumesAreSeenAndInNoLayer() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let host = fixture.directory + "/host"
            try shell("mkdir \(host); echo there > \(host)/file")
            let volumes = [
                try BuildVolume.parse("\(host):/deep/volume"), try BuildVolume.parse("\(host)/file:/data/one:ro"),
            ]
            let dockerfile = "FROM busybox\nRUN cat /deep/volume/file /data/one; echo made > /deep/volume/made\n"
            let built = try fixture.build(dockerfile + "RUN ! echo x > /data/one\n") { $0.volumes = volumes }
            #expect(built.log.output.hasPrefix("there\nthere\n"))
            #expect(try fixture.layer(built.image, 1).isEmpty && fixture.lastLayer(built).isEmpty)
            #expect(try shell("cat \(host)/made") == "made\n")
            #expect(try fixture.build(dockerfile) { $0.volumes = volumes }.result.executedSteps == 0)
            #expect(try fixture.build("FROM busybox\nRUN test ! -e /data/one\n").result.executedSteps == 1)
            for wrong in ["name:/x", "/nosuch/at/all:/x", "\(host)", "\(host):x", "\(host):/x:what", ":", "\(host):/"] {
                #expect(throws: BuildError.self, "\(wrong)") { try BuildVolume.parse(wrong) }
            }
        }
    }

    @Test func hostsMemoryAndLimits() throws {
        try BuildFixture.run { (fixture: BuildFixture) throws in
            let dockerfile = """
                FROM busybox
                RUN cat /etc/hosts > /hosts; ulimit -n > /limit; cat /proc/mounts > /mounts
                """
            let built = try fixture.build(dockerfile) { options in
                options.isolation.hosts = [Isolation.Host(name: "mirror", address: "10.1.2.3")]
                options.isolation.sharedMemory = 3 << 20
                options.isolation.limits = [RuntimeSpecification.Limit(type: "RLIMIT_NOFILE", soft: 100, hard: 200)]
            }
            #expect(try fixture.text("/hosts", in: built.image)?.contains("10.1.2.3\tmirror\n") == true)
            #expect(try fixture.text("/limit", in: built.image) == "100\n")
            let mounts = try #require(try fixture.text("/mounts", in: built.image))
            #expect(mounts.contains(/shm \/dev\/shm tmpfs [^\n]*size=3072k/))
            let moved = try fixture.build(dockerfile) { options in
                options.isolation.hosts = [Isolation.Host(name: "mirror", address: "10.1.2.4")]
                options.isolation.sharedMemory = 3 << 20
                options.isolation.limits = [RuntimeSpecification.Limit(type: "RLIMIT_NOFILE", soft: 100, hard: 200)]
            }
            #expect(moved.result.executedSteps == 0, "addresses do not count for the cache")
        }
    }

    @Test func optionsAreRead() {
        typealias Host = Isolation.Host
        #expect(Host.parse("a:10.0.0.1") == Host(name: "a", address: "10.0.0.1"))
        #expect(Host.parse("a=10.0.0.1") == Host(name: "a", address: "10.0.0.1"))
        #expect(Host.parse("a:::1") == Host(name: "a", address: "::1"))
        #expect(Host.parse("a=[fe80::1]") == Host(name: "a", address: "fe80::1"))
        #expect(Host.parse("a:host-gateway") == Host(name: "a", address: "127.0.0.1"))
        for wrong in [
            "", "a", "a:", ":10.0.0.1", "a:b", "a b:10.0.0.1", "a:10.0.0.1\n1.2.3.4 x", "a#:10.0.0.1",
            "\u{1b}a:10.0.0.1", "a\n:10.0.0.1",
        ] {
            #expect(Host.parse(wrong) == nil, "\(wrong)")
        }
        typealias Limit = RuntimeSpecification.Limit
        #expect(Limit.parse("nofile=10") == Limit(type: "RLIMIT_NOFILE", soft: 10, hard: 10))
        #expect(Limit.parse("nproc=10:20") == Limit(type: "RLIMIT_NPROC", soft: 10, hard: 20))
        #expect(Limit.parse("core=0:-1") == Limit(type: "RLIMIT_CORE", soft: 0, hard: .max))
        for wrong in ["", "nofile", "nofile=", "nofile=a", "nofile=20:10", "what=1", "nofile=1:2:3"] {
            #expect(Limit.parse(wrong) == nil, "\(wrong)")
        }
    }
}
