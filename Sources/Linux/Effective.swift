internal import Glibc

/// Whose rights this process has.
public enum Effective {
    /// geteuid(2).
    public static var uid: UInt32 { geteuid() }
    /// Whether that is root, of whatever user namespace.
    public static var isRoot: Bool { geteuid() == 0 }
}
