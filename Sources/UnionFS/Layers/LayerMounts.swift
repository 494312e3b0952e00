internal import Linux

/// Opens the directories of a union by way of private copies of the mounts they are on, as the kernel's overlay does.
///
/// Three things come of it. Whoever unmounts the union can unmount what its layers lie on in the next moment: nothing of
/// ours is open on that mount, however long this process takes to end. What is mounted on a directory of a layer, now or
/// later, is not seen through the union. And the kernel itself refuses any write to a lower layer, and leaves its access
/// times alone.
///
/// Where this process may not mount, the directories are opened as they are.
struct LayerMounts {
    /// A copy of a mount, whole.
    private final class Copy {
        /// The id of the original.
        let mount: UInt64
        let isWritable: Bool
        /// Where the original's root is, without a slash at the end.
        let path: [UInt8]
        let root: FileDescriptor

        init(mount: UInt64, isWritable: Bool, path: [UInt8], root: consuming FileDescriptor) {
            self.mount = mount
            self.isWritable = isWritable
            self.path = path
            self.root = root
        }
    }

    /// What reading the upper directory does to access times.
    private let accessTimes: AccessTimes
    /// One for each mount and use, since renames and links do not cross from one to another.
    private var copies: [Copy] = []
    /// This process may not copy mounts.
    private var isRefused = false

    init(accessTimes: AccessTimes) { self.accessTimes = accessTimes }

    /// Opens a directory for reading.
    mutating func open(_ path: String, isWritable: Bool) throws(Errno) -> FileDescriptor {
        // Not O_PATH: open_by_handle_at(2) does not take such a descriptor.
        let plain = try FileDescriptor.open(path, [.readOnly, .directory])
        if isRefused { return plain }
        do throws(Errno) {
            if let copied = try reopen(plain, isWritable: isWritable) { return copied }
        } catch {
            // Not allowed, or not known to this kernel.
            isRefused = error == .EPERM || error == .ENOSYS
        }
        return plain
    }

    /// The same directory by way of a copy of its mount; nil where the way there leads to another.
    private mutating func reopen(
        _ plain: borrowing FileDescriptor, isWritable: Bool
    ) throws(Errno) -> FileDescriptor? {
        let path = try FileDescriptor.currentDirectory.readLink("/proc/self/fd/\(plain.rawValue)")
        guard path.first == UInt8(ascii: "/"), path.count > 1 else { return nil }
        let copy = try self.copy(of: plain.mountID(of: "."), at: path, isWritable: isWritable)
        // Without the slash between the two.
        let rest = path.dropFirst(copy.path.count + 1)
        let name = rest.isEmpty ? [UInt8(ascii: ".")] : Array(rest)
        let reopened = try copy.root.open(
            name.map { CChar(bitPattern: $0) } + [0], [.readOnly, .directory],
            resolve: [.beneath, .noSymlinks, .noMountCrossing])
        let (old, new) = (try plain.status(), try reopened.status())
        if old.device != new.device || old.inode != new.inode { return nil }
        return reopened
    }

    private mutating func copy(of mount: UInt64, at path: [UInt8], isWritable: Bool) throws(Errno) -> Copy {
        for known in copies where known.mount == mount && known.isWritable == isWritable {
            if Self.isAbove(known.path, path) { return known }
        }
        // The whole of it, for the layers to come.
        var top = mountRoot(of: mount, above: path)
        let root: FileDescriptor
        do throws(Errno) {
            root = try FileDescriptor.currentDirectory.copyMount(of: Self.terminated(top))
        } catch {
            // In a user namespace the mounts below may not be ours to uncover; below a layer there are none.
            if isWritable || error != .EINVAL { throw error }
            top = path
            root = try FileDescriptor.currentDirectory.copyMount(of: Self.terminated(top))
        }
        if isWritable { try keepTimes(root) } else { try Self.protect(root) }
        let copy = Copy(mount: mount, isWritable: isWritable, path: top, root: root)
        copies.append(copy)
        return copy
    }

    private func keepTimes(_ root: borrowing FileDescriptor) throws(Errno) {
        switch accessTimes {
        case .changed: return
        case .keptOfDirectories: try? root.setMountAttributes(.noDirectoryAccessTime)
        case .kept: try? root.setMountAttributes(.noAccessTime)
        }
    }

    private static func protect(_ root: borrowing FileDescriptor) throws(Errno) {
        do throws(Errno) {
            try root.setMountAttributes([.readOnly, .noAccessTime])
        } catch {
            // How access times are kept may be fixed for a user namespace.
            try root.setMountAttributes(.readOnly)
        }
    }

    /// The uppermost directory on the way to `path` that is on the same mount, without a slash at the end: empty for
    /// the root of all.
    private func mountRoot(of mount: UInt64, above path: [UInt8]) -> [UInt8] {
        var top = path[...]
        while let slash = top.lastIndex(of: UInt8(ascii: "/")) {
            let parent = top[..<slash]
            guard let id = try? FileDescriptor.currentDirectory.mountID(of: Self.terminated(Array(parent))), id == mount
            else { break }
            top = parent
        }
        return Array(top)
    }

    private static func isAbove(_ directory: [UInt8], _ path: [UInt8]) -> Bool {
        path.starts(with: directory)
            && (path.count == directory.count || path[directory.count] == UInt8(ascii: "/"))
    }

    private static func terminated(_ path: [UInt8]) -> [CChar] {
        (path.isEmpty ? [UInt8(ascii: "/")] : path).map { CChar(bitPattern: $0) } + [0]
    }
}
