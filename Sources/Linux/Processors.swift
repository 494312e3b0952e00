internal import CLinux
internal import Glibc

/// The machine's processors.
public enum Processors {
    /// How many are there to be used, at least one.
    public static let count = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    /// Whether the kernel runs programs of the x32 ABI; most are built or started without it.
    public static let runX32 = clinux_runs_x32() == 1
}
