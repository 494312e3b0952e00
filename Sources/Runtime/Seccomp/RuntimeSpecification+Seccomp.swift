extension RuntimeSpecification {
    /// runtime-spec, `linux.seccomp`: which system calls a container may make.
    public struct Seccomp: Hashable, Codable, Sendable {
        /// What becomes of a call that no rule names, as `SCMP_ACT_ERRNO`.
        public var defaultAction: String
        /// The error of that action.
        public var defaultErrnoRet: UInt32?
        /// The instruction sets whose calls are looked at, as `SCMP_ARCH_X86_64`; calls under others end the process.
        public var architectures: [String]?
        /// How the kernel is to install the filter.
        public var flags: [String]?
        /// A socket that is asked about calls with the action `SCMP_ACT_NOTIFY`.
        public var listenerPath: String?
        /// What that socket is told of the container.
        public var listenerMetadata: String?
        /// What becomes of calls by name.
        public var syscalls: [SystemCallRule]?
    }

    /// runtime-spec, `linux.seccomp.syscalls`.
    public struct SystemCallRule: Hashable, Codable, Sendable {
        public var names: [String]
        /// As `SCMP_ACT_ALLOW`.
        public var action: String
        /// The error of `SCMP_ACT_ERRNO`.
        public var errnoRet: UInt32?
        /// What holds of the arguments of calls that are meant, all of it; nil for any.
        public var args: [Argument]?

        /// Compares an argument with a value.
        public struct Argument: Hashable, Codable, Sendable {
            /// Which argument, from 0.
            public var index: UInt32
            public var value: UInt64
            /// What a masked argument is compared with.
            public var valueTwo: UInt64?
            /// As `SCMP_CMP_EQ`.
            public var op: String
        }
    }
}
