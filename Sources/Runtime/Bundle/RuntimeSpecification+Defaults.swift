extension RuntimeSpecification {
    /// The mounts that every container has: `/proc`, `/dev`, `/sys` and what belongs below them, as Docker mounts them.
    public static let standardMounts: [Mount] = [
        Mount("/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"]),
        Mount(
            "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        Mount(
            "/dev/pts", type: "devpts", source: "devpts",
            options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
        Mount("/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"]),
        Mount(
            "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
            options: ["nosuid", "noexec", "nodev", "relatime", "ro"]),
        Mount("/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"]),
        Mount(
            "/dev/shm", type: "tmpfs", source: "shm",
            options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
    ]

    /// What containers cannot see of `/proc` and `/sys`.
    public static let maskedPaths = [
        "/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap",
    ]

    /// What containers cannot write of `/proc`.
    public static let readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

    /// Directories of the root file system that `standardMounts` needs.
    static let standardMountPoints = ["/proc", "/dev", "/sys"]
}

extension RuntimeSpecification.LinuxSection {
    /// Docker's isolation with the host's network: namespaces for processes, mounts, IPC and names. `Isolation` adds
    /// what may be chosen: capabilities, the filter of system calls, limits.
    ///
    /// - Parameters:
    ///   - cgroupsPath: where the container's cgroup is to be, such as `/strata/<id>`.
    ///   - privateCgroups: whether the container sees its own cgroup as the root, Docker's default on cgroup v2.
    static func standard(cgroupsPath: String?, privateCgroups: Bool) -> Self {
        var types = ["pid", "mount", "ipc", "uts"]
        if privateCgroups { types.append("cgroup") }
        return Self(
            namespaces: types.map { RuntimeSpecification.Namespace(type: $0, path: nil) },
            cgroupsPath: cgroupsPath,
            resources: .init(devices: [.init(allow: false, type: nil, access: "rwm")]),
            maskedPaths: RuntimeSpecification.maskedPaths, readonlyPaths: RuntimeSpecification.readonlyPaths)
    }
}
