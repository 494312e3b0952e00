import Linux

/// How this machine mounts control groups; cgroups(7).
enum Cgroups: Sendable {
    /// One hierarchy, cgroup2, at `/sys/fs/cgroup`.
    case unified
    /// Hierarchies of version 1, and cgroup2 beside them at `/sys/fs/cgroup/unified`.
    case hybrid
    /// Hierarchies of version 1 alone.
    case legacy
    /// None.
    case none

    /// Looks at what is mounted.
    static func detect() -> Cgroups {
        guard let root = try? FileSystemStatus(path: "/sys/fs/cgroup") else { return .none }
        if root.type == magic { return .unified }
        if (try? FileSystemStatus(path: unifiedMountPoint))?.type == magic { return .hybrid }
        let hierarchies = MountTable.current().entries.contains { $0.type == "cgroup" }
        return hierarchies ? .legacy : .none
    }

    /// Where a hybrid layout has cgroup2.
    static let unifiedMountPoint = "/sys/fs/cgroup/unified"

    /// `CGROUP2_SUPER_MAGIC`.
    private static let magic: UInt64 = 0x6367_7270
}
