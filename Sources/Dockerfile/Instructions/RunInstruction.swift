/// `RUN`.
public struct RunInstruction: Sendable, Hashable {
    /// What is to be run.
    public enum Body: Sendable, Hashable {
        /// Text for the shell, ready to be its one argument: here-documents that the shell reads are part of it.
        case shell(String)
        /// A program and its arguments.
        case exec([String])
        /// A here-document that starts with `#!`: to be put into a file and executed.
        case script(String)
    }

    /// `--network=`
    public enum Network: String, Sendable, Hashable, CaseIterable {
        /// The network that the build has.
        case `default`
        /// No network.
        case none
        /// The network of the host.
        case host
    }

    /// `--security=`
    public enum Security: String, Sendable, Hashable, CaseIterable {
        /// Confined, as without the flag.
        case sandbox
        /// With all capabilities.
        case insecure
    }

    /// What is to be run.
    public var body: Body
    /// `--mount=`, in order.
    public var mounts: [RunMount]
    /// `--network=`, nil if not given.
    public var network: Network?
    /// `--security=`, nil if not given.
    public var security: Security?
    /// The here-documents, for a builder that wants them; they are in the body already.
    public var heredocs: [Heredoc]

    /// Makes the instruction.
    public init(
        body: Body, mounts: [RunMount] = [], network: Network? = nil, security: Security? = nil,
        heredocs: [Heredoc] = []
    ) {
        self.body = body
        self.mounts = mounts
        self.network = network
        self.security = security
        self.heredocs = heredocs
    }
}

/// `RUN --mount=type=…`.
public struct RunMount: Sendable, Hashable {
    /// What is mounted.
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Files of the context, a stage or an image.
        case bind
        /// A directory that outlives the build.
        case cache
        /// A temporary file system in memory.
        case tmpfs
        /// A file with a secret.
        case secret
        /// The socket of an SSH agent.
        case ssh
    }

    /// `sharing=` of a cache.
    public enum Sharing: String, Sendable, Hashable, CaseIterable {
        /// Several writers at a time.
        case shared
        /// A cache of its own for each writer.
        case `private`
        /// One writer at a time.
        case locked
    }

    /// `type=`, `bind` if not given.
    public var kind = Kind.bind
    /// `target=`, `dst=`, `destination=`.
    public var target: String?
    /// `source=`, `src=`.
    public var source: String?
    /// `from=`: a stage or an image; nil for the context.
    public var from: String?
    /// `id=`.
    public var id: String?
    /// `sharing=`.
    public var sharing: Sharing?
    /// `readonly`, `ro`, `readwrite`, `rw`; nil if not given.
    public var isReadOnly: Bool?
    /// `required`.
    public var isRequired = false
    /// `size=` in bytes, of a `tmpfs`.
    public var size: Int64?
    /// `mode=`, the permissions of a cache's directory, a secret or a socket.
    public var mode: UInt32?
    /// `uid=`.
    public var userID: UInt32?
    /// `gid=`.
    public var groupID: UInt32?
    /// `env=` of a secret: the variable that receives it.
    public var environmentName: String?

    /// Makes a bind mount of the context without a target.
    public init() {}
}
