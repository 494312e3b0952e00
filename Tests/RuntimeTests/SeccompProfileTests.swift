import FoundationEssentials
import Linux
import OCI
import Testing

@testable import Runtime

/// The filter of system calls, before it meets a kernel.
@Suite struct SeccompProfileTests {
    private func subject(_ capabilities: [String] = Capability.usual) -> SeccompProfile.Subject {
        SeccompProfile.Subject(
            capabilities: Set(capabilities), architecture: "amd64", kernel: KernelVersion(6, 1), runsX32: true)
    }

    /// The calls that are allowed whatever their arguments are.
    private func allowed(_ filter: RuntimeSpecification.Seccomp) -> Set<String> {
        Set((filter.syscalls ?? []).filter { $0.action == SeccompProfile.allow }.flatMap(\.names))
    }

    /// Every call of every rule with its conditions is a line; sorted, they are what `profiles/seccomp/default.json` of
    /// Moby (commit cd3bed80 of moby/profiles) gives when it is written down in this way.
    @Test func theStandardProfileIsDockers() {
        func text(_ condition: SeccompProfile.Condition) -> String {
            let kernel = condition.kernel.map { "\($0.major).\($0.minor)" } ?? ""
            let lists = [condition.capabilities, condition.architectures].map { $0.sorted().joined(separator: ",") }
            return (lists + [kernel]).joined(separator: "/")
        }
        let profile = SeccompProfile.standard
        let lines = Set(
            profile.rules.flatMap { rule in
                let arguments = rule.arguments.map { "\($0.index) \($0.op) \($0.value) \($0.valueTwo ?? 0)" }
                return rule.names.map { name in
                    [
                        name, rule.action, String(rule.error ?? 0), arguments.joined(separator: ","),
                        text(rule.onlyWith), text(rule.notWith),
                    ].joined(separator: "|")
                }
            })
        #expect(lines.count == 442)
        #expect(
            Digest.sha256(of: lines.sorted().joined(separator: "\n")).hex
                == "484f586cb43f6bc84707733b3f3852211e35657b135d402f78cf92ff920448ce")
        #expect(profile.defaultAction == "SCMP_ACT_ERRNO" && profile.defaultError == 1)
        #expect(Set(SystemCalls.all).count == SystemCalls.all.count, "no call is in two groups")
    }

    /// Another project's profile, which came from the same beginnings, as an oracle: what differs is known.
    @Test func whatDiffersFromDebiansProfileIsKnown() throws {
        let text = try read("/usr/share/containers/seccomp.json")
        let debian = allowed(try #require(try SeccompProfile.parse(text)).filter(for: subject()))
        let ours = allowed(SeccompProfile.standard.filter(for: subject()))
        let more: Set = [
            "clone3", "fsconfig", "fsmount", "fsopen", "fspick", "get_mempolicy", "keyctl", "mbind", "mount",
            "mount_setattr", "move_mount", "open_tree", "pidfd_getfd", "pivot_root", "reboot", "set_mempolicy", "setns",
            "syslog", "umount", "umount2", "unshare",
            // Names that no current kernel has.
            "readdir", "sigaction", "signal", "sigpending", "sigsuspend", "syscall", "timerfd",
        ]
        #expect(debian.subtracting(ours) == more)
        // What was added to the kernel since, and what Docker allows in spite of it.
        let since: Set = [
            "cachestat", "fchmodat2", "futex_requeue", "futex_wait", "futex_waitv", "futex_wake", "getxattrat",
            "io_pgetevents_time64", "listmount", "listxattrat", "map_shadow_stack", "mseal", "removexattrat",
            "riscv_hwprobe", "setxattrat", "statmount", "uretprobe", "io_pgetevents", "vmsplice",
        ]
        #expect(ours.subtracting(debian) == since)
    }

    @Test func capabilitiesOpenWhatTheyAreFor() {
        let usual = allowed(SeccompProfile.standard.filter(for: subject()))
        #expect(usual.isDisjoint(with: ["mount", "unshare", "bpf", "keyctl", "io_uring_setup", "open_by_handle_at"]))
        #expect(usual.isSuperset(of: ["chroot", "ptrace", "clone", "socket", "arch_prctl"]))
        #expect(!usual.contains("riscv_flush_icache") && !usual.contains("clone3"))
        var plain = subject()
        #expect(
            SeccompProfile.standard.filter(for: plain).architectures
                == ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"])
        plain.runsX32 = false
        #expect(SeccompProfile.standard.filter(for: plain).architectures == ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"])
        let administrator = SeccompProfile.standard.filter(for: subject(["CAP_SYS_ADMIN", "CAP_BPF"]))
        #expect(allowed(administrator).isSuperset(of: ["mount", "unshare", "bpf", "clone3"]))
        #expect(!allowed(administrator).contains("chroot"))
        #expect(administrator.syscalls?.contains { $0.names == ["clone"] } == false, "no flag is looked at")
        #expect(administrator.syscalls?.contains { $0.action == "SCMP_ACT_ERRNO" } == false)
        let old = SeccompProfile.Subject(
            capabilities: Set(Capability.usual), architecture: "arm64", kernel: KernelVersion(4, 7))
        let filter = SeccompProfile.standard.filter(for: old)
        #expect(filter.architectures == ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"])
        #expect(!allowed(filter).contains("ptrace") && allowed(filter).contains("set_tls"))
    }

    @Test func profilesAreReadAsDockerWritesThem() throws {
        let text = """
            {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "flags": ["SECCOMP_FILTER_FLAG_LOG"],
             "syscalls": [
               {"name": "chmod", "action": "SCMP_ACT_ERRNO", "errnoRet": 38, "comment": "any",
                "args": [{"index": 1, "value": 18446744073709551615, "op": "SCMP_CMP_MASKED_EQ", "valueTwo": 1}]},
               {"names": ["a"], "action": "SCMP_ACT_ERRNO", "includes": {"minKernel": "4.8", "caps": ["CAP_BPF"]}},
               {"names": ["b"], "action": "SCMP_ACT_ERRNO", "includes": {"minKernel": "99.0"}},
               {"names": ["c"], "action": "SCMP_ACT_LOG", "excludes": {"arches": ["arm64"], "minKernel": "6.2"}}]}
            """
        let profile = try #require(try SeccompProfile.parse(text))
        let filter = profile.filter(for: subject(["CAP_BPF"]))
        #expect(filter.architectures == ["SCMP_ARCH_X86_64"] && filter.flags == ["SECCOMP_FILTER_FLAG_LOG"])
        #expect(filter.syscalls?.map(\.names) == [["chmod"], ["a"], ["c"]])
        #expect(filter.syscalls?.first?.errnoRet == 38)
        #expect(filter.syscalls?.first?.args?.first?.value == .max)
        #expect(profile.filter(for: subject()).syscalls?.map(\.names) == [["chmod"], ["c"]])
        #expect(try SeccompProfile.parse("{}") == nil)
        let document = String(decoding: try JSON.encode(filter), as: UTF8.self)
        #expect(document.contains(#""index":1,"op":"SCMP_CMP_MASKED_EQ","value":18446744073709551615,"valueTwo":1"#))
    }

    @Test(arguments: [
        ("", "JSON"), ("[]", "wrong type"), (#"{"syscalls": [{"name": "a"}]}"#, "defaultAction"),
        (#"{"defaultAction": "ALLOW"}"#, "\"ALLOW\" is no action"),
        (#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["amd64"]}"#, "\"amd64\" is no architecture"),
        (#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"action": "SCMP_ACT_LOG"}]}"#, "names no system call"),
        (#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "a"}]}"#, "syscalls[0] has no \"action\""),
        (#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": 1}]}"#, "wrong type"),
        (
            #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "a", "names": ["b"], "action": "SCMP_ACT_LOG"}]}"#,
            "both \"name\" and \"names\""
        ),
        (
            #"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"], "archMap": [{"architecture": "SCMP_ARCH_X86"}]}"#,
            "both \"architectures\" and \"archMap\""
        ),
        (
            #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "a", "action": "SCMP_ACT_LOG", "includes": {"minKernel": "new"}}]}"#,
            "\"new\" is no kernel version"
        ),
        (
            #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "a", "action": "SCMP_ACT_LOG", "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]}]}"#,
            "calls have six"
        ),
        (
            #"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"name": "a", "action": "SCMP_ACT_LOG", "args": [{"index": 0, "value": 0, "op": "="}]}]}"#,
            "by \"=\""
        ),
    ])
    func whatIsWrongInAProfileIsSaid(_ text: String, _ reason: String) throws {
        let error = try #require(throws: RuntimeError.self) { try SeccompProfile.parse(text) }
        #expect(error.code == .badOption)
        #expect(error.message.hasPrefix("Decoding seccomp profile failed: "))
        #expect(error.message.contains(reason), "\(error.message)")
    }

    @Test func kernelVersionsAreReadAndCompared() {
        #expect(KernelVersion("6.1.0-18-amd64") == KernelVersion(6, 1))
        #expect(KernelVersion("4.15-rc1") == KernelVersion(4, 15))
        #expect(KernelVersion(4, 18) > KernelVersion(4, 8) && KernelVersion(5, 0) > KernelVersion(4, 99))
        #expect(KernelVersion.running > KernelVersion(5, 0))
        for wrong in ["", "6", "six.one", ".1", "6.", "6.x"] { #expect(KernelVersion(wrong) == nil, "\(wrong)") }
    }
}
