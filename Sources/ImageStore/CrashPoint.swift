#if STRATA_TESTING
    import Glibc
    import Linux
    import Synchronization
#endif

/// Places between two steps of publishing or removing something, at which a test build kills itself.
///
/// `STRATA_STOP_AT=name` or `name:n` ends the process with SIGKILL when it comes to that place (for the n-th time):
/// what `tools/crash-test` uses to try every order of events. Nothing of it is in other builds.
public enum CrashPoint {
    #if STRATA_TESTING
        private static let wanted: (name: String, count: Int)? = {
            guard let value = getenv("STRATA_STOP_AT") else { return nil }
            let parts = String(cString: value).split(separator: ":")
            guard let name = parts.first else { return nil }
            return (String(name), parts.count == 2 ? Int(parts[1]) ?? 1 : 1)
        }()
        private static let passed = Mutex(0)

        /// Ends the process if it was asked to stop at that place.
        public static func reached(_ name: StaticString) {
            guard let wanted, wanted.name == "\(name)" else { return }
            let count = passed.withLock { count in
                count += 1
                return count
            }
            if count == wanted.count { try? Supervision.signal(SIGKILL, pid: ProcessTable.currentID) }
        }
    #else
        /// Does nothing in this build.
        @inlinable
        public static func reached(_ name: StaticString) {}
    #endif
}
