internal import FUSE
internal import Glibc
internal import Linux

extension Union {
    /// What programs see of a node's object. The caller holds the tree lock.
    func attributes(of node: Node) throws(Errno) -> Attributes {
        try attributes(of: node, try place(of: node).status())
    }

    /// What programs see, from what a layer says of the object.
    func attributes(of node: Node, _ status: FileStatus) throws(Errno) -> Attributes {
        var result = Attributes(status)
        present(&result, node)
        if let directory = node.directory {
            // A count of subdirectories that only counts those of one layer would mislead; 1 says "not counted".
            if directory.mayMerge || configuration.hasStaticLinkCounts { result.linkCount = 1 }
        } else if node.flags.contains(.identified) || status.linkCount > 1 {
            result.linkCount = linkCount(of: node, status)
        }
        return result
    }

    /// Number, owner and room on disk as programs see them.
    func present(_ attributes: inout Attributes, _ node: Node) {
        attributes.inode = shownNumber(node.inode)
        if node.isMetacopy, let data = node.data { attributes.blocks = UInt64(clamping: data.blocks) }
        if !mapsOwners { return }
        attributes.uid = configuration.owners.users.shown(attributes.uid)
        attributes.gid = configuration.owners.groups.shown(attributes.gid)
    }

    /// An inode number, cut to 32 bits where that is asked for.
    func shownNumber(_ inode: UInt64) -> UInt64 { configuration.hasShortInodeNumbers ? inode & 0xffff_ffff : inode }

    /// getattr.
    func getattr(_ node: Node) throws(Errno) -> Attributes {
        // Not under the tree lock: the node's lock comes before it.
        if node.isRemoved { return try attributes(ofRemoved: node) }
        do throws(Errno) {
            return try tree.read { () throws(Errno) in
                try attributes(of: node, try place(of: node).status())
            }
        } catch {
            // Removed in between.
            if node.isRemoved { return try attributes(ofRemoved: node) }
            throw error
        }
    }

    /// setattr: copies up first what is to be changed.
    func setattr(_ node: Node, _ changes: AttributeChanges, _ request: Request? = nil) throws(Errno) -> Attributes {
        _ = try writable()
        if let successor = successor(of: node) {
            _ = try setattr(successor, changes, request)
            changed(successorOf: node)
            return try getattr(node)
        }
        if node.isRemoved { return try setattr(removed: node, changes) }
        if changes.asksForNothing && !changes.killPrivileges {
            // A write through a backing file is about to come from somebody who may not keep set-id bits, or it is to a
            // file with capabilities, which nobody keeps.
            try withObject(node) { (object: borrowing Place) throws(Errno) in
                try dropPrivileges(of: node, object, by: request)
            }
            return try getattr(node)
        }
        if changes.size != nil && node.type != .regular { throw node.isDirectory ? .EISDIR : .EINVAL }
        let size = changes.size.map { Int64(clamping: $0) }
        if size == nil, changes.mode.map(mayKeepData) ?? true {
            try copyUp(node)
        } else {
            try copyUp(node, .data(limit: size))
        }
        if let size {
            try truncate(node, to: size, dropping: changes.killPrivileges)
        }
        return try tree.read { () throws(Errno) in
            let place = try self.place(of: node)
            defer { if changes.mode != nil || changes.uid != nil || changes.gid != nil { node.clear(.plain) } }
            try apply(changes, to: place)
            return try attributes(of: node, try place.status())
        }
    }

    private func apply(_ changes: AttributeChanges, to place: borrowing Place) throws(Errno) {
        if changes.uid != nil || changes.gid != nil {
            try setOwner(place, uid: changes.uid, gid: changes.gid)
        }
        if let mode = changes.mode { try place.directory.setMode(of: place.path, mode & 0o7777) }
        if changes.accessTime != nil || changes.modificationTime != nil {
            try place.directory.setTimes(
                of: place.path, access: changes.accessTime ?? .omit, modification: changes.modificationTime ?? .omit)
        }
    }

    /// Changes the owner. Where all owners are shown as one, a change that is not allowed counts as done.
    func setOwner(_ place: borrowing Place, uid: UInt32?, gid: UInt32?) throws(Errno) {
        do throws(Errno) {
            try place.directory.setOwner(of: place.path, uid: uid, gid: gid)
        } catch {
            if !configuration.owners.isSquashing { throw error }
        }
    }

    /// As above, of an open file.
    func setOwner(_ file: borrowing FileDescriptor, uid: UInt32?, gid: UInt32?) throws(Errno) {
        do throws(Errno) {
            try file.setOwner(uid: uid, gid: gid)
        } catch {
            if !configuration.owners.isSquashing { throw error }
        }
    }

    /// Truncates by path or by what is open. ESTALE where the kernel still reads the lower file under this node: it then
    /// looks the name up again and finds the node that `open` would have found.
    private func truncate(_ node: Node, to size: Int64, dropping: Bool) throws(Errno) {
        try node.lock.with { () throws(Errno) in
            try separateFromReaders(node)
            try tree.read { () throws(Errno) in
                let place = try self.place(of: node)
                let file = try place.open(.writeOnly)
                try file.truncate(to: size)
                if dropping { try dropPrivileges(of: node, place) }
            }
        }
    }

    /// Takes set-id bits and file capabilities away, as a write by somebody without `CAP_FSETID` does.
    /// For a server without that capability the layer's file system has done so already.
    ///
    /// - Parameter caller: who may have `CAP_FSETID` all the same; nil where the kernel has said that the bits have to go.
    func dropPrivileges(of node: Node, _ place: borrowing Place, by caller: Request? = nil) throws(Errno) {
        if ownUser != 0 || node.flags.contains(.plain) { return }
        node.set(.plain)
        do throws(Errno) {
            let status = try place.status()
            var mode = status.permissions
            if mode & 0o6000 != 0 && !(caller.map(mayKeepSetID) ?? false) {
                let isMember = caller.map { self.isMember($0, of: status.gid) } ?? true
                mode = Self.withoutSetID(mode, isMember: isMember)
            }
            if status.isRegular && mode != status.permissions { try place.directory.setMode(of: place.path, mode) }
            // What stays of the bits is looked at again by the next write.
            if mode & 0o6000 != 0 { node.clear(.plain) }
            try place.removeAttribute("security.capability")
        } catch {
            if error == .ENODATA || error == .EOPNOTSUPP { return }
            node.clear(.plain)
            if error != .EPERM { throw error }
        }
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
    static func withoutSetID(_ mode: UInt32, isMember: Bool = true) -> UInt32 {
        var mode = mode & ~UInt32(0o4000)
        if mode & 0o010 != 0 || !isMember { mode &= ~UInt32(0o2000) }
        return mode
    }

    /// Runs the body with the place of a node under the tree lock.
    func withObject<Result: ~Copyable>(
        _ node: Node, _ body: (borrowing Place) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        try tree.read { () throws(Errno) -> Result in try body(try place(of: node)) }
    }

    /// statfs: the file system that changes go to, or the topmost one.
    func fileSystemStatus() throws(Errno) -> FileSystemStatus {
        if let upper = stack.upper { return try upper.root.fileSystemStatus() }
        guard let lower = stack.lowers.first else { throw .EIO }
        return try lower.root.fileSystemStatus()
    }

    /// readlink.
    func readlink(_ node: Node) throws(Errno) -> [UInt8] {
        try withObject(node) { (place: borrowing Place) throws(Errno) in
            try place.directory.readLink(place.path)
        }
    }
}
