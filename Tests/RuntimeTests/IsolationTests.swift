import ImageStore
import Linux
import OCI
import Testing

@testable import Runtime

/// What a container may do and use, asked in containers.
@Suite struct IsolationTests {
    private static let filterMode = "grep -w Seccomp: /proc/self/status"

    @Test(arguments: ["runc", "crun"])
    func systemCallsAreFiltered(_ runtime: String) throws {
        try Fixture.run(runtime: runtime) { fixture in
            #expect(try fixture.shell(Self.filterMode).output == "Seccomp:\t2\n")
            let free = try fixture.shell(Self.filterMode) { $0.securityOptions = ["seccomp=unconfined"] }
            #expect(free.output == "Seccomp:\t0\n")
        }
    }

    @Test func furtherProcessesAreFilteredToo() throws {
        try Fixture.run { fixture in
            let container = try fixture.create(["sleep", "1000"]) {
                $0.droppedCapabilities = ["all"]
                $0.addedCapabilities = ["kill"]
                $0.securityOptions = ["no-new-privileges"]
            }
            try fixture.engine.startDetached(container.id)
            var printed: [UInt8] = []
            let status = try fixture.engine.exec(
                container.id, ExecOptions(arguments: ["grep", "-E", "Seccomp:|NoNew|CapBnd", "/proc/self/status"]),
                attachment: Attachment { _, bytes in printed += bytes })
            #expect(status == 0)
            #expect(
                String(decoding: printed, as: UTF8.self)
                    == "CapBnd:\t0000000000000020\nNoNewPrivs:\t1\nSeccomp:\t2\n")
            try fixture.engine.remove(container.id, force: true)
        }
    }

    /// What the program `SystemCallProbe` got, by the name of the call.
    private func probe(
        _ fixture: Fixture, _ directory: String, _ change: @escaping (inout ContainerOptions) -> Void = { _ in }
    ) throws -> [String: String] {
        let outcome = try fixture.run(["/probe/probe"]) {
            $0.volumes = ["\(directory):/probe:ro"]
            change(&$0)
        }
        #expect(outcome.status == 0, "\(outcome)")
        let lines = outcome.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        return Dictionary(lines.map { ($0[0], $0[1]) }) { first, _ in first }
    }

    @Test func callsFailAsInDocker() throws {
        try withTemporaryDirectory { directory in
            try SystemCallProbe.make(at: directory + "/probe")
            try Fixture.run { fixture in
                let usual = try probe(fixture, directory)
                for call in [
                    "unshare", "mount", "keyctl", "add_key", "bpf", "io_uring_setup", "open_by_handle_at",
                    "userfaultfd", "clone", "socket-alg", "socket-vsock", "personality-random",
                ] { #expect(usual[call] == "EPERM", "\(call)") }
                #expect(usual["clone3"] == "ENOSYS")
                #expect(usual["socket-unix"] == "0" && usual["personality-ask"] == "0" && usual["ptrace"] == "ESRCH")
                let administrator = try probe(fixture, directory) { $0.addedCapabilities = ["SYS_ADMIN"] }
                #expect(administrator["mount"] == "ENOENT" && administrator["unshare"] == "0")
                #expect(administrator["clone3"] == "EINVAL" && administrator["keyctl"] == "EPERM")
                let free = try probe(fixture, directory) { $0.securityOptions = ["seccomp=unconfined"] }
                #expect(free["clone3"] == "EINVAL" && free["unshare"] == "0" && free["personality-random"] == "0")
            }
        }
    }

    @Test func aProfileOfAFileIsUsedAtEachStart() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/profile.json"
            let names = #"["mkdir", "mkdirat"]"#
            try write(
                #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":\#(names),"action":"SCMP_ACT_ERRNO","errnoRet":28}]}"#,
                to: path)
            try Fixture.run { fixture in
                let container = try fixture.create(["mkdir", "/new"]) { $0.securityOptions = ["seccomp=\(path)"] }
                try FileDescriptor.currentDirectory.unlink(path)
                for _ in 1...2 {
                    let outcome = try fixture.run(container)
                    #expect(outcome.status == 1 && outcome.errors.contains("No space left"), "\(outcome)")
                }
            }
        }
    }

    /// The bounding set of a container.
    private func capabilities(
        _ fixture: Fixture, _ change: (inout ContainerOptions) -> Void = { _ in }
    ) throws -> Set<String> {
        let output = try fixture.shell("grep CapBnd /proc/self/status", change).output
        let text = try #require(output.split(separator: "\t").last).filter { !$0.isWhitespace }
        let set = try #require(UInt64(text, radix: 16))
        return Set(Capability.known.enumerated().filter { set >> UInt64($0.offset) & 1 == 1 }.map(\.element))
    }

    @Test func capabilitiesAreDockersButForTheHostsNetwork() throws {
        try Fixture.run { fixture in
            let usual = Set(Capability.usual)
            #expect(try capabilities(fixture) == usual.subtracting(["CAP_NET_RAW"]))
            #expect(try capabilities(fixture) { $0.network = "none" } == usual)
            let changed = try capabilities(fixture) {
                $0.addedCapabilities = ["net_raw", "CAP_SYS_PTRACE"]
                $0.droppedCapabilities = ["chown"]
            }
            #expect(changed == usual.union(["CAP_SYS_PTRACE"]).subtracting(["CAP_CHOWN"]))
            #expect(try capabilities(fixture) { $0.droppedCapabilities = ["ALL"] } == [])
        }
    }

    @Test func withoutANetworkThereIsTheLoopback() throws {
        try Fixture.run { fixture in
            let container = try fixture.create(["sh", "-c", "cat /proc/net/dev; cat /sys/class/net/lo/flags"]) {
                $0.network = "none"
            }
            for _ in 1...2 {
                let lines = try fixture.run(container).output.split(separator: "\n").dropFirst(2)
                #expect(lines.count == 2 && lines.first?.contains("lo:") == true && lines.last == "0x9", "\(lines)")
            }
        }
    }

    @Test func aForkBombEndsAtTheLimit() throws {
        try Fixture.run { fixture in
            // The shell tells of the failure and ends; what it started ends with it.
            let bomb = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 100 & echo $i; done"
            let outcome = try fixture.shell(bomb) { $0.resources.processes = 10 }
            #expect(outcome.status != 0 && outcome.errors.contains("fork"), "\(outcome)")
            #expect((8...10).contains(outcome.output.split(separator: "\n").count))
            let file = "cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; true"
            #expect(try fixture.shell(file).output == "2048\n")
            #expect(try fixture.shell(file) { $0.resources.processes = -1 }.output == "max\n")
        }
    }

    @Test func memoryThatIsNotThereKills() throws {
        try Fixture.run { fixture in
            let command = ["dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1"]
            let outcome = try fixture.run(command) {
                $0.resources.memory = 16 << 20
                $0.resources.memoryAndSwap = 16 << 20
            }
            #expect(outcome.status == 137, "\(outcome)")
            #expect(try fixture.run(command) { $0.resources.memory = 256 << 20 }.status == 0)
        }
    }

    @Test func processorsAreLimited() throws {
        try Fixture.run { fixture in
            let look = """
                cd /sys/fs/cgroup
                cat cpu/cpu.cfs_quota_us cpu/cpu.shares cpuset/cpuset.cpus 2>/dev/null || cat cpu.max cpuset.cpus
                """
            let output = try fixture.shell(look) {
                $0.resources.nanoProcessors = 500_000_000
                $0.resources.processorShares = 512
                $0.resources.processorSet = "0"
            }.output
            #expect(output == "50000\n512\n0\n" || output == "50000 100000\n0\n")
        }
    }

    @Test(arguments: ["runc", "crun"])
    func aRootFileSystemThatCannotBeWritten(_ runtime: String) throws {
        try withTemporaryDirectory { directory in
            try Fixture.run(runtime: runtime) { fixture in
                let script = """
                    for place in /new /etc/hosts /etc/resolv.conf /etc/hostname /data/file /dev/shm/x /dev/x /volume/x; do
                        (: >> $place) 2>/dev/null && echo $place
                    done; true
                    """
                let outcome = try fixture.shell(script) {
                    $0.isReadOnly = true
                    $0.volumes = ["\(directory):/volume"]
                }
                #expect(outcome.output == "/dev/shm/x\n/dev/x\n/volume/x\n", "\(outcome)")
            }
        }
    }

    @Test func systemPathsAreHiddenUnlessAskedFor() throws {
        try Fixture.run { fixture in
            let script = "grep -c . /proc/keys; (: >> /proc/sys/kernel/hostname) 2>/dev/null && echo writable; true"
            #expect(try fixture.shell(script).output == "0\n")
            let open = try fixture.shell(script) { $0.securityOptions = ["systempaths=unconfined"] }
            #expect(open.output.hasSuffix("\nwritable\n") && !open.output.hasPrefix("0\n"), "\(open)")
        }
    }
}
