public import ImageStore
import Linux
import OCI
public import Runtime

/// Builds images from Dockerfiles.
///
/// Steps are looked up in the store's build cache first. Commands run in containers on union mounts; files are copied
/// straight into new layers. Layers are hashed while the next step runs. Whatever ends a build, no mount, process or
/// container of it is left.
public struct Builder: Sendable {
    let store: ImageStore
    private let runtime: RuntimeContext

    /// A builder that takes images from a store and puts them there.
    ///
    /// - Parameter runtime: what mounts are made and commands run with.
    public init(store: ImageStore, runtime: RuntimeContext) {
        self.store = store
        self.runtime = runtime
    }

    /// Builds an image.
    ///
    /// A build that fails after it has put layers on its base leaves what it has as an image without a name.
    ///
    /// - Parameters:
    ///   - cancellation: stops the build when it fires, which then throws `cancelled`.
    ///   - progress: takes what happens, one event at a time, from this thread or another.
    public func build(
        _ options: BuildOptions, cancellation: Cancellation? = nil,
        progress: @escaping @Sendable (ProgressEvent) -> Void = { _ in }
    ) throws(BuildError) -> BuildResult {
        // Those that hash layers and tend commands would wait for ever for threads that do not come.
        try attempting("start the threads of a build") { () throws(Errno) in try PrivateThread.require(6) }
        // A build that was killed may have left a container and a mount.
        ContainerEngine(runtime).reconcile()
        // Nobody else's end takes the layers from under this build, nor does its end take theirs.
        let session = store.session()
        let reporter = ProgressReporter(progress)
        let contexts = ContextSupply(
            session, download: options.download, cancellation: cancellation, reporter: reporter)
        // A context that was unpacked is kept by nothing else.
        defer { try? session.releaseLeases() }
        let executor = try Executor(
            try contexts.supply(options), store: session, runtime: runtime.with(session),
            cancellation: cancellation, reporter: reporter)
        let result = try executor.build()
        // As long as the session has it, too: a prune in between would take it.
        if options.leasesImage {
            _ = try fromStore { () throws(StoreError) in try store.leaseImage(id: result.imageID) }
        }
        withExtendedLifetime(contexts) {}
        return result
    }
}
