/// What `COPY` and `ADD` have in common: things to put into the image, and how.
public struct FileTransfer: Sendable, Hashable {
    /// One thing to be copied.
    public enum Source: Sendable, Hashable {
        /// A path or pattern in the context, a stage or an image; for `ADD` also a URL.
        case path(String)
        /// A file written in the Dockerfile.
        case heredoc(Heredoc)
    }

    /// The sources in order, at least one.
    public var sources: [Source]
    /// Where they go. A directory if it ends in `/`.
    public var destination: String
    /// `--chown=`, as `OwnerSpecification.parse` takes it.
    public var owner: String?
    /// `--chmod=`, as `ModeChange.parse` takes it.
    public var mode: String?
    /// `--link`
    public var link = false
    /// `--exclude=`, patterns as in `IgnorePatterns`, in order.
    public var excludes: [String] = []

    /// Makes a transfer.
    public init(sources: [Source], destination: String) {
        self.sources = sources
        self.destination = destination
    }
}

/// `COPY`.
public struct CopyInstruction: Sendable, Hashable {
    /// What is copied, and where.
    public var files: FileTransfer
    /// `--from=`: the name or number of a stage, or an image; nil for the context.
    public var from: String?
    /// `--parents`: keep the directories of the sources.
    public var parents = false

    /// Makes the instruction.
    public init(files: FileTransfer, from: String? = nil) {
        self.files = files
        self.from = from
    }
}

/// `ADD`.
public struct AddInstruction: Sendable, Hashable {
    /// What is added, and where.
    public var files: FileTransfer
    /// `--checksum=`, the digest of a remote source.
    public var checksum: String?
    /// `--keep-git-dir`
    public var keepGitDirectory = false
    /// `--unpack`: whether archives are unpacked; nil for what the kind of source implies.
    public var unpack: Bool?

    /// Makes the instruction.
    public init(files: FileTransfer) {
        self.files = files
    }
}
