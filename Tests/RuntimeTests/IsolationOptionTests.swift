import OCI
import Testing

@testable import Runtime

/// The options that say what a container may do, before there is a container.
@Suite struct IsolationOptionTests {
    private func isolation(_ change: (inout ContainerOptions) -> Void) throws(RuntimeError) -> Isolation {
        var options = ContainerOptions()
        change(&options)
        return try options.isolation()
    }

    @Test func capabilitiesAreChangedAsDockerChangesThem() throws {
        #expect(
            try isolation { $0.addedCapabilities = ["net_raw", "CAP_CHOWN", "all"] }.addedCapabilities
                == ["CAP_NET_RAW", "CAP_CHOWN", "ALL"])
        #expect(Capability.changed(["A", "B"], adding: ["C", "A"], dropping: ["A", "B"]) == ["C", "A"])
        #expect(Capability.changed(["A", "B"], adding: ["C"], dropping: ["ALL"]) == ["C"])
        #expect(Capability.changed(["A", "B"], adding: [], dropping: ["ALL"]).isEmpty)
        let all = Capability.changed(Capability.usual, adding: ["ALL"], dropping: ["CAP_CHOWN"])
        #expect(all == Capability.available.filter { $0 != "CAP_CHOWN" })
        let unknown = #expect(throws: RuntimeError.self) { try isolation { $0.droppedCapabilities = ["flying"] } }
        #expect(unknown?.message == "unknown capability: \"CAP_FLYING\"")
        #expect(Set(Capability.usual).subtracting(Capability.usualOnHostNetwork) == ["CAP_NET_RAW"])
    }

    @Test func securityOptionsAreReadAsDockerReadsThem() throws {
        func options(_ values: String...) throws(RuntimeError) -> SecurityOptions { try SecurityOptions(values) }
        #expect(try options() == options("seccomp=builtin"))
        #expect(try options("seccomp=unconfined").filter == .none)
        #expect(try options("seccomp:unconfined").filter == .none)
        for text in ["no-new-privileges", "no-new-privileges=true", "no-new-privileges:true", "no-new-privileges=1"] {
            #expect(try options(text).hasNoNewPrivileges)
        }
        #expect(try !options("no-new-privileges", "no-new-privileges=false").hasNoNewPrivileges)
        #expect(try options("apparmor=unconfined", "label=disable").appArmorProfile == nil)
        for wrong in [
            "", "what", "seccomp", "seccomp=", "apparmor", "=x", "no-new-privileges=maybe", "what=ever", "label:",
        ] {
            let error = #expect(throws: RuntimeError.self, "\(wrong)") { try options(wrong) }
            #expect(error?.message == "invalid --security-opt: \"\(wrong)\"")
        }
    }

    @Test func profilesOfFilesAreKeptWithTheContainer() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/profile.json"
            try write(
                #"{ "defaultAction": "SCMP_ACT_ALLOW",\#n "syscalls": [ {"name": "a \" b", "action": "SCMP_ACT_LOG"} ] }"#,
                to: path)
            let isolation = try isolation {
                $0.securityOptions = ["seccomp=\(path)", "systempaths=unconfined", "no-new-privileges"]
            }
            #expect(!isolation.masksSystemPaths)
            let kept = #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"a \" b","action":"SCMP_ACT_LOG"}]}"#
            #expect(isolation.securityOptions == ["seccomp=" + kept, "no-new-privileges"])
            let missing = #expect(throws: RuntimeError.self) {
                try self.isolation { $0.securityOptions = ["seccomp=\(directory)/nosuch"] }
            }
            #expect(missing?.message.hasPrefix("opening seccomp profile (\(directory)/nosuch) failed: ") == true)
            try write("not JSON", to: path)
            #expect(throws: RuntimeError.self) { try self.isolation { $0.securityOptions = ["seccomp=\(path)"] } }
        }
    }

    @Test func limitsThatMakeNoSenseAreRefused() throws {
        func refusal(_ change: (inout ResourceLimits) -> Void) -> String? {
            var limits = ResourceLimits()
            change(&limits)
            do throws(RuntimeError) { try limits.check() } catch { return error.message }
            return nil
        }
        #expect(refusal { _ in } == nil)
        #expect(refusal { $0.memory = 6 << 20 } == nil)
        #expect(refusal { $0.memory = 5 << 20 } == "Minimum memory limit allowed is 6MB")
        #expect(refusal { ($0.memory, $0.memoryAndSwap) = (8 << 20, 7 << 20) }?.hasPrefix("Minimum memoryswap") == true)
        #expect(refusal { $0.memoryAndSwap = 8 << 20 }?.hasPrefix("You should always set the Memory limit") == true)
        #expect(refusal { ($0.memory, $0.memoryAndSwap) = (8 << 20, -1) } == nil)
        #expect(refusal { ($0.memory, $0.memoryReservation) = (8 << 20, 9 << 20) } != nil)
        #expect(refusal { $0.memoryReservation = 1 } == "Minimum memory reservation allowed is 6MB")
        #expect(refusal { $0.nanoProcessors = -1 }?.hasPrefix("range of CPUs is from 0.01 to ") == true)
        #expect(refusal { $0.nanoProcessors = 1_000_000_000_000_000 } != nil)
        #expect(refusal { $0.processorSet = "0" } == nil)
        #expect(refusal { $0.processorSet = "x" } == "Invalid value x for cpuset cpus")
        #expect(refusal { $0.processorSet = "8000" }?.hasPrefix("Requested CPUs are not available - requested") == true)
        #expect(ResourceLimits.numbers("0-2,4") == [0, 1, 2, 4])
        for wrong in ["", "-1", "2-1", "0,", "a", "0-", "0-99999999999999999999", "0-1-2"] {
            #expect(ResourceLimits.numbers(wrong) == nil, "\(wrong)")
        }
    }

    @Test func limitsAreDocumentsOfTheRuntime() {
        var limits = ResourceLimits()
        var resources = RuntimeSpecification.Resources(devices: [])
        limits.apply(to: &resources)
        #expect(resources.pids?.limit == 2048 && resources.memory == nil && resources.cpu == nil)
        limits.processes = -1
        limits.memory = 8 << 20
        limits.nanoProcessors = 1_500_000_000
        limits.processorShares = 512
        resources = RuntimeSpecification.Resources(devices: [])
        limits.apply(to: &resources)
        #expect(resources.pids == nil)
        #expect(resources.memory?.limit == 8 << 20 && resources.memory?.reservation == nil)
        #expect(resources.memory?.swap == (Cgroups.canLimitSwap ? 16 << 20 : nil))
        #expect(resources.cpu == .init(shares: 512, quota: 150_000, period: 100_000, cpus: nil))
    }

    @Test func portsAreReadAsDockerReadsThem() throws {
        func mapping(_ text: String) throws -> PortMapping { try PortMapping.parse(text) }
        #expect(try mapping("80") == PortMapping(address: "", containerPorts: 80...80, transport: "tcp"))
        #expect(
            try mapping("127.0.0.1:8080:80/UDP")
                == PortMapping(address: "127.0.0.1", hostPorts: 8080...8080, containerPorts: 80...80, transport: "udp"))
        #expect(try mapping("[::1]:80:80").address == "::1")
        #expect(try mapping("80-82:90-92").hostPorts == 80...82)
        #expect(try mapping("127.0.0.1::80").hostPorts == nil)
        #expect(try mapping("published=8080,target=80") == mapping("8080:80"))
        for (text, message) in [
            ("a", "invalid containerPort: a"), ("80:", "no port specified: 80:<empty>"),
            ("70000", "invalid containerPort: 70000"), ("80:90:100:110", "invalid IP address: 80:90"),
            ("1.2.3:80:80", "invalid IP address: 1.2.3"), ("80/foo", "invalid proto: foo"),
            ("80-90:80-85", "invalid ranges specified for container and host Ports: 80-85 and 80-90"),
            ("published=a,target=2", "invalid hostPort: a"), ("", "no port specified: <empty>"),
            ("90-80", "invalid containerPort: 90-80"), ("a:80", "invalid hostPort: a"),
        ] {
            let error = #expect(throws: RuntimeError.self, "\(text)") { try mapping(text) }
            #expect(error?.message == message)
        }
    }

    @Test func portsThatTheHostsNetworkCannotKeepAreRefused() throws {
        func settings(_ port: String, network: String? = nil) throws(RuntimeError) -> ContainerSettings {
            var options = ContainerOptions()
            options.command = ["true"]
            options.publish = [port]
            options.network = network
            return try ContainerSettings(image: ContainerConfiguration(), options: options, makeName: { "" })
        }
        for fine in ["80", "80:80", "80-90:80-90", "53:53/udp"] { #expect(throws: Never.self) { try settings(fine) } }
        for lossy in ["8080:80", "127.0.0.1:80:80", "0.0.0.0:80:80", "[::1]:80:80", "80-90:80", "80-82:90-92"] {
            let error = #expect(throws: RuntimeError.self, "\(lossy)") { try settings(lossy) }
            #expect(error?.code == .badOption && error?.message.contains(lossy) == true)
            for network in ["host", "none"] { #expect(throws: Never.self) { try settings(lossy, network: network) } }
        }
        #expect(throws: RuntimeError.self) { try settings("x", network: "none") }
        #expect(throws: RuntimeError.self) { try settings("80", network: "bridge") }
    }

    @Test func withoutControlGroupsThereAreNoLimitsAndAllElse() throws {
        func specification(_ isolation: Isolation, hasCgroups: Bool) throws -> RuntimeSpecification {
            var process = RuntimeSpecification.Process(args: ["x"], env: [], cwd: "/", user: .init(uid: 0, gid: 0))
            try isolation.apply(to: &process)
            var specification = RuntimeSpecification(
                process: process, root: .init(path: "/r"), hostname: nil, mounts: [],
                linux: .standard(cgroupsPath: "/strata/x", privateCgroups: false))
            try isolation.apply(to: &specification, hasCgroups: hasCgroups)
            return specification
        }
        let with = try specification(Isolation(), hasCgroups: true)
        #expect(with.linux.cgroupsPath == "/strata/x" && with.linux.resources.pids?.limit == 2048)
        let without = try specification(Isolation(), hasCgroups: false)
        #expect(without.linux.cgroupsPath == nil && without.linux.resources.pids == nil)
        #expect(without.linux.seccomp == with.linux.seccomp && without.linux.seccomp != nil)
        var privileged = Isolation()
        privileged.isPrivileged = true
        let free = try specification(privileged, hasCgroups: true)
        #expect(free.linux.seccomp == nil && free.linux.maskedPaths == nil)
        #expect(free.process.capabilities?.bounding == Capability.available)
        #expect(free.linux.resources.pids?.limit == 2048, "the host is protected from a fork bomb all the same")
        let size = try JSON.encode(with).count
        #expect(size < 16_384, "\(size)")
    }

    @Test func settingsOfEarlierVersionsHaveTheDefaults() throws {
        var options = ContainerOptions()
        options.command = ["true"]
        options.network = "none"
        options.isReadOnly = true
        let settings = try ContainerSettings(image: ContainerConfiguration(), options: options, makeName: { "" })
        let document = try JSON.encode(settings)
        #expect(try JSON.decode(ContainerSettings.self, from: document) == settings)
        guard case .object(var members) = try JSON.decode(JSONValue.self, from: document) else { return }
        let kept = members.removeValue(forKey: "keptIsolation")
        #expect(kept != nil)
        let old = try JSON.decode(ContainerSettings.self, from: try JSON.encode(JSONValue.object(members)))
        #expect(old.isolation == Isolation())
        members["keptIsolation"] = .object(["isReadOnly": .bool(true)])
        let between = try JSON.decode(ContainerSettings.self, from: try JSON.encode(JSONValue.object(members)))
        #expect(between.isolation.isReadOnly && between.isolation.resources.processes == 2048)
    }
}
