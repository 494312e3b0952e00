internal import FUSE
internal import Linux

/// Who writes to a file that may lose its set-id bits and file capabilities by that.
struct Writer {
    let request: Request
    /// Whether the caller is known to lack `CAP_FSETID`; otherwise it is to be found out.
    let isKnownStranger: Bool

    /// - Parameter isTold: whether the kernel has said that the caller lacks it. It says so of everybody in a user namespace,
    ///   of those too who have it there.
    init(_ request: Request, isTold: Bool = true) {
        self.request = request
        isKnownStranger = isTold && !Self.isInUserNamespace
    }

    private static let isInUserNamespace: Bool = {
        guard let map = try? FileDescriptor.open("/proc/self/uid_map").readAll(limit: 4096) else { return false }
        let fields = String(decoding: map, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        return fields != ["0", "0", "4294967295"]
    }()
}

// What a write by somebody without `CAP_FSETID` takes away (notify_change and file_remove_privs of the kernel). For a server
// without that capability the layer's file system has done so already.
extension Union {
    /// Takes set-id bits and file capabilities away; nothing for no writer.
    func dropPrivileges(of node: Node, _ place: borrowing Place, for writer: Writer?) throws(Errno) {
        guard let writer, ownUser == 0, !node.flags.contains(.plain) else { return }
        node.set(.plain)
        do throws(Errno) {
            let status = try place.status()
            let mode = modeLeft(status, by: writer, node)
            if mode != status.permissions { try place.directory.setMode(of: place.path, mode) }
            try place.removeAttribute("security.capability")
        } catch {
            try expectNoCapability(node, error)
        }
    }

    /// As above, of a file that has no name any more and is not that of a lower layer.
    private func dropPrivileges(
        ofRemoved node: Node, _ file: borrowing FileDescriptor, for writer: Writer?
    ) throws(Errno) {
        guard let writer, ownUser == 0, !node.flags.contains(.plain) else { return }
        node.set(.plain)
        do throws(Errno) {
            let status = try file.status()
            let mode = modeLeft(status, by: writer, node)
            if mode != status.permissions { try file.setMode(mode) }
            try file.removeAttribute("security.capability")
        } catch {
            try expectNoCapability(node, error)
        }
    }

    /// As above, of an open file, which may have lost its name.
    func dropPrivileges(of node: Node, open file: SharedDescriptor, for writer: Writer?) throws(Errno) {
        if writer == nil { return }
        if node.isRemoved { return try dropPrivileges(ofRemoved: node, file.value, for: writer) }
        try withObject(node) { (place: borrowing Place) throws(Errno) in
            try dropPrivileges(of: node, place, for: writer)
        }
    }

    /// The permissions that stay. What stays of set-id bits is looked at again by the next write.
    private func modeLeft(_ status: FileStatus, by writer: Writer, _ node: Node) -> UInt32 {
        let mode = status.permissions
        guard status.isRegular, mode & 0o6000 != 0 else { return mode }
        var left = mode
        if writer.isKnownStranger || !mayKeepSetID(writer.request) {
            left = Self.withoutSetID(mode, isMember: isMember(writer.request, of: status.gid))
        }
        if left & 0o6000 != 0 { node.clear(.plain) }
        return left
    }

    private func expectNoCapability(_ node: Node, _ error: Errno) throws(Errno) {
        if error == .ENODATA || error == .EOPNOTSUPP { return }
        node.clear(.plain)
        if error != .EPERM { throw error }
    }

    /// Whether the caller has `CAP_FSETID` where we do: the request does not say, its thread does.
    private func mayKeepSetID(_ request: Request) -> Bool {
        request.uid == ownUser && ProcessTable.hasCapability(4, request.pid)
    }

    private func isMember(_ request: Request, of group: UInt32) -> Bool {
        request.gid == group || ProcessTable.hasGroup(group, request.pid)
    }

    /// The mode that is left: set-group-id without group execution means mandatory locking, and stays where the caller is
    /// a member of the group.
    private static func withoutSetID(_ mode: UInt32, isMember: @autoclosure () -> Bool) -> UInt32 {
        var mode = mode & ~UInt32(0o4000)
        if mode & 0o2000 != 0, mode & 0o010 != 0 || !isMember() { mode &= ~UInt32(0o2000) }
        return mode
    }
}
