internal import CLinux
internal import Glibc

/// Attributes of a mount, by the names of mount_setattr(2).
public struct MountAttributes: OptionSet, Sendable {
    /// The `MOUNT_ATTR_*` bits.
    public let rawValue: UInt64
    /// Takes the bits.
    public init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Nothing can be written by way of this mount.
    public static let readOnly = MountAttributes(rawValue: 0x1)
    /// Set-id bits and capabilities of files mean nothing by way of this mount.
    public static let noSetID = MountAttributes(rawValue: 0x2)
    /// Device nodes cannot be opened by way of this mount.
    public static let noDevices = MountAttributes(rawValue: 0x4)
    /// Reading by way of this mount leaves access times alone.
    public static let noAccessTime = MountAttributes(rawValue: 0x10)
    /// Reading directories by way of this mount leaves their access times alone.
    public static let noDirectoryAccessTime = MountAttributes(rawValue: 0x80)

    /// The bits of which access times take one; they are cleared together.
    fileprivate static let accessTimes: UInt64 = 0x70
}

extension FileDescriptor {
    /// A private copy of the mount that a directory is on, with the directory as its root and without what is mounted
    /// below: open_tree(2) with `OPEN_TREE_CLONE`. The copy is in no mount table; it lives as long as the descriptor or
    /// any other one that was opened by way of it, and keeps nobody from unmounting the original.
    ///
    /// Throws EPERM where the caller may not mount, ENOSYS before kernel 5.2, EINVAL where a mount below is not the
    /// caller's to uncover.
    public func copyMount(of path: UnsafePointer<CChar>) throws(Errno) -> FileDescriptor {
        let number = rawValue
        // OPEN_TREE_CLONE, and OPEN_TREE_CLOEXEC, which is O_CLOEXEC.
        let flags = 1 | UInt32(bitPattern: O_CLOEXEC)
        let copy = FileDescriptor(owning: try check { clinux_open_tree(number, path, flags) })
        try copy.setMountAttributes([], isPrivate: true)
        return copy
    }

    /// Sets attributes of the mount that this descriptor is the root of: mount_setattr(2), kernel 5.12.
    ///
    /// - Parameter isPrivate: also takes the mount out of its peer group, so that what is mounted below the original is
    ///   not mounted here.
    public func setMountAttributes(_ attributes: MountAttributes, isPrivate: Bool = false) throws(Errno) {
        let number = rawValue
        let cleared = attributes.contains(.noAccessTime) ? MountAttributes.accessTimes : 0
        let propagation = isPrivate ? MountFlags.private.rawValue : 0
        try checkVoid {
            clinux_mount_setattr(
                number, "", UInt32(bitPattern: clinux_AT_EMPTY_PATH), attributes.rawValue, cleared, propagation)
        }
    }

    /// Puts this copy of a mount on a directory of the tree: move_mount(2), kernel 5.2. It is in the mount table then, and
    /// outlives the descriptor.
    public func attachMount(on directory: borrowing FileDescriptor) throws(Errno) {
        let (from, to) = (rawValue, directory.rawValue)
        try checkVoid { clinux_move_mount(from, to) }
    }
}
