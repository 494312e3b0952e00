import Linux

/// What the command of a build step has of the host, and what limits it.
public struct StepIsolation: Hashable, Sendable {
    /// A limit of setrlimit(2); runtime-spec, `process.rlimits`.
    public struct Limit: Hashable, Codable, Sendable {
        /// The name, such as `RLIMIT_NOFILE`.
        public var type: String
        /// What cannot be raised.
        public var hard: UInt64
        /// What counts.
        public var soft: UInt64

        /// Puts a limit together.
        public init(type: String, soft: UInt64, hard: UInt64) {
            self.type = type
            self.soft = soft
            self.hard = hard
        }
    }

    /// A line of `/etc/hosts`.
    public struct Host: Hashable, Sendable {
        /// The name.
        public var name: String
        /// Its address.
        public var address: String

        /// Puts a line together.
        public init(name: String, address: String) {
            self.name = name
            self.address = address
        }
    }

    /// Whether the command has the host's network; without, it has a network of its own with nothing but the loopback.
    public var hasNetwork = true
    /// Whether the command has all capabilities that this process has, all devices, and nothing of `/proc` and `/sys` hidden.
    public var isPrivileged = false
    /// Lines for `/etc/hosts` besides the host's.
    public var hosts: [Host] = []
    /// The size of `/dev/shm` in bytes; nil for Docker's 64 MiB.
    public var sharedMemory: Int64?
    /// Limits; without them those of this process hold.
    public var limits: [Limit] = []

    /// Docker's defaults with the host's network.
    public init() {}
}

extension StepIsolation {
    /// The standard mounts as this isolation has them.
    func mounts(_ standard: [RuntimeSpecification.Mount]) -> [RuntimeSpecification.Mount] {
        standard.map { mount in
            var mount = mount
            if let sharedMemory, mount.destination == "/dev/shm" {
                mount.options = mount.options.map { $0.hasPrefix("size=") ? "size=\(sharedMemory)" : $0 }
            }
            if isPrivileged, mount.type == "sysfs" || mount.type == "cgroup" { mount.options.removeAll { $0 == "ro" } }
            return mount
        }
    }

    /// Sets in a configuration what differs from the defaults.
    func apply(to specification: inout RuntimeSpecification) {
        if !hasNetwork { specification.linux.namespaces.append(.init(type: "network", path: nil)) }
        if !limits.isEmpty { specification.process.rlimits = limits }
        guard isPrivileged else { return }
        specification.process.capabilities = .all
        specification.linux.maskedPaths = nil
        specification.linux.readonlyPaths = nil
        specification.linux.resources = .init(devices: [.init(allow: true, type: nil, access: "rwm")])
    }
}

extension RuntimeSpecification.Capabilities {
    /// Every capability by its number, capabilities(7).
    private static let names = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ]

    /// All that this process has: no more can be given.
    static var all: Self {
        let process = ProcessTable.currentID
        return Self(
            names.enumerated().filter { ProcessTable.hasCapability(UInt64($0.offset), process) }
                .map { "CAP_" + $0.element })
    }
}
