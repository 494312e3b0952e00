/// The configuration of an OCI bundle (`config.json`), as far as Strata writes it; runtime-spec 1.0.2, "Configuration".
public struct RuntimeSpecification: Hashable, Codable, Sendable {
    public var ociVersion = "1.0.2"
    /// What runs in the container.
    public var process: Process
    /// Its root file system.
    public var root: Root
    /// Its host name.
    public var hostname: String?
    /// What is mounted over the root file system, in order.
    public var mounts: [Mount]
    /// What is particular to Linux.
    public var linux: LinuxSection

    /// Puts a configuration together.
    public init(process: Process, root: Root, hostname: String?, mounts: [Mount], linux: LinuxSection) {
        self.process = process
        self.root = root
        self.hostname = hostname
        self.mounts = mounts
        self.linux = linux
    }

    /// runtime-spec, `process`.
    public struct Process: Hashable, Codable, Sendable {
        /// Whether the process gets a pseudo-terminal.
        public var terminal = false
        /// Its first size.
        public var consoleSize: ConsoleSize?
        public var user: User
        /// The command and its arguments.
        public var args: [String]
        /// `NAME=value` strings.
        public var env: [String]
        /// The working directory, absolute.
        public var cwd: String
        public var capabilities: Capabilities?
        /// Whether set-id programs lose their effect.
        public var noNewPrivileges = false
        /// The AppArmor profile that it runs under; nil for none.
        public var apparmorProfile: String?
        /// Limits of setrlimit(2); nil leaves those of the caller.
        public var rlimits: [Limit]?

        /// Puts a process together; without a set of capabilities it has none.
        public init(
            args: [String], env: [String], cwd: String, user: User, terminal: Bool = false,
            capabilities: Capabilities? = nil
        ) {
            self.args = args
            self.env = env
            self.cwd = cwd
            self.user = user
            self.terminal = terminal
            self.capabilities = capabilities
        }
    }

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

    /// runtime-spec, `process.consoleSize`, in characters.
    public struct ConsoleSize: Hashable, Codable, Sendable {
        public var height: UInt32
        public var width: UInt32
    }

    /// runtime-spec, `process.user`.
    public struct User: Hashable, Codable, Sendable {
        public var uid: UInt32
        public var gid: UInt32
        /// Supplementary groups.
        public var additionalGids: [UInt32]?

        /// A user by numbers.
        public init(uid: UInt32, gid: UInt32, additionalGids: [UInt32]? = nil) {
            self.uid = uid
            self.gid = gid
            self.additionalGids = additionalGids
        }
    }

    /// runtime-spec, `process.capabilities`; names as `CAP_CHOWN`.
    public struct Capabilities: Hashable, Codable, Sendable {
        public var bounding: [String]
        public var effective: [String]
        public var permitted: [String]

        /// The same set for all.
        public init(_ names: [String]) {
            bounding = names
            effective = names
            permitted = names
        }
    }

    /// runtime-spec, `root`.
    public struct Root: Hashable, Codable, Sendable {
        public var path: String
        public var readonly: Bool

        /// A root file system at a path.
        public init(path: String, readonly: Bool = false) {
            self.path = path
            self.readonly = readonly
        }
    }

    /// runtime-spec, `mounts`.
    public struct Mount: Hashable, Codable, Sendable {
        public var destination: String
        public var type: String
        public var source: String
        public var options: [String]

        /// A mount of any type.
        public init(_ destination: String, type: String, source: String, options: [String]) {
            self.destination = destination
            self.type = type
            self.source = source
            self.options = options
        }

        /// A file or directory of the host's, with what is mounted below it.
        public static func bind(_ source: String, at destination: String, readOnly: Bool = false) -> Mount {
            Mount(
                destination, type: "bind", source: source,
                options: ["rbind", "rprivate", readOnly ? "ro" : "rw"])
        }
    }

    /// runtime-spec, `linux`.
    public struct LinuxSection: Hashable, Codable, Sendable {
        public var namespaces: [Namespace]
        public var cgroupsPath: String?
        public var resources: Resources
        /// Paths that show nothing.
        public var maskedPaths: [String]?
        /// Paths that cannot be written below.
        public var readonlyPaths: [String]?
        /// Which system calls may be made; nil for all.
        public var seccomp: Seccomp?
    }

    /// runtime-spec, `linux.namespaces`.
    public struct Namespace: Hashable, Codable, Sendable {
        /// `pid`, `mount`, `ipc`, `uts`, `network`, `cgroup` or `user`.
        public var type: String
        /// A namespace to join; nil makes a new one.
        public var path: String?
    }

    /// runtime-spec, `linux.resources`.
    public struct Resources: Hashable, Codable, Sendable {
        public var devices: [DeviceRule]
        public var pids: ProcessCount?
        public var memory: Memory?
        public var cpu: Processors?
    }

    /// runtime-spec, `linux.resources.pids`.
    public struct ProcessCount: Hashable, Codable, Sendable {
        public var limit: Int64
    }

    /// runtime-spec, `linux.resources.memory`, in bytes.
    public struct Memory: Hashable, Codable, Sendable {
        public var limit: Int64?
        public var reservation: Int64?
        /// Memory and swap space together; -1 for any.
        public var swap: Int64?
    }

    /// runtime-spec, `linux.resources.cpu`.
    public struct Processors: Hashable, Codable, Sendable {
        public var shares: UInt64?
        /// Microseconds of processor time in each period.
        public var quota: Int64?
        /// Microseconds.
        public var period: UInt64?
        /// As `0-2,4`.
        public var cpus: String?
    }

    /// runtime-spec, `linux.resources.devices`.
    public struct DeviceRule: Hashable, Codable, Sendable {
        public var allow: Bool
        public var type: String?
        public var access: String
    }
}
