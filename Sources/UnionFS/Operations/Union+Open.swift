internal import FUSE
internal import Linux

extension Union {
    /// What the reply to open or create says of the open file.
    struct Opened {
        var backing: BackingID?
        var flags: OpenReplyFlags = []
    }

    /// Opens a file. A lower file that may be written is copied up first; no lower file is ever opened for writing.
    ///
    /// ESTALE asks the kernel to look the name up again: the file was read through this node as a lower file, and the
    /// upper file is another node.
    func open(_ node: Node, _ flags: OpenFlags, by writer: Writer?) throws(Errno) -> Opened {
        if node.isDirectory { throw .EISDIR }
        // The kernel opens pipes and devices itself; here a pipe would wait for its other end.
        if node.type != .regular { throw .ENXIO }
        let writes = flags.canWrite || flags.contains(.truncate)
        if writes {
            _ = try writable()
            try unlessRemoved(node) { () throws(Errno) in
                try checkWritable(node, flags)
                let wasBelow = !node.isUpper
                try copyUp(node, .data(limit: flags.contains(.truncate) ? 0 : nil))
                if wasBelow { kernel?.attributesChanged(node) }
            }
        }
        let current = try upperFile(ofSuperseded: node)
        do throws(Errno) {
            let opened = try openPrepared(node, flags, by: writer, current)
            if opened.backing != nil && flags.canMapForWriting && !node.flags.contains(.mayBeMapped) {
                node.set(.mayBeMapped)
                kernel?.attributesChanged(node)
            }
            return opened
        } catch {
            if error == .ESTALE { waitForDroppedNames(of: node) }
            throw error
        }
    }

    /// Runs `body`, which needs the node's name, if it has one. Where the last one is removed meanwhile, what `body` threw
    /// for that is no error: the caller goes on with what is left of the file.
    func unlessRemoved(_ node: Node, _ body: () throws(Errno) -> Void) throws(Errno) {
        if node.isRemoved { return }
        do throws(Errno) {
            try body()
        } catch {
            if !node.isRemoved { throw error }
        }
    }

    private func openPrepared(
        _ node: Node, _ flags: OpenFlags, by writer: Writer?, _ current: SharedDescriptor?
    ) throws(Errno) -> Opened {
        try node.lock.with { () throws(Errno) -> Opened in
            // Also for a reader: it must see what is written from now on, which the lower file does not get.
            if !node.hasDataBelow && !node.isRemoved { try separateFromReaders(node) }
            let file = node.file ?? OpenFile()
            if file.count == 0 && file.backing == nil && file.descriptor == nil { try start(file, node) }
            node.file = file
            do throws(Errno) {
                try prepareRemoved(file, node, current, flags)
                if flags.contains(.truncate) { try truncateOpen(file, node, by: writer) }
            } catch {
                if file.count == 0 { close(file, of: node) }
                throw error
            }
            file.count += 1
            return opened(file)
        }
    }

    /// Before a file without a name is opened once more: through /proc, by its handle, or under a name that leads to its
    /// successor, whose file is `current`, once the kernel looks it up again. No lower file may be written through what
    /// its readers have open, and the kernel takes nothing else beside that.
    private func prepareRemoved(
        _ file: OpenFile, _ node: Node, _ current: SharedDescriptor?, _ flags: OpenFlags
    ) throws(Errno) {
        guard node.isRemoved else { return }
        let writes = flags.canWrite || flags.contains(.truncate)
        if writes || current != nil, file.isLower, let backing = file.backing {
            if file.count > 0 {
                if current != nil && !node.flags.contains(.namesDropped) { throw .ESTALE }
                // Whoever comes through /proc to read gets what those have who read already.
                if writes { throw .ETXTBSY }
                return
            }
            backings?.close(backing)
            file.backing = nil
        }
        if let current {
            file.descriptor = current
            file.isLower = false
        } else if writes {
            _ = try changeableRemains(of: node, .data(limit: flags.contains(.truncate) ? 0 : nil))
        }
    }

    /// The kernel opens a backing file by itself, and makes EIO of whatever that fails with: of a file system that has become
    /// read-only, of a file that is immutable. What is copied up or truncated first fails by itself.
    private func checkWritable(_ node: Node, _ flags: OpenFlags) throws(Errno) {
        if backings == nil || node.hasDataBelow || flags.contains(.truncate) { return }
        try withObject(node) { (place: borrowing Place) throws(Errno) in try place.directory.checkWritable(place.path) }
    }

    private func opened(_ file: OpenFile) -> Opened {
        if let backing = file.backing { return Opened(backing: backing) }
        // What the kernel has cached of an upper file is older than what others wrote through a backing file.
        let isCurrent = file.isLower || backings == nil
        return Opened(flags: isCurrent ? [.keepCache, .parallelDirectWrites] : .parallelDirectWrites)
    }

    /// The first open of a node. The node's lock is held.
    private func start(_ file: OpenFile, _ node: Node) throws(Errno) {
        if node.isRemoved { return try startRemoved(file, node) }
        try settleData(node)
        if node.flags.contains([.cached, .stored]) && node.hasDataBelow {
            file.isLower = true
            return
        }
        let (descriptor, isLower) = try tree.read { () throws(Errno) -> (SharedDescriptor?, Bool) in
            let isLower = node.hasDataBelow
            let place = try dataPlace(of: node)
            if try isCached(node, place) {
                try storeSmall(node, place)
                return (nil, isLower)
            }
            return (try openObject(place, isLower: isLower), isLower)
        }
        file.isLower = isLower
        // A cached file is opened when the kernel asks for its bytes.
        if let descriptor { use(descriptor, in: file) }
    }

    /// The first open of a file without a name of which the upper layer has the attributes alone. Any other is open.
    private func startRemoved(_ file: OpenFile, _ node: Node) throws(Errno) {
        guard file.metadata != nil, let data = node.data else { throw .ESTALE }
        file.isLower = true
        file.descriptor = SharedDescriptor(try data.place().open(.readOnly), canWrite: false)
    }

    /// Lets the kernel read and write the file by itself if it can; keeps it open if not.
    private func use(_ descriptor: SharedDescriptor, in file: OpenFile) {
        file.backing = backings?.register(descriptor.value)
        file.descriptor = file.backing == nil ? descriptor : nil
        file.isWritable = descriptor.canWrite
    }

    /// Upper files are opened for writing even by a reader, because all opens share what is opened here. A lower file never
    /// is.
    private func openObject(_ place: borrowing Place, isLower: Bool) throws(Errno) -> SharedDescriptor {
        if isLower || configuration.isReadOnly || backings != nil {
            return SharedDescriptor(try place.open(.readOnly), canWrite: false)
        }
        do throws(Errno) {
            return SharedDescriptor(try place.open(.readWrite), canWrite: true)
        } catch {
            if error != .EACCES && error != .EPERM && error != .EROFS && error != .ETXTBSY { throw error }
            return SharedDescriptor(try place.open(.readOnly), canWrite: false)
        }
    }

    private func openUpper(_ node: Node) throws(Errno) -> SharedDescriptor {
        try tree.read { () throws(Errno) in
            SharedDescriptor(try place(of: node).open(.readWrite), canWrite: true)
        }
    }

    private func truncateOpen(_ file: OpenFile, _ node: Node, by writer: Writer?) throws(Errno) {
        if let descriptor = file.descriptor, descriptor.canWrite {
            try descriptor.value.truncate(to: 0)
            try dropPrivileges(of: node, open: descriptor, for: writer)
            return
        }
        try withObject(node) { (place: borrowing Place) throws(Errno) in
            try place.open(.writeOnly).truncate(to: 0)
            try dropPrivileges(of: node, place, for: writer)
        }
    }

    /// Before a change of data: where the kernel has the lower file open through this node, the upper file becomes another
    /// node, and ESTALE makes the kernel look it up. The node's lock is held, the tree lock is not.
    func separateFromReaders(_ node: Node) throws(Errno) {
        guard let file = node.file, file.isLower else { return }
        if file.count == 0 { return close(file, of: node) }
        if file.backing == nil {
            // Readers go on with the upper file.
            file.descriptor = try openUpper(node)
            file.isLower = false
            return
        }
        var names: [KnownName] = []
        try tree.write { () throws(Errno) in
            if node.isRemoved { throw .ESTALE }
            names = table.names(of: node)
            if file.descriptor == nil, let data = node.data {
                file.descriptor = SharedDescriptor(try data.place().open(.readOnly), canWrite: false)
            }
            file.successor = table.replace(node)
            file.isUnlinked = false
            node.set([.removed, .superseded])
        }
        kernel?.attributesChanged(node)
        kernel?.drop(names, of: node)
        throw .ESTALE
    }

    func lowerPart(of node: Node) -> LowerPart? {
        guard let directory = node.link?.parent.directory else { return nil }
        return directory.lock.with { directory.lowers.first { $0.layer == node.lowerLayer } }
    }

    /// One open file of the kernel's has gone.
    func release(_ node: Node) {
        let isIdle = node.lock.with { () -> Bool in
            guard let file = node.file else { return false }
            file.count -= 1
            if file.count > 0 { return false }
            let mayStay = file.backing != nil && file.descriptor == nil && !file.isWritable
            if mayStay && !node.isRemoved && node.flags.contains(.listed) {
                defer { file.isQueued = true }
                return !file.isQueued
            }
            close(file, of: node)
            return false
        }
        guard isIdle, let backings, let other = backings.becameIdle(node) else { return }
        other.lock.with {
            guard let file = other.file else { return }
            file.isQueued = false
            if file.count <= 0 { close(file, of: other) }
        }
    }

    private func close(_ file: OpenFile, of node: Node) {
        if let backing = file.backing { backings?.close(backing) }
        file.backing = nil
        // What has no name is reached through its descriptor as long as the kernel knows it.
        if !node.isRemoved {
            file.descriptor = nil
            node.file = nil
        }
    }

    /// The node has left the table.
    func release(everythingOf node: Node) {
        let successor = node.lock.with { () -> Node? in
            if let backing = node.file?.backing { backings?.close(backing) }
            defer { node.file = nil }
            return node.file?.successor
        }
        if let successor { forget(successor.id, count: 1) }
        if let directory = node.directory { listings.drop(directory) }
    }

    /// What is open of a node, or a descriptor opened for this one call. `write` asks for one that can write.
    func descriptor(of node: Node, write: Bool) throws(Errno) -> SharedDescriptor {
        let shared = node.lock.with { node.file?.descriptor }
        if let shared, shared.canWrite || !write { return shared }
        if node.type != .regular { throw node.isDirectory ? .EISDIR : .EINVAL }
        if write && node.hasDataBelow { throw .EBADF }
        let opened = try tree.read { () throws(Errno) in
            SharedDescriptor(try dataPlace(of: node).open(write ? .readWrite : .readOnly), canWrite: write)
        }
        return write ? opened : keepCached(opened, of: node)
    }

    /// A cached lower file that is read once is read again: it stays open as long as somebody has it open.
    private func keepCached(_ opened: SharedDescriptor, of node: Node) -> SharedDescriptor {
        node.lock.with {
            guard let file = node.file, file.isLower, file.count > 0, file.backing == nil else { return opened }
            if let known = file.descriptor { return known }
            file.descriptor = opened
            return opened
        }
    }

    /// A file that has just been made and is open. `node` is not known to anybody else yet.
    func adopt(_ descriptor: consuming FileDescriptor, for node: Node, _ flags: OpenFlags) -> Opened {
        let shared = SharedDescriptor(descriptor, canWrite: true)
        if backings != nil && flags.canMapForWriting { node.set(.mayBeMapped) }
        return node.lock.with {
            let file = node.file ?? OpenFile()
            file.count += 1
            use(shared, in: file)
            if node.isRemoved { file.descriptor = shared }
            node.file = file
            return opened(file)
        }
    }
}
