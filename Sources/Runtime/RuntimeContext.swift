public import ImageStore
public import Linux
public import Logging
public import OCI

/// What mounting and running need: the store, and which programs to use.
public struct RuntimeContext: Sendable {
    /// Where images and containers are.
    public let store: ImageStore
    /// The variables that choose programs and directories.
    let environment: ProcessEnvironment
    /// Takes what is done with programs and mounts.
    public let logger: Logger
    private let chosenHelper: MountHelper?
    private let chosenRuntime: String?

    /// Uses the programs given, or finds them when they are needed: nothing fails here because one is missing.
    ///
    /// - Parameters:
    ///   - runtime: name or path of an OCI runtime; nil for `STRATA_RUNTIME` or `runc`.
    ///   - environment: where `STRATA_RUNTIME`, `STRATA_FUSE`, `PATH`, `XDG_RUNTIME_DIR` and `STRATA_TIMINGS` are.
    ///   - helper: the mount helper; nil for `STRATA_FUSE` or `strata-fuse`.
    ///   - logger: takes what is done with programs and mounts; by default nothing does.
    public init(
        store: ImageStore, environment: ProcessEnvironment, runtime: String? = nil, helper: MountHelper? = nil,
        logger: Logger = Logger(label: "strata") { _ in SwiftLogNoOpLogHandler() }
    ) {
        self.logger = logger
        self.store = store
        self.environment = environment
        chosenRuntime = runtime
        chosenHelper = helper
    }

    /// The same choices for another handle of the store.
    public func with(_ store: ImageStore) -> RuntimeContext {
        RuntimeContext(
            store: store, environment: environment, runtime: chosenRuntime, helper: chosenHelper, logger: logger)
    }

    /// The mount helper; `helperMissing` where there is none.
    public func helper() throws(RuntimeError) -> MountHelper {
        var helper: MountHelper
        if let chosenHelper { helper = chosenHelper } else { helper = try MountHelper.find(in: environment) }
        helper.marks = store.marks
        return helper
    }

    /// The OCI runtime; `helperMissing` where there is none.
    ///
    /// - Parameter name: the one a container was started with; nil for the one to start with now.
    public func driver(named name: String? = nil) throws(RuntimeError) -> RuntimeDriver {
        try RuntimeDriver.find(
            named: name ?? chosenRuntime, in: environment, stateDirectory: stateDirectory, logger: logger)
    }

    /// Whether the machine lets this process limit what containers use. Where it does not, they run without limits.
    public static var canLimitResources: Bool { Cgroups.detect().canMakeGroups }

    /// Whether containers get a view of control groups of their own.
    public static var givesPrivateCgroups: Bool { Cgroups.detect().givePrivateViews }

    /// The arguments that give another process the same choices.
    var supervisorArguments: [String] {
        var arguments = ["--root", store.root]
        if let chosenRuntime { arguments += ["--runtime", chosenRuntime] }
        if let chosenHelper { arguments += ["--helper", chosenHelper.path] }
        return arguments
    }

    /// Where what is known of running containers is kept: in a file system that does not outlive the machine's run,
    /// with a short path of its own for each store.
    var stateDirectory: String {
        let base =
            Effective.isRoot ? "/run/strata" : (environment.nonEmpty("XDG_RUNTIME_DIR") ?? "/tmp") + "/strata"
        return "\(base)/\(Digest.sha256(of: Array(store.root.utf8)).hex.prefix(16))"
    }
}

extension RuntimeError {
    /// A failure of the store, with the code that fits.
    init(_ error: StoreError) {
        let code: Code =
            switch error.code {
            case .noSuchContainer, .noSuchImage, .noSuchLayer: .notFound
            case .conflict, .nameInUse: .conflict
            case .badName: .badOption
            default: .store
            }
        self.init(code, saying: error)
    }
}
