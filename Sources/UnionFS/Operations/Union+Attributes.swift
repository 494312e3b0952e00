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
        if !node.isRemoved {
            do throws(Errno) {
                return try setattr(named: node, changes, request)
            } catch {
                // Removed in between.
                if !node.isRemoved || node.flags.contains(.superseded) { throw error }
            }
        }
        return try setattr(removed: node, changes, request)
    }

    private func setattr(
        named node: Node, _ changes: AttributeChanges, _ request: Request?
    ) throws(Errno) -> Attributes {
        if changes.asksForNothing && !changes.killPrivileges {
            // A write through a backing file is about to come from somebody who may not keep set-id bits, or it is to a
            // file with capabilities, which nobody keeps.
            try withObject(node) { (object: borrowing Place) throws(Errno) in
                try dropPrivileges(of: node, object, for: request.map { Writer($0, isTold: false) })
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
            try truncate(node, to: size, changes, by: changes.killPrivileges ? request.map { Writer($0) } : nil)
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
    private func truncate(
        _ node: Node, to size: Int64, _ changes: AttributeChanges, by writer: Writer?
    ) throws(Errno) {
        do throws(Errno) {
            try node.lock.with { () throws(Errno) in
                try separateFromReaders(node)
                try tree.read { () throws(Errno) in
                    let place = try self.place(of: node)
                    // Which of the two it was says whether a size that stays as it was changes the time.
                    if changes.handle != nil {
                        try place.open(.writeOnly).truncate(to: size)
                    } else {
                        try place.open([.path, .noFollow]).truncateByPath(to: size)
                    }
                    try dropPrivileges(of: node, place, for: writer)
                }
            }
        } catch {
            if error == .ESTALE { waitForDroppedNames(of: node) }
            throw error
        }
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
        do throws(Errno) {
            return try withObject(node) { (place: borrowing Place) throws(Errno) in
                try place.directory.readLink(place.path)
            }
        } catch {
            // Removed in between.
            if node.isRemoved, let target = node.lock.with({ node.file?.target }) { return target }
            throw error
        }
    }
}
