internal import FUSE
internal import Glibc
internal import Linux

// Copy-up: a lower object becomes one of the upper layer, with everything it has, before its first change. The data of a
// file may stay below as long as only its attributes change.
extension Union {
    /// Makes sure that the object is in the upper layer, and its parents before it.
    func copyUp(_ node: Node, _ extent: CopyUpExtent = .attributes) throws(Errno) {
        if node.isUpper {
            guard extent.wantsData, node.isMetacopy else { return }
            try node.lock.with { () throws(Errno) in try completeData(node, extent) }
            return
        }
        _ = try writable()
        // Every directory above that is not there yet, the highest last.
        let chain = try tree.read { () throws(Errno) -> [Node] in
            var chain = [node]
            var link = node.link
            if link == nil && !node.isRoot { throw .ESTALE }
            while let parent = link?.parent, !parent.isUpper {
                chain.append(parent)
                link = parent.link
            }
            return chain
        }
        for object in chain.reversed() {
            try object.lock.with { () throws(Errno) in
                if object.isUpper {
                    if extent.wantsData { try completeData(object, extent) }
                    return
                }
                switch object.type {
                case .directory: try copyUpDirectory(object)
                case .regular: try copyUpFile(object, extent)
                default: try copyUpOther(object)
                }
            }
        }
    }

    // MARK: Directories

    private func copyUpDirectory(_ node: Node) throws(Errno) {
        let work = try writable().work
        try tree.read { () throws(Errno) in
            guard let link = node.link else { throw .ESTALE }
            let source = try place(of: node).open([.readOnly, .directory])
            let status = try source.status()
            let temporary = try work.temporary()
            try temporary.directory.makeDirectory(temporary.path, mode: 0o700)
            do throws(Errno) {
                let copy = try temporary.open([.readOnly, .directory])
                try copyAttributes(of: source, status, to: copy)
                try install(link) { (target: borrowing Place) throws(Errno) in
                    // Onto nothing: an empty directory in its place would be another node's.
                    try temporary.rename(to: target, .noReplace)
                }
            } catch {
                work.discard(temporary)
                if error == .EEXIST { throw .ESTALE }
                throw error
            }
            node.set(.upper)
        }
    }

    // MARK: Files

    /// A lower file that is about to be copied up.
    private struct Original: ~Copyable {
        /// Has the attributes.
        let attributes: FileDescriptor
        let status: FileStatus
        /// Where the data are; where the attributes are too, unless a lower layer keeps them apart.
        let data: DataFile
    }

    private func copyUpFile(_ node: Node, _ extent: CopyUpExtent) throws(Errno) {
        let work = try writable().work
        try settleData(node)
        let original = try openOriginal(node)
        // The data are copied without any lock but the node's.
        guard let copy = try work.temporaryFile() else {
            try copyUpFileByName(node, original, extent)
            return
        }
        let isMetacopy = try fill(copy, from: original, extent)
        let origin = try copyAttributes(of: original.attributes, original.status, to: copy)
        let entry = try indexEntry(node, original.status, origin, on: copy)
        if node.data == nil { node.data = original.data }
        try putIntoPlace(node, entry, isMetacopy: isMetacopy) { (target: borrowing Place) throws(Errno) in
            try copy.makeLink(in: target.directory, at: target.path)
        }
    }

    /// For an upper file system without `O_TMPFILE`.
    private func copyUpFileByName(
        _ node: Node, _ original: borrowing Original, _ extent: CopyUpExtent
    ) throws(Errno) {
        let work = try writable().work
        let temporary = try work.temporary()
        let copy = try temporary.open([.create, .exclusive, .readWrite], mode: 0o600)
        do throws(Errno) {
            let isMetacopy = try fill(copy, from: original, extent)
            let origin = try copyAttributes(of: original.attributes, original.status, to: copy)
            let entry = try indexEntry(node, original.status, origin, on: copy)
            if node.data == nil { node.data = original.data }
            try putIntoPlace(node, entry, isMetacopy: isMetacopy) { (target: borrowing Place) throws(Errno) in
                try temporary.rename(to: target, .noReplace)
            }
        } catch {
            work.discard(temporary)
            throw error
        }
    }

    private func openOriginal(_ node: Node) throws(Errno) -> Original {
        try tree.read { () throws(Errno) -> Original in
            let place = try place(of: node)
            let attributes = try place.open(.readOnly)
            let status = try attributes.status()
            if node.isMetacopy {
                guard configuration.usesMetacopy else { throw .EPERM }
                guard let data = node.data else { throw .EIO }
                return Original(attributes: attributes, status: status, data: data)
            }
            guard let data = ownData(of: node, status) else { throw .ESTALE }
            return Original(attributes: attributes, status: status, data: data)
        }
    }

    /// A lower file itself as that which has the data. The caller holds the tree lock.
    func ownData(of node: Node, _ status: FileStatus) -> DataFile? {
        guard node.type == .regular, let link = node.link, let part = lowerPart(of: node),
            let layer = stack.lower(part.layer)
        else { return nil }
        let path = LowerPath(parent: part.path, name: link.text.pointer, length: link.length)
        return DataFile(layer: layer, path: path, status: status)
    }

    /// Gives a copy its size, and its data or the mark that says that they are below. Returns whether they are.
    private func fill(
        _ copy: borrowing FileDescriptor, from original: borrowing Original, _ extent: CopyUpExtent
    ) throws(Errno) -> Bool {
        let size = extent.count(of: original.status.size)
        if !extent.wantsData && size > 0 && configuration.usesMetacopy && mayKeepData(original.status.mode) {
            try copy.truncate(to: size)
            do throws(Errno) {
                try copy.setAttribute(stack.marks.metacopy.cString, [])
                return true
            } catch {
                // A file system without such attributes.
                if error != .EOPNOTSUPP && error != .EPERM { throw error }
            }
        }
        if size == 0 { return false }
        let source = try original.data.place().open(.readOnly)
        try copy.copyContents(of: source, size: size)
        if try copy.status().size != size { try copy.truncate(to: size) }
        // Or a loss of power could keep the name and not the data. The kernel's overlay does the same.
        if !configuration.ignoresSync { try copy.sync(dataOnly: true) }
        return false
    }

    /// The index entry that a file with several names needs; nil for a file with one.
    func indexEntry(
        _ node: Node, _ status: FileStatus, _ origin: [UInt8]?, on copy: borrowing FileDescriptor
    ) throws(Errno) -> IndexEntry? {
        guard status.linkCount > 1, let index = work?.index else { return nil }
        let change = index.pendingChange(node.inode)
        // Links and devices take no `user.` attributes.
        try? copy.setAttribute(stack.marks.linkCount.cString, HardLinkIndex.noted(change))
        return IndexEntry(
            name: HardLinkIndex.name(origin: origin, inode: node.inode), lowerLinks: Int(status.linkCount),
            change: change)
    }

    /// Gives a finished copy its name: that of the node, and before it one in the index if the file has several names.
    private func putIntoPlace(
        _ node: Node, _ entry: IndexEntry?, isMetacopy: Bool = false,
        _ body: (borrowing Place) throws(Errno) -> Void
    ) throws(Errno) {
        try tree.read { () throws(Errno) in
            guard let link = node.link, !node.isRemoved else { throw .ESTALE }
            do throws(Errno) {
                if let entry, let index = work?.index {
                    try install(link, entry, index, body)
                    node.index = entry
                    index.dropPending(node.inode)
                } else {
                    try install(link, body)
                }
            } catch {
                // Removed in between: a whiteout is in its place.
                if error == .EEXIST { throw .ESTALE }
                throw error
            }
            node.set(isMetacopy ? [.upper, .metacopy] : .upper)
            if !isMetacopy { node.clear(.metacopy) }
        }
    }

    private func install(
        _ link: Link, _ entry: IndexEntry, _ index: HardLinkIndex, _ body: (borrowing Place) throws(Errno) -> Void
    ) throws(Errno) {
        let indexed = try index.place(entry)
        // What a crash may have left; a file that is in use would have been found there.
        try? indexed.directory.unlink(indexed.path)
        try body(indexed)
        do throws(Errno) {
            try install(link) { (target: borrowing Place) throws(Errno) in try indexed.makeLink(at: target) }
        } catch {
            try? indexed.directory.unlink(indexed.path)
            throw error
        }
        index.added()
    }

    // MARK: Links, devices, pipes, sockets

    private func copyUpOther(_ node: Node) throws(Errno) {
        let work = try writable().work
        let temporary = try work.temporary()
        let entry = try tree.read { () throws(Errno) -> IndexEntry? in
            let origin = try place(of: node)
            let status = try origin.status()
            let source = try origin.open(.path)
            if status.isSymbolicLink {
                let target = try origin.directory.readLink(origin.path)
                try withText(target) { (target: Text) throws(Errno) in
                    try temporary.directory.makeSymbolicLink(temporary.path, to: target.pointer)
                }
            } else {
                try temporary.directory.makeNode(
                    temporary.path, mode: status.mode & S_IFMT | 0o600, device: status.rawDevice)
            }
            do throws(Errno) {
                let copy = try temporary.open(.path)
                let origin = try copyAttributes(of: source, status, to: copy)
                return try indexEntry(node, status, origin, on: copy)
            } catch {
                work.discard(temporary)
                throw error
            }
        }
        do throws(Errno) {
            try putIntoPlace(node, entry) { (target: borrowing Place) throws(Errno) in
                try temporary.rename(to: target, .noReplace)
            }
        } catch {
            work.discard(temporary)
            throw error
        }
    }

    // MARK: Common

    /// Runs `body` with the place of a link in the upper layer; what that does to the parent's times is undone, because
    /// nobody has changed the directory. The caller holds the tree lock.
    private func install(_ link: Link, _ body: (borrowing Place) throws(Errno) -> Void) throws(Errno) {
        let parent = link.parent
        guard let upper = stack.upper else { throw .EROFS }
        let directory = try Place.upper(upper, parent)
        let before = try directory.status()
        try body(try Place.upper(upper, parent, link.text))
        // The object is there: whatever fails from here on must not look as if it were not.
        try? directory.directory.setTimes(
            of: directory.path, access: before.accessTime, modification: before.modificationTime)
        // The time of its last change has moved.
        kernel?.attributesChanged(parent)
        if !parent.flags.contains(.impure), !link.node.isDirectory {
            parent.set([.impure, .purityKnown])
            let yes: [UInt8] = [UInt8(ascii: "y")]
            try? setBytes(stack.marks.impure, yes, directory)
        }
    }

    func setBytes(_ name: StaticString, _ value: [UInt8], _ place: borrowing Place) throws(Errno) {
        try withText(value) { (text: Text) throws(Errno) in try place.setAttribute(name, text.bytes) }
    }

    /// Owner, mode, extended attributes, origin and times, in the order in which none undoes another. Returns the origin.
    @discardableResult
    func copyAttributes(
        of source: borrowing FileDescriptor, _ status: FileStatus, to copy: borrowing FileDescriptor
    ) throws(Errno) -> [UInt8]? {
        if status.uid != ownUser || status.gid != ownGroup {
            try setOwner(copy, uid: status.uid, gid: status.gid)
        }
        if !status.isSymbolicLink { try copy.setMode(status.permissions) }
        try copyExtendedAttributes(of: source, to: copy)
        // A directory finds its lower parts by its path.
        let origin = status.isDirectory ? nil : originValue(of: source)
        if let origin { try setOrigin(origin, on: copy) }
        let opensHandles = origin != nil && ownUser == 0 && !configuration.usesUserAttributes
        if !status.isDirectory && !opensHandles {
            if let layer = stack.lowers.first(where: { $0.device == status.device }) {
                noteOrigin(layer.inode(status.inode), links: status.linkCount, on: copy)
            }
        }
        try copy.setTimes(access: status.accessTime, modification: status.modificationTime)
        return origin
    }

    private func copyExtendedAttributes(
        of source: borrowing FileDescriptor, to copy: borrowing FileDescriptor
    ) throws(Errno) {
        // Most files have none, and asking for the size of the list is one cheap call.
        do throws(Errno) {
            if try source.attributeNames(into: UnsafeMutableRawBufferPointer(start: nil, count: 0)) == 0 { return }
        } catch {
            if error == .EOPNOTSUPP || error == .EPERM { return }
            throw error
        }
        let marks = stack.marks
        // The root of a user namespace may not write every attribute that it may read.
        let isPrivileged = ownUser == 0 && !configuration.usesUserAttributes
        try copy.copyAttributes(of: source, lenient: !isPrivileged) { name in
            var isWanted = false
            name.withUnsafeBufferPointer { buffer in
                guard let start = buffer.baseAddress else { return }
                let text = Text(start)
                // An escaped attribute is a program's; any other under the prefix belongs to the layer it is in.
                isWanted = !text.hasPrefix(marks.prefix) || text.hasPrefix(marks.escapedPrefix)
            }
            return isWanted ? name : nil
        }
    }
}
