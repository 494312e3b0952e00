public import Dockerfile
public import ImageStore
import Linux
public import OCI
public import Runtime

/// What is to be built, and how.
public struct BuildOptions: Sendable {
    /// A directory or an image that `FROM` and `--from` know by a name of the command line.
    public enum NamedContext: Sendable, Hashable {
        case directory(String)
        /// An image by its own name.
        case image(String)
        /// A git repository, or an address of an archive.
        case remote(String)
    }

    /// A context that is no directory here.
    public enum RemoteContext: Sendable, Hashable {
        /// A git repository, or an `http` address of an archive or a Dockerfile.
        case address(String)
        /// A descriptor from which an archive or a Dockerfile is read.
        case descriptor(Int32)
    }

    /// Where the instructions come from.
    public enum Source: Sendable, Hashable {
        /// `Dockerfile` in the context.
        case standard
        /// A file, relative to the working directory; it need not be in the context.
        case file(String)
        /// The text itself, as read from standard input.
        case text([UInt8])
    }

    /// The directory that `COPY` and `ADD` take files from; nil for a build without a context.
    public var context: String?
    /// A context that has to be got first; then `context` does not count, and files are relative to it.
    public var remoteContext: RemoteContext?
    /// `--build-context`: what names mean.
    public var namedContexts: [String: NamedContext] = [:]
    /// `--no-cache-filter`: stages, by name or number, that are built anew.
    public var uncachedStages: Set<String> = []
    /// The Dockerfile.
    public var dockerfile = Source.standard
    /// The names that the image gets.
    public var tags: [Reference] = []
    /// The stage to build; nil for the last one.
    public var target: String?
    /// `--build-arg`: name to value.
    public var buildArguments: [String: String] = [:]
    /// `--label`: labels on top of those of the Dockerfile.
    public var labels: [String: String] = [:]
    /// Whether results of earlier builds are used. Results of this one are recorded in any case.
    public var usesCache = true
    /// Whether progress says of each step what the cache had, and if nothing, what differs from an earlier build.
    public var explainsCache = false
    /// Whether the container of a failed command is removed.
    public var removesFailedContainer = true
    /// Whether what a failed command left becomes an image without a name, in place of what was built before it.
    public var keepsFailed = false
    /// Opens a shell where a command has failed; nil for none.
    public var debugShell: DebugShell?
    /// What the image is to run on; nil for this machine.
    public var platform: Platform?
    /// `--secret`: what commands may ask for, by id.
    public var secrets: [String: BuildSecret] = [:]
    /// `--ssh`: SSH agents, by id.
    public var agents: [String: BuildAgent] = [:]
    /// Variables of the environment, for secrets that are there.
    public var environment: @Sendable (String) -> String? = { _ in nil }
    /// `--allow`
    public var entitlements: Set<BuildEntitlement> = []
    /// `--network`, for commands that do not say which.
    public var network = RunInstruction.Network.default
    /// `--volume`: directories and files of the host's that commands see.
    public var volumes: [BuildVolume] = []
    /// `--add-host`, `--shm-size`, `--ulimit`: what all commands have.
    public var isolation = Isolation()
    /// Gets an image from a registry: by its name, for a platform, telling on the way what happens. Nil where images
    /// only come from the store.
    public var fetch: ImageFetch?
    /// Whether the builder's handle of the store has the image leased when the build is over, so that a prune leaves it
    /// until `releaseLeases()`.
    public var leasesImage = false
    /// Fetches files of the web for `ADD` and contexts; nil where a build may not.
    public var download: FileDownload?
    /// How the image is made of what the steps have left.
    public var assembly = AssemblyOptions()
    /// `--cache-from`: caches besides the store's own, in the order in which they are asked.
    public var cacheSources: [any CacheSource] = []
    /// `--cache-to=type=inline`: whether the image itself says which steps led to its layers.
    public var embedsCache = false
    /// Whether images are fetched even where the store has them.
    public var fetchesAlways = false

    /// Gets an image that a build stands on into the build's handle of the store, leased.
    public typealias ImageFetch =
        @Sendable (
            _ store: ImageStore, _ name: String, _ platform: Platform?, _ tell: @escaping @Sendable (String) -> Void
        ) throws -> ImageRecord

    /// Lets somebody look around where a command has failed. All other stages have ended by then.
    ///
    /// `open` runs the shell, with what the failed command had, and returns its status.
    public typealias DebugShell = @Sendable (_ open: (Attachment) throws -> Int32) -> Void

    /// A build of a context, with all else as by default.
    public init(context: String?) {
        self.context = context
    }

    /// Whether a context is an address, of a git repository or of a file of the web, rather than a directory.
    public static func isAddress(_ context: String) -> Bool { RemoteAddress.isRemote(context) }

    /// Turns `--build-arg NAME[=VALUE]` into `buildArguments`: without a value, the environment's counts, and nothing
    /// where that has none either.
    public mutating func addBuildArgument(_ text: String, environment: (String) -> String?) {
        let parts = text.parts(at: "=")
        guard let name = parts.first, !name.isEmpty else { return }
        if parts.count == 2 {
            buildArguments[name] = parts[1]
        } else if let value = environment(name) {
            buildArguments[name] = value
        }
    }
}

/// What a build has made.
public struct BuildResult: Sendable, Hashable {
    /// The image's ID.
    public var imageID: Digest
    /// Whether this build made the image: nobody had built it before, nor did meanwhile.
    public var isNew: Bool
    /// The names it got.
    public var tags: [Reference]
    /// How many steps were taken from the cache, and how many were carried out; `FROM` counts.
    public var cachedSteps: Int
    public var executedSteps: Int
    /// Remarks on the Dockerfile, in the order in which they were found.
    public var warnings: [Diagnostic]
    /// The time that `SOURCE_DATE_EPOCH` gave the build, if it did.
    public var sourceDate: Timestamp?
    /// Where the steps of the build are in the cache.
    public var steps = BuildSteps()
}
