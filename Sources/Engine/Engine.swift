package import BuildEngine
package import Distribution
package import ImageStore
package import Linux
package import Logging
package import OCI
package import Runtime

/// Everything that can be done with one store, for any front end: the command line, a server, a test.
///
/// Functions take typed requests and return typed results. They read neither the environment nor the working directory of
/// the process; what a request needs of them is in `Configuration` or in the request. Paths are absolute, or relative to the
/// directory of a process that has only one user. Any number of threads may call at once.
package struct Engine: Sendable {
    /// What an engine stands on.
    package struct Configuration: Sendable {
        /// Where the store is.
        package var location: StoreLocation
        /// The OCI runtime by name or path; nil for what the environment names, else `runc`.
        package var runtime: String?
        /// The variables that choose programs, limits, proxies and credentials.
        package var environment: ProcessEnvironment
        /// What requests to registries say of the program, such as `strata/1.0`.
        package var userAgent = "strata"
        /// Takes what is done with programs, mounts, registries and the build cache; by default nothing does.
        package var logger = Logger(label: "strata") { _ in SwiftLogNoOpLogHandler() }

        /// A configuration with the usual runtime.
        package init(location: StoreLocation, environment: ProcessEnvironment) {
            self.location = location
            self.environment = environment
        }
    }

    /// What happens on the way to a result. Events of one call come one at a time, from any thread.
    package enum Progress: Sendable {
        /// The store has no image of that name; it is going to be pulled.
        case missing(Reference)
        /// The name of a request has no tag; this one is taken.
        case usesTag(String)
        /// An archive is being fetched from an address.
        case downloading(from: String)
        /// So many of the bytes of an archive have come; `total` is 0 where the server does not say.
        case downloaded(bytes: Int64, total: Int64)
        /// A step of a pull or a push.
        case transfer(TransferEvent)
        /// An image has been pulled.
        case pulled(PulledImage, Reference)
        /// An image has been pushed.
        case pushed(PushedImage, Reference)
        /// A step of a build.
        case build(ProgressEvent)
        /// Something that did not stop the work, as one sentence.
        case warning(String)
    }

    /// Takes what happens.
    package typealias ProgressHandler = @Sendable (Progress) -> Void

    /// What the engine was made with.
    package let configuration: Configuration
    /// Where images and containers are.
    package let store: ImageStore
    /// What the user has with registries.
    package let registries: Registries
    /// The containers, and what runs them.
    package let containers: ContainerEngine

    /// Opens the store.
    ///
    /// - Parameter creating: whether it is made where there is none; else that is `noSuchStore`.
    package init(_ configuration: Configuration, creating: Bool = true) throws(StoreError) {
        self.configuration = configuration
        registries = Registries(
            environment: configuration.environment, userAgent: configuration.userAgent, logger: configuration.logger)
        store = try ImageStore(root: configuration.location.path, creating: creating)
        containers = ContainerEngine(
            RuntimeContext(
                store: store, environment: configuration.environment, runtime: configuration.runtime,
                logger: configuration.logger))
    }

    /// The same engine on a further handle of the store, whose leases nobody else's end releases: for one request.
    func session() -> Engine { on(store.session()) }

    /// The same engine on another handle of its store.
    func on(_ store: ImageStore) -> Engine { Engine(self, on: store) }

    private init(_ other: Engine, on store: ImageStore) {
        configuration = other.configuration
        registries = other.registries
        self.store = store
        containers = ContainerEngine(other.runtime.with(store))
    }

    /// The limits of archives that come from elsewhere.
    func limits() throws(StoreError) -> ImportOptions { try ImportOptions(environment: configuration.environment) }

    /// The programs that containers and mounts need.
    package var runtime: RuntimeContext { containers.context }
}
