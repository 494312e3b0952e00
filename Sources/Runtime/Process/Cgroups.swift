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

    /// Whether containers get a view of control groups of their own, as for Docker with cgroup2.
    var givePrivateViews: Bool { if case .unified = self { true } else { false } }

    /// Whether this process can make groups for containers: not without a hierarchy, and not as an ordinary user whom
    /// nobody gave a part of it.
    var canMakeGroups: Bool {
        let hierarchy =
            switch self {
            case .none: ""
            case .unified: "/sys/fs/cgroup"
            case .hybrid, .legacy: "/sys/fs/cgroup/pids"
            }
        for place in [hierarchy + Self.parent, hierarchy]
        where (try? FileDescriptor.currentDirectory.status(of: place)) != nil {
            return (try? FileDescriptor.currentDirectory.checkWritable(place)) != nil
        }
        return false
    }

    /// The group that those of all containers are in.
    static let parent = "/strata"

    /// Whether the kernel counts swap space: of version 1 it may have been built or started without.
    static var canLimitSwap: Bool {
        if case .unified = detect() { return true }
        let file = "/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"
        return (try? FileDescriptor.currentDirectory.status(of: file)) != nil
    }

    /// Where a hybrid layout has cgroup2.
    static let unifiedMountPoint = "/sys/fs/cgroup/unified"

    /// `CGROUP2_SUPER_MAGIC`.
    private static let magic: UInt64 = 0x6367_7270
}
