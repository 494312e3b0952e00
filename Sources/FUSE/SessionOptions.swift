extension Session {
    /// How a session is mounted and served.
    public struct Options: Sendable {
        /// What goes after `-o`, one option each: `default_permissions`, `allow_other`, `fsname=…`, `subtype=…`, `dev`,
        /// `suid`, `ro`, … A comma or a backslash within an option must be escaped with a backslash.
        public var mountOptions: [String] = []
        /// What to agree on with the kernel, as far as it offers it.
        public var capabilities: Capabilities = .standard
        /// Largest write request in bytes.
        public var maxWrite: UInt32 = 1 << 20
        /// Largest readahead in bytes; the kernel may have a lower limit.
        public var maxReadahead: UInt32 = 1 << 20
        /// Readahead and other background requests under way at one time.
        public var maxBackground: UInt16 = 64
        /// Background requests from which on the kernel holds back.
        public var congestionThreshold: UInt16 = 48
        /// How deep a stack of file systems the mount makes at most, for passthrough: 1 if all backing files are on plain
        /// file systems; 2 if some are on overlay or FUSE, and then nothing can be stacked on the mount.
        public var maxStackDepth: UInt32 = 1
        /// Threads that wait for requests at one time, at least. More listen when requests queue up, and another one
        /// starts to when all have been busy for a millisecond, so that a request that waits for a lock or a slow disk does
        /// not keep the others' requests.
        public var minWorkers: Int = 1
        /// Threads at most.
        public var maxWorkers: Int = 10
        /// Large reads go from the file to the caller through a pipe, without being copied into this process.
        public var spliceReplies = true
        /// Each request and each reply is a line on standard error.
        public var traces = false

        /// The values above.
        public init() {}
    }
}

/// Why a session could not be mounted or started.
public struct MountFailure: Error, Sendable, CustomStringConvertible {
    /// One sentence, with the reason that the system gave.
    public let message: String

    init(_ message: String) { self.message = message }

    /// The message.
    public var description: String { message }
}
