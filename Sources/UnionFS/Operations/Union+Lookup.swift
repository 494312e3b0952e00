internal import FUSE
internal import Linux

extension Union {
    /// Longest name in a directory (NAME_MAX).
    static let longestName = 255

    /// ENAMETOOLONG for a name that no layer could hold.
    func checkLength(_ name: Text) throws(Errno) {
        if name.length > Self.longestName { throw .ENAMETOOLONG }
    }

    /// What a program may not make: markers would hide files (see `Marks`).
    func checkCreatable(_ name: Text) throws(Errno) {
        try checkLength(name)
        if Marks.isMarker(name) { throw .EINVAL }
    }

    /// Finds a name in a directory and counts a lookup of its node. Nil where there is none.
    func lookup(_ parent: Node, _ name: Text) throws(Errno) -> Entry? {
        try checkLength(name)
        if stack.marks.isMarkerHere(name) { return nil }
        return try tree.read { () throws(Errno) -> Entry? in try lookupLocked(parent, name) }
    }

    /// As above, in the directory of a number. The kernel asks for "." and ".." of any node when somebody comes with a file
    /// handle of something that it has forgotten; ESTALE where that has gone. It asks for "/" when an overlay that lies on
    /// this mount has an object by its handle alone: that is what the kernel calls an object whose name it does not know.
    func lookup(_ id: NodeID, _ name: Text) throws(Errno) -> Entry? {
        let isDot = name.equals(".") || name.equals("/")
        guard isDot || name.equals("..") else { return try lookup(try node(id), name) }
        var node = try table.numbers.hold(id)
        do throws(Errno) {
            if !isDot {
                let parent = try tree.read { () throws(Errno) -> Node in
                    guard let parent = node.isRoot ? node : node.link?.parent else { throw .ESTALE }
                    return try table.numbers.hold(parent.id)
                }
                forget(node.id, count: 1)
                node = parent
            }
            return try tree.read { () throws(Errno) in entry(of: node, try attributes(of: node)) }
        } catch {
            forget(node.id, count: 1)
            throw error == .ENOENT ? .ESTALE : error
        }
    }

    /// `lookup` for a caller that holds the tree lock.
    func lookupLocked(_ parent: Node, _ name: Text) throws(Errno) -> Entry? {
        if let node = table.find(parent, name, counting: true) {
            do throws(Errno) {
                return entry(of: node, try attributes(of: node))
            } catch {
                forget(node.id, count: 1)
                if error != .ENOENT { throw error }
                return nil
            }
        }
        guard let found = try probe(parent, name) else { return nil }
        let node = table.enter(parent, name, found.description)
        return entry(of: node, try attributes(of: node, found.status))
    }

    /// What is on disk under a name.
    struct Found {
        var status: FileStatus
        var description: NodeTable.Description
    }

    /// Looks for a name in the layers. The caller holds the tree lock.
    func probe(_ parent: Node, _ name: Text) throws(Errno) -> Found? {
        if parent.isRemoved { throw .ENOENT }
        if parent.isUpper, let upper = stack.upper {
            let place = try Place.upper(upper, parent, name)
            if let status = try place.statusIfPresent() {
                if status.isWhiteout { return nil }
                return try foundUpper(parent, name, place, status)
            }
        }
        let (lowers, upperHasMarkers) = try searchable(parent)
        if lowers.isEmpty { return nil }
        if upperHasMarkers && parent.isUpper, let upper = stack.upper {
            let hidden = try LayerStack.isMarked(name) { (marker: Text) throws(Errno) in
                try Place.upper(upper, parent, marker).statusIfPresent() != nil
            }
            if hidden { return nil }
        }
        guard case .found(let index, let status) = try stack.find(name, in: lowers) else { return nil }
        guard var found = foundLower(parent, lowers, index, name, status) else { return nil }
        if found.description.hasSeveralNames, let work,
            let (entry, status) = try indexed(stack.place(lowers[index], name), status)
        {
            found.description.index = entry
            found.description.flags.insert(.upper)
            found.status = status
            let place = try work.index.place(entry)
            if try stack.marks.isMetacopy(at: place) { try noteData(of: name, in: parent, place, &found) }
        } else {
            try noteData(of: name, in: lowers, at: index, &found)
        }
        return found
    }

    private func foundLower(
        _ parent: Node, _ lowers: [LowerPart], _ index: Int, _ name: Text, _ status: FileStatus
    ) -> Found? {
        let part = lowers[index]
        guard let layer = stack.lower(part.layer) else { return nil }
        var description = NodeTable.Description(
            inode: layer.inode(status.inode), type: status.type, flags: [], lowerLayer: part.layer)
        if status.isDirectory {
            let path = LowerPath(parent: part.path, name: name.pointer, length: name.length)
            // Parts further down are looked for when they are needed. Only in the lowest layer there are none for certain:
            // elsewhere the directory may have been renamed, and go on under another name (a redirect).
            let isLowest = Int(part.layer) >= stack.lowers.count
            let mayMerge = index + 1 < lowers.count
            description.directory = DirectoryState(
                lowers: [LowerPart(layer: part.layer, path: path)], isResolved: isLowest, mayMerge: mayMerge,
                pathBelow: pathBelow(parent, name, unless: path))
        } else {
            description.hasSeveralNames = status.linkCount > 1
            if backings != nil && status.isRegular {
                description.flags.formUnion(caching(of: status, in: parent))
            }
        }
        return Found(status: status, description: description)
    }

    private func foundUpper(
        _ parent: Node, _ name: Text, _ place: borrowing Place, _ status: FileStatus
    ) throws(Errno) -> Found {
        var description = NodeTable.Description(
            inode: place.layer.inode(status.inode), type: status.type, flags: .upper)
        guard status.isDirectory else {
            description.hasSeveralNames = status.linkCount > 1
            let marks = status.isRegular ? try stack.marks.file(at: place) : Marks.File(hasOrigin: true)
            if marks.hasOrigin, let origin = try origin(of: place, status) {
                description.inode = origin.inode
                if status.linkCount > 1 { description.index = try indexed(origin, status) }
            }
            var found = Found(status: status, description: description)
            if marks.isMetacopy { try noteData(of: name, in: parent, place, &found) }
            return found
        }
        var parts: [LowerPart] = []
        let marks = try stack.marks.directory(at: place)
        if !marks.isOpaque {
            let parents = try lowers(of: parent)
            if !parents.isEmpty || marks.redirect != nil {
                parts = try stack.parts(of: name, in: parents, redirect: marks.redirect)
            }
        }
        if let first = parts.first, let layer = stack.lower(first.layer) {
            description.inode = layer.inode(try stack.place(first).status().inode)
            description.lowerLayer = first.layer
        }
        if marks.isImpure { description.flags.insert(.impure) }
        description.flags.insert(.purityKnown)
        description.directory = DirectoryState(
            lowers: parts, isResolved: true, mayMerge: !parts.isEmpty,
            pathBelow: try pathBelow(parent, name, redirect: marks.redirect, unless: parts.first?.path))
        return Found(status: status, description: description)
    }

    /// See `DirectoryState.pathBelow`: nil where it is `path`.
    private func pathBelow(_ parent: Node, _ name: Text, unless path: LowerPath?) -> LowerPath? {
        guard let path, let directory = parent.directory,
            let above = directory.pathBelow ?? directory.lock.with({ directory.lowers.first?.path })
        else { return nil }
        let below = LowerPath(parent: above, name: name.pointer, length: name.length)
        return below.equals(path) ? nil : below
    }

    private func pathBelow(
        _ parent: Node, _ name: Text, redirect: [UInt8]?, unless path: LowerPath?
    ) throws(Errno) -> LowerPath? {
        guard let path else { return nil }
        switch try OverlayRedirect(redirect ?? []) {
        case nil: return pathBelow(parent, name, unless: path)
        case .name(let name): return try withText(name) { (name: Text) in pathBelow(parent, name, unless: path) }
        case .path(let names):
            let below = Array(names.joined(separator: [UInt8(ascii: "/")])).withUnsafeBytes { LowerPath(bytes: $0) }
            return below.equals(path) ? nil : below
        }
    }

    /// Whether a name exists in the lower parts of a directory, and not only as a whiteout: then removing it from the
    /// upper layer needs a whiteout. The caller holds the tree lock.
    func existsBelow(_ parent: Node, _ name: Text) throws(Errno) -> Bool {
        let lowers = try searchable(parent).lowers
        if lowers.isEmpty { return false }
        if case .found = try stack.find(name, in: lowers) { return true }
        return false
    }
}
