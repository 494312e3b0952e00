internal import CLinux
internal import Glibc

/// Flags of mount(2), by the names of its manual page.
public struct MountFlags: OptionSet, Sendable {
    /// The `MS_*` bits.
    public let rawValue: UInt64
    /// Takes the bits.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    public static let readOnly = MountFlags(rawValue: 1)
    public static let noSetID = MountFlags(rawValue: 2)
    public static let noDevices = MountFlags(rawValue: 4)
    public static let noExecution = MountFlags(rawValue: 8)
    public static let remount = MountFlags(rawValue: 32)
    public static let bind = MountFlags(rawValue: 4096)
    public static let recursive = MountFlags(rawValue: 16384)
    public static let `private` = MountFlags(rawValue: 1 << 18)
    public static let slave = MountFlags(rawValue: 1 << 19)
}

/// Flags of umount2(2).
public struct UnmountFlags: OptionSet, Sendable {
    /// The `MNT_*` and `UMOUNT_*` bits.
    public let rawValue: Int32
    /// Takes the bits.
    public init(rawValue: Int32) { self.rawValue = rawValue }
    public static let force = UnmountFlags(rawValue: 1)
    /// Takes the mount out of the tree now and ends it when nobody uses it any more.
    public static let detach = UnmountFlags(rawValue: 2)
    /// Does not follow a symbolic link at the end of the path.
    public static let noFollow = UnmountFlags(rawValue: 8)
}

/// Namespaces for `Mount.unshare`.
public struct Namespaces: OptionSet, Sendable {
    /// The `CLONE_NEW*` bits.
    public let rawValue: Int32
    /// Takes the bits.
    public init(rawValue: Int32) { self.rawValue = rawValue }
    public static let mount = Namespaces(rawValue: 0x0002_0000)
    public static let user = Namespaces(rawValue: 0x1000_0000)
}

/// Mounting and unmounting.
public enum Mount {
    /// mount(2).
    public static func mount(
        source: UnsafePointer<CChar>?, target: UnsafePointer<CChar>, type: UnsafePointer<CChar>? = nil,
        flags: MountFlags = [], options: UnsafePointer<CChar>? = nil
    ) throws(Errno) {
        try checkVoid { clinux_mount(source, target, type, flags.rawValue, options) }
    }

    /// umount2(2).
    public static func unmount(_ target: UnsafePointer<CChar>, flags: UnmountFlags = .noFollow) throws(Errno) {
        try checkVoid { clinux_umount2(target, flags.rawValue) }
    }

    /// unshare(2): the calling process gets namespaces of its own.
    public static func unshare(_ namespaces: Namespaces) throws(Errno) {
        try checkVoid { clinux_unshare(namespaces.rawValue) }
    }
}

extension FileDescriptor {
    /// The id of the mount that a path here is on, 0 where the kernel does not tell: two paths with different ids are
    /// on different mounts.
    public func mountID(of path: UnsafePointer<CChar>) throws(Errno) -> UInt64 {
        let number = rawValue
        var st = clinux_stat()
        try checkVoid { clinux_stat(number, path, 0, &st) }
        return st.mount_id
    }
}
