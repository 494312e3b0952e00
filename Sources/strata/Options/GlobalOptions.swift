import ArgumentParser
import Glibc
import ImageStore
import Runtime

/// Options of every command, which may also stand before it.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The directory of the store (STRATA_ROOT; default /var/lib/strata).", valueName: "directory"))
    var root: String?

    @Option(help: ArgumentHelp("The OCI runtime (STRATA_RUNTIME; default runc).", valueName: "program"))
    var runtime: String?

    /// How many arguments an option of this group takes up, 0 excluded; nil for anything else.
    static func length(of argument: String) -> Int? {
        if argument == "--root" || argument == "--runtime" { return 2 }
        return argument.hasPrefix("--root=") || argument.hasPrefix("--runtime=") ? 1 : nil
    }

    /// The directory of the store by option, environment or default, in this order.
    var storeRoot: String {
        if let root { return root }
        if let root = Environment.nonEmpty("STRATA_ROOT") { return root }
        if geteuid() == 0 { return "/var/lib/strata" }
        if let data = Environment.nonEmpty("XDG_DATA_HOME") { return data + "/strata" }
        return (Environment.nonEmpty("HOME") ?? "/tmp") + "/.local/share/strata"
    }

    /// Whether nobody has named a directory.
    var usesDefaultRoot: Bool { root == nil && Environment.nonEmpty("STRATA_ROOT") == nil }

    /// Opens the store.
    ///
    /// - Parameter creating: whether it is made where there is none; not by commands that only show what there is.
    func openStore(creating: Bool = true) throws(StoreError) -> ImageStore {
        try ImageStore(root: storeRoot, creating: creating)
    }

    /// Opens the store for running containers.
    func openEngine(creating: Bool = true) throws(StoreError) -> ContainerEngine {
        ContainerEngine(RuntimeContext(store: try openStore(creating: creating), runtime: runtime))
    }

    /// Opens the store for a list; nil where the default one has not been made yet, of which the list is empty.
    func openStoreForList() throws(StoreError) -> ImageStore? {
        do throws(StoreError) {
            return try openStore(creating: false)
        } catch {
            if error.code == .noSuchStore, usesDefaultRoot { return nil }
            throw error
        }
    }
}

/// Variables of our environment.
enum Environment {
    /// The value of a variable that is set and not empty.
    static func nonEmpty(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
