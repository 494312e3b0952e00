internal import FUSE
internal import Linux

// Files that have lost their last name: nothing in a layer leads to them any more, and the kernel may still ask for them, for
// somebody who has them open, or who is about to open them because he found the name a moment ago.
extension Union {
    /// Before the last name of a file goes: keeps what the kernel may still ask for, until it forgets the node. The node's
    /// lock is held.
    func keepRemains(of node: Node, _ place: borrowing Place, _ status: FileStatus) throws(Errno) {
        let file = node.file ?? OpenFile()
        file.isUnlinked = true
        if file.count == 0, let backing = file.backing {
            backings?.close(backing)
            file.backing = nil
        }
        if node.type == .regular {
            do throws(Errno) {
                try keepOpen(file, node, place, status)
            } catch {
                // Too many files are open: of one that nobody has open at the moment only the attributes are kept.
                if file.count > 0 || (error != .EMFILE && error != .ENFILE) { throw error }
                keepStatus(status, of: node, file)
            }
        } else {
            keepStatus(status, of: node, file)
            if node.type == .symbolicLink { file.target = try place.directory.readLink(place.path) }
        }
        node.file = file
    }

    private func keepOpen(
        _ file: OpenFile, _ node: Node, _ place: borrowing Place, _ status: FileStatus
    ) throws(Errno) {
        if node.isMetacopy {
            if file.metadata == nil { file.metadata = try openForRemains(place, isLower: !node.isUpper) }
            return
        }
        if file.count == 0 { file.isLower = !node.isUpper }
        if file.descriptor == nil { file.descriptor = try openForRemains(place, isLower: file.isLower) }
        if file.isLower && node.data == nil { node.data = ownData(of: node, status) }
    }

    private func keepStatus(_ status: FileStatus, of node: Node, _ file: OpenFile) {
        var remains = status
        // Of a lower file, which keeps its names on disk, it is told later how many there are here.
        if node.isDirectory { remains.linkCount = 0 }
        if node.isUpper && !node.isDirectory { remains.linkCount = max(status.linkCount, 1) - 1 }
        file.remains = remains
    }

    private func openForRemains(_ place: borrowing Place, isLower: Bool) throws(Errno) -> SharedDescriptor {
        if !isLower {
            do throws(Errno) {
                return SharedDescriptor(try place.open(.readWrite), canWrite: true)
            } catch {
                if error != .EACCES && error != .EPERM && error != .ETXTBSY { throw error }
            }
        }
        return SharedDescriptor(try place.open(.readOnly), canWrite: false)
    }

    // MARK: Attributes

    /// What programs see of a file without a name.
    func attributes(ofRemoved node: Node) throws(Errno) -> Attributes {
        // Set before the node counts as removed.
        guard let file = node.lock.with({ node.file?.copy() }) else { throw .ESTALE }
        let status: FileStatus
        if let descriptor = file.attributeSource {
            status = try descriptor.value.status()
        } else if let remains = file.remains {
            status = remains
        } else {
            throw .ESTALE
        }
        var result = Attributes(status)
        present(&result, node)
        if let successor = file.successor {
            return try attributes(ofSuperseded: result, by: successor, isRead: file.count > 0)
        }
        if !node.isDirectory { result.linkCount = UInt32(clamping: linksLeft(of: node, file, status)) }
        return result
    }

    /// How many names a file has whose last known one is gone. `status` is that of what is left of it.
    private func linksLeft(of node: Node, _ file: OpenFile, _ status: FileStatus) -> Int {
        if let entry = node.index { return entry.links }
        // What the upper file system says is right; a lower file keeps its names on disk.
        let isLower = !node.isUpper || (file.metadata == nil && file.isLower)
        guard file.isUnlinked, isLower else { return Int(status.linkCount) }
        return status.linkCount > 1 ? links(of: node, status) : 0
    }

    /// setattr of a file without a name, through what is open of it.
    func setattr(
        removed node: Node, _ changes: AttributeChanges, _ request: Request?
    ) throws(Errno) -> Attributes {
        if try changeInMemory(node, changes) { return try attributes(ofRemoved: node) }
        let size = changes.size.map { Int64(clamping: $0) }
        let descriptor = try node.lock.with { () throws(Errno) in
            try changeableRemains(of: node, size == nil ? .attributes : .data(limit: size))
        }
        if let size { try descriptor.value.truncate(to: size) }
        // A change of owner takes them by itself.
        if changes.asksForNothing || (size != nil && changes.killPrivileges), node.type == .regular {
            let writer = request.map { Writer($0, isTold: changes.killPrivileges) }
            try dropPrivileges(of: node, open: descriptor, for: writer)
        }
        if changes.mode != nil || changes.uid != nil || changes.gid != nil { node.clear(.plain) }
        if changes.uid != nil || changes.gid != nil {
            try setOwner(descriptor.value, uid: changes.uid, gid: changes.gid)
        }
        if let mode = changes.mode { try descriptor.value.setMode(mode & 0o7777) }
        if changes.accessTime != nil || changes.modificationTime != nil {
            try descriptor.value.setTimes(
                access: changes.accessTime ?? .omit, modification: changes.modificationTime ?? .omit)
        }
        return try attributes(ofRemoved: node)
    }

    /// Of a directory, a pipe or a device without a name nothing is left but what the kernel has of it: its attributes are
    /// remembered until it forgets them.
    private func changeInMemory(_ node: Node, _ changes: AttributeChanges) throws(Errno) -> Bool {
        try node.lock.with { () throws(Errno) -> Bool in
            guard node.type != .regular, let file = node.file, file.descriptor == nil, var remains = file.remains else {
                return false
            }
            if let mode = changes.mode { remains.mode = remains.mode & 0o170000 | mode & 0o7777 }
            remains.uid = changes.uid ?? remains.uid
            remains.gid = changes.gid ?? remains.gid
            let now = TimeSpec.current
            remains.changeTime = now
            func changed(_ time: TimeSpec, _ change: TimeSpec?) -> TimeSpec {
                guard let change, change != .omit else { return time }
                return change == .now ? now : change
            }
            remains.accessTime = changed(remains.accessTime, changes.accessTime)
            remains.modificationTime = changed(remains.modificationTime, changes.modificationTime)
            file.remains = remains
            return true
        }
    }

    // MARK: Copies

    /// What can be changed of a file without a name. One that is still that of a lower layer is copied first, into a file
    /// without a name. ESTALE for a file that goes on as another node (see `separateFromReaders`), ETXTBSY for the data of one
    /// that the kernel reads through a backing file, because it then takes no other for this node. The node's lock is held.
    func changeableRemains(of node: Node, _ extent: CopyUpExtent) throws(Errno) -> SharedDescriptor {
        _ = try writable()
        guard let file = node.file, file.isUnlinked || !file.isLower else { throw .ESTALE }
        if !file.isLower && !node.isMetacopy {
            guard let descriptor = file.descriptor else { throw .ESTALE }
            return descriptor
        }
        if extent.wantsData && file.backing != nil { throw .ETXTBSY }
        let metadata = try changeableAttributes(of: node, file)
        guard extent.wantsData else { return metadata }
        guard let data = node.data else { throw .EIO }
        try complete(metadata.value, from: try data.place().open(.readOnly), extent)
        // It may have names that have not been looked up.
        try? metadata.value.removeAttribute(stack.marks.metacopy.cString)
        file.descriptor = metadata
        file.metadata = nil
        file.isLower = false
        node.clear(.metacopy)
        return metadata
    }

    private func changeableAttributes(of node: Node, _ file: OpenFile) throws(Errno) -> SharedDescriptor {
        if let metadata = file.metadata, metadata.canWrite { return metadata }
        guard let source = file.attributeSource, node.data != nil else { throw .ESTALE }
        let status = try source.value.status()
        let copy = try namelessFile()
        try copy.truncate(to: status.size)
        let origin = try copyAttributes(of: source.value, status, to: copy)
        if linksLeft(of: node, file, status) > 0 { try putIntoIndex(copy, of: node, status, origin) }
        let metadata = SharedDescriptor(copy, canWrite: true)
        file.metadata = metadata
        node.set([.upper, .metacopy])
        return metadata
    }

    /// The file has names that nobody has looked up yet: they lead to its copy through the index.
    private func putIntoIndex(
        _ copy: borrowing FileDescriptor, of node: Node, _ status: FileStatus, _ origin: [UInt8]?
    ) throws(Errno) {
        guard let index = work?.index, let entry = try indexEntry(node, status, origin, on: copy) else { throw .ESTALE }
        try copy.setAttribute(stack.marks.metacopy.cString, [])
        let place = try index.place(entry)
        try? place.directory.unlink(place.path)
        try copy.makeLink(in: place.directory, at: place.path)
        index.added()
        node.index = entry
        index.dropPending(node.inode)
    }

    private func namelessFile() throws(Errno) -> FileDescriptor {
        let work = try writable().work
        if let file = try work.temporaryFile() { return file }
        let temporary = try work.temporary()
        let file = try temporary.open([.create, .exclusive, .readWrite], mode: 0o600)
        try temporary.directory.unlink(temporary.path)
        return file
    }
}
