internal import Glibc

/// The machine's processors.
public enum Processors {
    /// How many are there to be used, at least one.
    public static let count = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
}
