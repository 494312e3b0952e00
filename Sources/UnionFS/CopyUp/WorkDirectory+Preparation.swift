internal import Glibc
internal import Linux

// What is done to a work directory before a mount uses it.
extension WorkDirectory {
    private static let markDirectory: StaticString = "work/incompat"
    private static let volatileMark: StaticString = "work/incompat/volatile"

    /// Removes what a mount left that ended in the middle of something, and makes what the next one needs. The caller has
    /// locked the directory.
    ///
    /// - Parameter isVolatile: marks the directory, as the kernel's overlay does: from now on the upper directory may be
    ///   incomplete after a crash, and nothing else would tell.
    static func prepare(_ layer: Layer, isVolatile: Bool) throws(Errno) {
        try layer.root.removeTree("work")
        try layer.root.makeDirectory("work", mode: 0o700)
        do throws(Errno) {
            try layer.root.makeDirectory("index", mode: 0o700)
        } catch {
            if error != .EEXIST { throw error }
        }
        // What is made in them must not take over what a default ACL of the work directory's owner says.
        for name in ["work", "index"] as [StaticString] {
            for list in ["system.posix_acl_default", "system.posix_acl_access"] as [StaticString] {
                do throws(Errno) {
                    try layer.root.removeAttribute(list.cString, of: name.cString)
                } catch {
                    if error != .ENODATA && error != .EOPNOTSUPP { throw error }
                }
            }
        }
        if !isVolatile { return }
        try layer.root.makeDirectory(markDirectory.cString, mode: 0o700)
        try layer.root.makeDirectory(volatileMark.cString, mode: 0o700)
        _ = try layer.root.open("work/incompat/volatile/dirty", [.create, .writeOnly], mode: 0o600)
    }

    /// Why the directory must not be used, if it must not: a mount before this one has marked it with something that the
    /// directory has only in common with mounts of that kind. The kernel's overlay refuses each name here, too.
    static func refusal(of layer: Layer, _ path: String) -> UnionFailure? {
        guard let marks = try? layer.root.open(markDirectory.cString, [.readOnly, .directory, .noFollow]),
            let first = try? marks.sortedEntryNames().first
        else { return nil }
        let name = String(decoding: first.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if name != "volatile" {
            return UnionFailure(.incompatible, "workdir \(path) was used by a mount with the unknown feature \(name)")
        }
        return UnionFailure(
            .incompatible,
            "workdir \(path) was used by a volatile mount, so the upper directory may be incomplete: start with empty "
                + "directories, or remove \(path)/work/incompat/volatile if the system has not crashed since")
    }
}

/// Finds layers that lie in the upper or in the work directory, where they would not stay what they are. As with the kernel's
/// overlay the upper directory may lie in a lower one.
struct OverlapCheck {
    private struct Identity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    private var taken: [Identity: String] = [:]
    /// Directories with nothing of `taken` above them.
    private var free: Set<Identity> = []

    /// Notes that nothing may lie in a directory; `role` is what it is called in messages.
    mutating func reserve(_ directory: borrowing FileDescriptor, _ role: String) {
        if let status = try? directory.status() { taken[identity(status)] = role }
    }

    /// What the directory lies in, or is; nil where it is well apart.
    mutating func conflict(of directory: borrowing FileDescriptor) -> String? {
        guard !taken.isEmpty, var status = try? directory.status() else { return nil }
        var walked: [Identity] = []
        var current = FileDescriptor(owning: -1)
        // As deep as a path can be.
        for _ in 0..<2048 {
            let id = identity(status)
            if let role = taken[id] { return role }
            if free.contains(id) { break }
            walked.append(id)
            do throws(Errno) {
                current =
                    try current.rawValue < 0
                    ? directory.open("..", [.path, .directory]) : current.open("..", [.path, .directory])
                status = try current.status()
            } catch {
                break
            }
            if identity(status) == id { break }
        }
        free.formUnion(walked)
        return nil
    }

    private func identity(_ status: FileStatus) -> Identity { Identity(device: status.device, inode: status.inode) }
}
