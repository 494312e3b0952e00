internal import CLinux
internal import Glibc

/// What tells one mount from every other, such as one that came to the same place later.
public struct MountIdentity: Hashable, Codable, Sendable {
    /// The kernel's number for the mount; 0 where it does not tell. Since kernel 6.8 it is never given to another mount
    /// (statx(2), `STATX_MNT_ID_UNIQUE`); before, it may be once the mount has gone.
    public let id: UInt64
    /// The device number of the file system that is mounted, as `makedev` packs it.
    public let device: UInt64

    /// Puts an identity together that was read from a record.
    public init(id: UInt64, device: UInt64) {
        self.id = id
        self.device = device
    }

    /// Whether no other mount has or will get the number as long as the machine runs. The kernel gives such numbers from
    /// 2^31 on, which the others do not reach.
    public var isUnique: Bool { id >= 1 << 31 }
}

extension FileDescriptor {
    /// The mount that this open file is on. No file system is asked, so that one whose server has died answers too.
    public func mountIdentity() throws(Errno) -> MountIdentity {
        try mountIdentity(of: "", flags: clinux_AT_EMPTY_PATH)
    }

    /// The mount that a path here is on: of a mount point, what is mounted there last. A symbolic link at the end is not
    /// followed.
    public func mountIdentity(of path: UnsafePointer<CChar>) throws(Errno) -> MountIdentity {
        try mountIdentity(of: path, flags: AT_SYMLINK_NOFOLLOW)
    }

    private func mountIdentity(of path: UnsafePointer<CChar>, flags: Int32) throws(Errno) -> MountIdentity {
        let number = rawValue
        var (id, device): (UInt64, UInt64) = (0, 0)
        try checkVoid { clinux_mount_identity(number, path, flags, &id, &device) }
        return MountIdentity(id: id, device: device)
    }
}

/// A name in a directory that is held open, on which something is mounted or may be.
///
/// The directory was reached without following a symbolic link, and stays the same one whatever becomes of its path. The
/// kernel lets nobody rename or remove a name that something is mounted on.
public struct MountPlace: ~Copyable {
    private let parent: FileDescriptor
    private let name: String

    /// Finds a place by its absolute path. ELOOP where a symbolic link is in the path, EINVAL for `/`.
    public init(_ path: String) throws(Errno) {
        guard path.hasPrefix("/"), let slash = path.lastIndex(of: "/") else { throw .EINVAL }
        let name = String(path[path.index(after: slash)...])
        if name.isEmpty || name == "." || name == ".." { throw .EINVAL }
        let above = slash == path.startIndex ? "/" : String(path[..<slash])
        self.init(
            parent: try FileDescriptor.currentDirectory.open(above, [.path, .directory], resolve: .noSymlinks),
            name: name)
    }

    private init(parent: consuming FileDescriptor, name: String) {
        self.parent = parent
        self.name = name
    }

    /// What is mounted there last, or the mount of the directory where nothing is.
    public func identity() throws(Errno) -> MountIdentity { try parent.mountIdentity(of: name) }

    /// Whether something is mounted there.
    public func isMountPoint() throws(Errno) -> Bool { try identity() != parent.mountIdentity() }

    /// Unmounts one mount, and nothing where another is there now: ENOENT. EBUSY while somebody uses it.
    public func unmount(_ mount: MountIdentity) throws(Errno) {
        guard try identity() == mount else { throw .ENOENT }
        // Not by a descriptor of the mount itself, which would be one of its users.
        try parent.withProcPath(appending: name) { (path: UnsafePointer<CChar>) throws(Errno) in
            try Mount.unmount(path, flags: .noFollow)
        }
    }

    /// Takes one mount out of the tree though somebody may use it; it ends with its last user. ENOENT where another is
    /// there now.
    public func detach(_ mount: MountIdentity) throws(Errno) {
        let root = try parent.open(name, [.path, .directory, .noFollow])
        guard try root.mountIdentity() == mount else { throw .ENOENT }
        // The link in /proc leads to this very mount, whatever the path leads to by now; only what somebody mounted over
        // it since the line above would go in its stead, and over a mount of root's only root can mount.
        try root.withProcPath { (path: UnsafePointer<CChar>) throws(Errno) in
            try Mount.unmount(path, flags: .detach)
        }
    }
}
