package import Linux

/// Where a store is.
package struct StoreLocation: Hashable, Sendable {
    /// The store's directory.
    package let path: String

    /// The directory that somebody names, or that `STRATA_ROOT` does, in this order. Else `/var/lib/strata` for root, and
    /// for others a directory below their data: XDG Base Directory Specification, `XDG_DATA_HOME`.
    package init(_ chosen: String?, environment: ProcessEnvironment, isRoot: Bool) {
        if let named = chosen ?? environment.nonEmpty("STRATA_ROOT") {
            path = named
        } else if isRoot {
            path = "/var/lib/strata"
        } else if let data = environment.nonEmpty("XDG_DATA_HOME") {
            path = data + "/strata"
        } else {
            path = (environment.nonEmpty("HOME") ?? "/tmp") + "/.local/share/strata"
        }
    }
}
