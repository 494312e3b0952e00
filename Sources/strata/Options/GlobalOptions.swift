import ArgumentParser
import Engine
import ImageStore
import Linux
import OCI

/// Options of every command, which may also stand before it.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The directory of the store (STRATA_ROOT; default /var/lib/strata).", valueName: "directory"))
    var root: String?

    @Option(help: ArgumentHelp("The OCI runtime (STRATA_RUNTIME; default runc).", valueName: "program"))
    var runtime: String?

    @Option(
        name: .customLong("log-level"),
        help: ArgumentHelp(
            "Report on standard error what is done (STRATA_LOG): trace, debug, info, warning, error; default off.",
            valueName: "level"))
    var logLevel: String?

    /// How many arguments an option of this group takes up, 0 excluded; nil for anything else.
    static func length(of argument: String) -> Int? {
        let names = ["--root", "--runtime", "--log-level"]
        if names.contains(argument) { return 2 }
        return names.contains { argument.hasPrefix($0 + "=") } ? 1 : nil
    }

    /// Opens the store.
    ///
    /// - Parameter creating: whether it is made where there is none; not by commands that only show what there is.
    func openEngine(creating: Bool = true) throws -> Engine {
        let location = StoreLocation(root, environment: Environment.current, isRoot: Effective.isRoot)
        var configuration = Engine.Configuration(location: location, environment: Environment.current)
        configuration.runtime = runtime
        configuration.userAgent = Version.userAgent
        configuration.logger = try Log.logger(level: logLevel ?? Environment.nonEmpty("STRATA_LOG"))
        return try Engine(configuration, creating: creating)
    }

    /// Opens the store for a list; nil where the usual one has not been made yet, of which the list is empty.
    func openEngineForList() throws -> Engine? {
        do {
            return try openEngine(creating: false)
        } catch let error as StoreError {
            let isUsual = root == nil && Environment.nonEmpty("STRATA_ROOT") == nil
            if error.code == .noSuchStore, isUsual { return nil }
            throw error
        }
    }
}

/// Variables of our environment.
enum Environment {
    /// All of them, as they were when the program was started.
    static let current = ProcessEnvironment.current()

    /// The value of a variable that is set and not empty.
    static func nonEmpty(_ name: String) -> String? { current.nonEmpty(name) }
}
