internal import FUSE
internal import Linux

// Files that have lost their last name and are still open: nothing in a layer leads to them any more.
extension Union {
    /// Before the last name of a file goes: keeps what the kernel may still ask for. The node's lock is held.
    func keepRemains(of node: Node, _ place: borrowing Place, _ status: FileStatus) throws(Errno) {
        let file = node.file ?? OpenFile()
        file.isUnlinked = true
        if node.isDirectory || file.count == 0 {
            var remains = status
            remains.linkCount = node.isDirectory ? 0 : max(status.linkCount, 1) - 1
            file.remains = remains
            if let backing = file.backing { backings?.close(backing) }
            file.backing = nil
        } else if node.isMetacopy {
            if file.metadata == nil { file.metadata = try openForRemains(place, isLower: !node.isUpper) }
        } else {
            if file.descriptor == nil { file.descriptor = try openForRemains(place, isLower: file.isLower) }
            if file.isLower && node.data == nil { node.data = ownData(of: node, status) }
        }
        node.file = file
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

    /// What can be changed of a file without a name. One that is still that of a lower layer is copied first, into a file
    /// without a name. ESTALE for a file that goes on as another node (see `separateFromReaders`), and for the data of one
    /// that the kernel reads through a backing file, because it then takes no other for this node. The node's lock is held.
    func changeableRemains(of node: Node, _ extent: CopyUpExtent) throws(Errno) -> SharedDescriptor {
        _ = try writable()
        guard let file = node.file, file.isUnlinked || !file.isLower else { throw .ESTALE }
        if !file.isLower && !node.isMetacopy {
            guard let descriptor = file.descriptor else { throw .ESTALE }
            return descriptor
        }
        if extent.wantsData && file.backing != nil { throw .ESTALE }
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
        // A lower file with names that have not been looked up is to stay one file with them.
        guard !node.flags.contains(.identified), let source = file.attributeSource, node.data != nil else {
            throw .ESTALE
        }
        let status = try source.value.status()
        let copy = try namelessFile()
        try copy.truncate(to: status.size)
        try copyAttributes(of: source.value, status, to: copy)
        let metadata = SharedDescriptor(copy, canWrite: true)
        file.metadata = metadata
        node.set([.upper, .metacopy])
        return metadata
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
