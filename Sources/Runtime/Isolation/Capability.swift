import Linux
import OCI

/// The names of capabilities; capabilities(7).
enum Capability {
    /// Stands for all.
    static let all = "ALL"

    /// Every capability by its number.
    static let known = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ].map { "CAP_" + $0 }

    /// The capabilities that Docker leaves to a container.
    static let usual = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
        "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
        "CAP_AUDIT_WRITE",
    ]

    /// The same on the host's network, where raw packets would be the host's.
    static let usualOnHostNetwork = usual.filter { $0 != "CAP_NET_RAW" }

    /// All that this process has: no more can be given.
    static var available: [String] {
        let process = ProcessTable.currentID
        return known.enumerated().filter { ProcessTable.hasCapability(UInt64($0.offset), process) }.map(\.element)
    }

    /// A capability as the kernel's headers write it: `net_admin` is `CAP_NET_ADMIN`, and `all` is `ALL`.
    ///
    /// - Throws: `badOption` where there is none of that name, or this process lacks it.
    static func named(_ text: String) throws(RuntimeError) -> String {
        let name = text.uppercased()
        if name == all { return name }
        let full = name.hasPrefix("CAP_") ? name : "CAP_" + name
        guard known.contains(full) else { throw RuntimeError(.badOption, "unknown capability: \"\(full)\"") }
        guard available.contains(full) else {
            throw RuntimeError(
                .badOption,
                "capability not supported by your kernel or not available in the current environment: \"\(full)\"")
        }
        return full
    }

    /// A set with changes, by Docker's rules: with `ALL` added, all are there that are not dropped by name; with `ALL`
    /// dropped, only those added by name; else what is added wins over what is dropped.
    static func changed(_ usual: [String], adding added: [String], dropping dropped: [String]) -> [String] {
        if added.contains(all) { return available.filter { !dropped.contains($0) } }
        let kept = dropped.contains(all) ? [] : usual.filter { !dropped.contains($0) }
        return kept + added.filter { !kept.contains($0) }
    }
}
