import Linux

extension SeccompProfile {
    /// What Docker allows a container by default: `profiles/seccomp/default.json` of Moby as of June 2026, and
    /// https://docs.docker.com/engine/security/seccomp. All else fails with EPERM.
    static let standard = SeccompProfile(
        defaultAction: fail, defaultError: operationNotPermitted, architectureMap: standardArchitectures,
        rules: [Rule(names: SystemCalls.all)] + observation + sockets + personalities + processors + capabilities
            + namespaces)

    /// EPERM.
    private static let operationNotPermitted: UInt32 = 1
    /// ENOSYS.
    private static let noSuchCall: UInt32 = 38

    private static let standardArchitectures: [Architecture] = [
        Architecture(name: "SCMP_ARCH_X86_64", others: ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]),
        Architecture(name: "SCMP_ARCH_AARCH64", others: ["SCMP_ARCH_ARM"]),
        Architecture(name: "SCMP_ARCH_S390X", others: ["SCMP_ARCH_S390"]),
        Architecture(name: "SCMP_ARCH_RISCV64", others: []),
        Architecture(name: "SCMP_ARCH_LOONGARCH64", others: []),
    ]

    /// Looking into other processes of the container. Before Linux 4.8 a tracer could change a call after the filter
    /// had seen it.
    private static let observation = [
        Rule(
            names: ["ptrace", "process_vm_readv", "process_vm_writev"],
            onlyWith: Condition(kernel: KernelVersion(4, 8)))
    ]

    /// All families of sockets but AF_ALG (38), the kernel's cryptography, and AF_VSOCK (40), which leads to the
    /// hypervisor and knows no network namespaces.
    private static let sockets = [
        rule("socket", 0, "SCMP_CMP_LT", 38), rule("socket", 0, "SCMP_CMP_EQ", 39),
        rule("socket", 0, "SCMP_CMP_GT", 40),
    ]

    /// Linux as it is (0), for 32 bits (8), with the name of an old version (0x20000), both, and the question which of
    /// them holds. None makes addresses predictable.
    private static let personalities: [Rule] = [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff].map {
        rule("personality", 0, "SCMP_CMP_EQ", $0)
    }

    /// Calls that some processors have.
    private static let processors = [
        Rule(names: ["sync_file_range2", "swapcontext"], onlyWith: Condition(architectures: ["ppc64le"])),
        Rule(
            names: [
                "arm_fadvise64_64", "arm_sync_file_range", "sync_file_range2", "breakpoint", "cacheflush", "set_tls",
            ], onlyWith: Condition(architectures: ["arm", "arm64"])),
        Rule(names: ["arch_prctl"], onlyWith: Condition(architectures: ["amd64", "x32"])),
        Rule(names: ["modify_ldt"], onlyWith: Condition(architectures: ["amd64", "x32", "x86"])),
        Rule(
            names: ["s390_pci_mmio_read", "s390_pci_mmio_write", "s390_runtime_instr"],
            onlyWith: Condition(architectures: ["s390", "s390x"])),
        Rule(names: ["riscv_flush_icache"], onlyWith: Condition(architectures: ["riscv64"])),
    ]

    /// What a capability is given for.
    private static let capabilities: [Rule] = givenFor.map {
        Rule(names: $0.calls, onlyWith: Condition(capabilities: [$0.capability]))
    }

    private static let givenFor: [(capability: String, calls: [String])] = [
        ("CAP_DAC_READ_SEARCH", ["open_by_handle_at"]),
        (
            "CAP_SYS_ADMIN",
            [
                "mount", "umount", "umount2", "mount_setattr", "move_mount", "open_tree", "fsopen", "fsconfig",
                "fsmount",
                "fspick", "quotactl", "quotactl_fd", "fanotify_init", "clone", "clone3", "unshare", "setns",
                "sethostname", "setdomainname", "bpf", "perf_event_open", "syslog", "lookup_dcookie",
                "lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules",
            ]
        ),
        ("CAP_SYS_BOOT", ["reboot"]),
        ("CAP_SYS_CHROOT", ["chroot"]),
        ("CAP_SYS_MODULE", ["init_module", "finit_module", "delete_module"]),
        ("CAP_SYS_PACCT", ["acct"]),
        (
            "CAP_SYS_PTRACE",
            ["ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp"]
        ),
        ("CAP_SYS_RAWIO", ["iopl", "ioperm"]),
        ("CAP_SYS_TIME", ["settimeofday", "stime", "clock_settime", "clock_settime64"]),
        ("CAP_SYS_TTY_CONFIG", ["vhangup"]),
        ("CAP_SYS_NICE", ["get_mempolicy", "set_mempolicy", "set_mempolicy_home_node", "mbind"]),
        ("CAP_SYSLOG", ["syslog"]),
        ("CAP_BPF", ["bpf"]),
        ("CAP_PERFMON", ["perf_event_open"]),
    ]

    /// Processes without new namespaces: none of the flags CLONE_NEW… in the call, which s390 has in its second
    /// argument. A filter cannot see the flags of `clone3`, which are in memory, so it says that the call does not
    /// exist, and C libraries take `clone`.
    private static let namespaces: [Rule] = {
        let flags: UInt64 = 0x7e02_0000
        let s390 = ["s390", "s390x"]
        return [
            Rule(
                names: ["clone"],
                arguments: [.init(index: 0, value: flags, valueTwo: nil, op: "SCMP_CMP_MASKED_EQ")],
                notWith: Condition(capabilities: ["CAP_SYS_ADMIN"], architectures: s390)),
            Rule(
                names: ["clone"],
                arguments: [.init(index: 1, value: flags, valueTwo: nil, op: "SCMP_CMP_MASKED_EQ")],
                onlyWith: Condition(architectures: s390), notWith: Condition(capabilities: ["CAP_SYS_ADMIN"])),
            Rule(
                names: ["clone3"], action: fail, error: noSuchCall,
                notWith: Condition(capabilities: ["CAP_SYS_ADMIN"])),
        ]
    }()

    private static func rule(_ name: String, _ index: UInt32, _ comparison: String, _ value: UInt64) -> Rule {
        Rule(names: [name], arguments: [.init(index: index, value: value, valueTwo: nil, op: comparison)])
    }
}
