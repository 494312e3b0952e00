import Linux
import OCI

/// A system call filter with conditions: who may make a call depends on what a container may do and on the machine.
///
/// `filter(for:)` makes of it what the runtime takes.
struct SeccompProfile: Hashable, Sendable {
    /// What becomes of a call that no rule names.
    var defaultAction: String
    var defaultError: UInt32?
    /// The instruction sets that are looked at, whatever the machine's own is.
    var architectures: [String] = []
    /// The instruction sets that are looked at, by the machine's own; instead of `architectures`.
    var architectureMap: [Architecture] = []
    var flags: [String]?
    var listenerPath: String?
    var listenerMetadata: String?
    var rules: [Rule]

    /// An instruction set, and those whose programs run on it too.
    struct Architecture: Hashable, Sendable {
        var name: String
        var others: [String]
    }

    /// What becomes of some calls, where the conditions hold.
    struct Rule: Hashable, Sendable {
        var names: [String]
        var action = SeccompProfile.allow
        var error: UInt32?
        var arguments: [RuntimeSpecification.SystemCallRule.Argument] = []
        var onlyWith = Condition()
        var notWith = Condition()
    }

    /// What is asked of the container and the machine.
    struct Condition: Hashable, Sendable {
        /// As `CAP_SYS_ADMIN`.
        var capabilities: [String] = []
        /// By Docker's names, as `amd64`.
        var architectures: [String] = []
        /// This version or a later one.
        var kernel: KernelVersion?
    }

    /// Whom a filter is for.
    struct Subject: Sendable {
        /// The container's bounding set.
        var capabilities: Set<String>
        /// The machine's processor by Docker's name.
        var architecture = Platform.current.architecture
        var kernel = KernelVersion.running
        /// Whether the kernel runs programs of the x32 ABI.
        var runsX32 = Processors.runX32
    }

    static let allow = "SCMP_ACT_ALLOW"
    static let fail = "SCMP_ACT_ERRNO"
}

extension SeccompProfile {
    /// The filter for a container: the rules whose conditions hold.
    ///
    /// Of the instruction sets that go by the machine's own, x32 is left out where the kernel lacks it: there is nothing to
    /// allow, and libseccomp takes 5 ms of each start for it.
    func filter(for subject: Subject) -> RuntimeSpecification.Seccomp {
        let own = Self.seccompName(of: subject.architecture)
        let mapped = architectureMap.first { $0.name == own }.map { [$0.name] + $0.others } ?? []
        let names = architectures + mapped.filter { $0 != "SCMP_ARCH_X32" || subject.runsX32 }
        return RuntimeSpecification.Seccomp(
            defaultAction: defaultAction, defaultErrnoRet: defaultError, architectures: names.isEmpty ? nil : names,
            flags: flags,
            listenerPath: listenerPath, listenerMetadata: listenerMetadata,
            syscalls: rules.filter { $0.holds(for: subject) }.map { rule in
                .init(
                    names: rule.names, action: rule.action, errnoRet: rule.error,
                    args: rule.arguments.isEmpty ? nil : rule.arguments)
            })
    }

    /// What libseccomp calls a processor that Docker calls `architecture`.
    static func seccompName(of architecture: String) -> String? {
        switch architecture {
        case "amd64": "SCMP_ARCH_X86_64"
        case "arm64": "SCMP_ARCH_AARCH64"
        case "riscv64": "SCMP_ARCH_RISCV64"
        case "s390x": "SCMP_ARCH_S390X"
        case "ppc64le": "SCMP_ARCH_PPC64LE"
        case "loong64": "SCMP_ARCH_LOONGARCH64"
        default: nil
        }
    }
}

extension SeccompProfile.Rule {
    /// A rule asks for all capabilities that it names, and for one of the architectures; one capability of those that
    /// it excludes is enough to rule it out.
    func holds(for subject: SeccompProfile.Subject) -> Bool {
        if notWith.architectures.contains(subject.architecture) { return false }
        if notWith.capabilities.contains(where: subject.capabilities.contains) { return false }
        if let kernel = notWith.kernel, subject.kernel >= kernel { return false }
        if !onlyWith.architectures.isEmpty, !onlyWith.architectures.contains(subject.architecture) { return false }
        if let kernel = onlyWith.kernel, subject.kernel < kernel { return false }
        return onlyWith.capabilities.allSatisfy(subject.capabilities.contains)
    }
}
