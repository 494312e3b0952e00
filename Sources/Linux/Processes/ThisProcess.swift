internal import CLinux
internal import Glibc

/// Whose rights this process has.
public enum Effective {
    /// geteuid(2).
    public static var uid: UInt32 { geteuid() }
    /// Whether that is root, of whatever user namespace.
    public static var isRoot: Bool { geteuid() == 0 }
}

/// The machine's processors.
public enum Processors {
    /// How many are there to be used, at least one.
    public static let count = max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    /// Whether the kernel runs programs of the x32 ABI; most are built or started without it.
    public static let runX32 = clinux_runs_x32() == 1
}

/// Which version of Strata this is: one for both programs.
public enum ProgramVersion {
    /// The version by semver.org.
    public static let number = "0.1.0"
}
