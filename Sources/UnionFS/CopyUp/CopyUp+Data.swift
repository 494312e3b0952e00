internal import FUSE
internal import Linux

/// How much of an object is to be in the upper layer.
enum CopyUpExtent {
    /// Its attributes: the data may stay where they are.
    case attributes
    /// Its data too, up to so many bytes; all with nil.
    case data(limit: Int64? = nil)

    var wantsData: Bool {
        if case .data = self { return true }
        return false
    }

    /// How many of `size` bytes are to be copied.
    func count(of size: Int64) -> Int64 {
        if case .data(let limit?) = self { return min(size, max(limit, 0)) }
        return size
    }
}

// Copying the data of a file whose attributes are in the upper layer already.
extension Union {
    /// Copies the data of a file of attributes. From then on the upper file is complete, and the mark goes: a crash before
    /// that leaves the file what it was. The node's lock is held, the tree lock is not.
    func completeData(_ node: Node, _ extent: CopyUpExtent) throws(Errno) {
        guard node.isUpper, node.isMetacopy else { return }
        _ = try writable()
        var copy = FileDescriptor(owning: -1)
        let source = try tree.read { () throws(Errno) -> FileDescriptor in
            copy = try place(of: node).open(.writeOnly)
            return try dataPlace(of: node).open(.readOnly)
        }
        try complete(copy, from: source, extent)
        try copy.removeAttribute(stack.marks.metacopy.cString)
        node.clear(.metacopy)
    }

    /// Gives an upper file its data, which changes nothing else that can be seen of it.
    func complete(
        _ copy: borrowing FileDescriptor, from source: borrowing FileDescriptor, _ extent: CopyUpExtent
    ) throws(Errno) {
        let before = try copy.status()
        let capability = try copy.attribute(Self.capabilityName.cString)
        let size = extent.count(of: before.size)
        do throws(Errno) {
            if size > 0 { try copy.copyContents(of: source, size: size) }
            // Cloning takes the whole file. A crash behind this leaves a marked file smaller than its data, and that means
            // that it is complete: see `noteData`.
            if size < before.size { try copy.truncate(to: size) }
            // Or a loss of power could keep the removal of the mark and not the data.
            if size > 0 && !configuration.ignoresSync { try copy.sync(dataOnly: true) }
            try restore(before, capability, on: copy)
        } catch {
            // What was copied takes room and is not used. (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
            try? copy.allocate(mode: 3, offset: 0, length: max(before.size, 1))
            try? copy.truncate(to: before.size)
            try? restore(before, capability, on: copy)
            throw error
        }
    }

    /// Whether a file of that mode can be one of attributes alone: whoever is not root needs the right to read and write it to
    /// see and set its marks.
    func mayKeepData(_ mode: UInt32) -> Bool { ownUser == 0 || mode & 0o600 == 0o600 }

    static let capabilityName: StaticString = "security.capability"

    /// Writing has changed the times, and taken file capabilities and, from a server that is not root, set-id bits away.
    private func restore(
        _ before: FileStatus, _ capability: [UInt8]?, on copy: borrowing FileDescriptor
    ) throws(Errno) {
        if try copy.status().mode != before.mode { try copy.setMode(before.permissions) }
        if let capability { try copy.setAttribute(Self.capabilityName.cString, capability) }
        try copy.setTimes(access: before.accessTime, modification: before.modificationTime)
    }

    // MARK: Names

    /// Before a file of attributes gets another name: notes on it where the layers below have it, or copies the data if that
    /// cannot be noted. Nothing is to be done for anything else.
    ///
    /// - Parameter name: the name that it is about to lose, with its directory; any of its names if it keeps them all.
    func anchor(_ node: Node, under name: (parent: Node, name: Text)? = nil) throws(Errno) {
        guard node.isMetacopy, node.isUpper, !node.isRemoved else { return }
        try node.lock.with { () throws(Errno) in
            guard node.isMetacopy, node.data != nil else { return }
            do throws(Errno) {
                if try tree.read({ () throws(Errno) in try noteRedirect(node, name) }) { return }
            } catch {
                // A path that is too long for an attribute.
                if error != .ENOSPC && error != .ERANGE && error != .E2BIG { throw error }
            }
            try completeData(node, .data())
        }
    }

    /// Whether the file says where its data are.
    private func noteRedirect(_ node: Node, _ name: (parent: Node, name: Text)?) throws(Errno) -> Bool {
        guard let name = name ?? node.link.map({ ($0.parent, $0.text) }) else { throw .ESTALE }
        let place = try place(of: node)
        let known = try place.attribute(stack.marks.redirect)
        let slash = UInt8(ascii: "/")
        if known?.first == slash { return true }
        guard let directory = name.parent.directory,
            let above = directory.pathBelow ?? directory.lock.with({ directory.lowers.first?.path })
        else { return false }
        let path = UnsafeBufferPointer(start: above.pointer, count: above.length).map { UInt8(bitPattern: $0) }
        let last = known ?? Array(name.name.bytes)
        try setBytes(stack.marks.redirect, (path.isEmpty ? [] : [slash] + path) + [slash] + last, place)
        return true
    }
}
