internal import FUSE
internal import Linux

/// Where in a lower layer the data of a file are whose own object, in a layer above, holds nothing but its attributes.
///
/// Such a file is sparse, has the right size and is marked (`Marks.metacopy`). Its data are under the same name further
/// down, or where its redirect says: "Metadata only copy up" in the kernel's Documentation/filesystems/overlayfs.rst.
final class DataFile: Sendable {
    let layer: Layer
    let path: LowerPath
    /// Size in bytes.
    let size: Int64
    /// Allocated 512-byte units, which is what the union shows of the file.
    let blocks: Int64

    init(layer: Layer, path: LowerPath, status: FileStatus) {
        self.layer = layer
        self.path = path
        size = status.size
        blocks = status.blocks
    }

    func place() throws(Errno) -> Place { try .lower(layer, path) }
}

extension LayerStack {
    /// Finds the data of a file of which only the attributes have been seen. EIO where there are none.
    ///
    /// - Parameters:
    ///   - name: the file's name in the directory of the given lower parts.
    ///   - layer: index of the layer that has the attributes, 0 for the upper one: only those below it count.
    ///   - redirect: what the object with the attributes says of its place below.
    func data(
        of name: Text, in parents: [LowerPart], below layer: Int, redirect: [UInt8]?
    ) throws(Errno) -> DataFile {
        var current: [UInt8]?
        switch try OverlayRedirect(redirect ?? []) {
        case .path(let path): return try data(absolute: path, below: layer)
        case .name(let name): current = name
        case nil: break
        }
        for part in parents where Int(part.layer) > layer {
            let step = try Self.withName(current, name) { (name: Text) throws(Errno) in
                try self.dataStep(name, part)
            }
            switch step {
            case .absent: continue
            case .blocked: throw .EIO
            case .data(let file): return file
            case .attributes(let redirect):
                switch try OverlayRedirect(redirect ?? []) {
                case .path(let path): return try data(absolute: path, below: Int(part.layer))
                case .name(let name): current = name
                case nil: break
                }
            }
        }
        throw .EIO
    }

    private enum DataStep {
        case absent
        case blocked
        case data(DataFile)
        case attributes(redirect: [UInt8]?)
    }

    private func dataStep(_ name: Text, _ part: LowerPart) throws(Errno) -> DataStep {
        guard let layer = lower(part.layer) else { throw .EIO }
        let place = try Place.lower(layer, part.path, name)
        guard let status = try place.statusIfPresent() else {
            return try hasMarker(part, name) ? .blocked : .absent
        }
        guard status.isRegular else { return .blocked }
        if part.hasWhiteoutFiles, try marks.isWhiteoutFile(place.path, in: place.directory, status) { return .blocked }
        if try marks.isMetacopy(at: place) { return .attributes(redirect: try place.attribute(marks.redirect)) }
        let path = LowerPath(parent: part.path, name: name.pointer, length: name.length)
        return .data(DataFile(layer: layer, path: path, status: status))
    }

    /// The data under a path from the root, in the layers after index `layer` and then in those that hold only data.
    private func data(absolute components: [[UInt8]], below layer: Int) throws(Errno) -> DataFile {
        guard let leaf = components.last else { throw .EIO }
        var parents: [LowerPart] = []
        if components.count == 1 {
            for lower in lowers where lower.index > layer {
                parents.append(LowerPart(layer: UInt16(clamping: lower.index), path: .root))
            }
        } else {
            try append(absolute: components.dropLast(), below: layer, to: &parents)
        }
        do throws(Errno) {
            return try withText(leaf) { (name: Text) throws(Errno) in
                try data(of: name, in: parents, below: layer, redirect: nil)
            }
        } catch {
            if error != .EIO { throw error }
        }
        for layer in dataLayers {
            if let file = try data(at: components, in: layer) { return file }
        }
        throw .EIO
    }

    /// A regular file at a path of a layer that holds only data; no component may be a link.
    private func data(at components: [[UInt8]], in layer: Layer) throws(Errno) -> DataFile? {
        var joined: [UInt8] = []
        for (position, component) in components.enumerated() {
            joined += (joined.isEmpty ? [] : [UInt8(ascii: "/")]) + component
            let place = try withText(joined) { (text: Text) throws(Errno) in try Place.plain(layer, text) }
            guard let status = try place.statusIfPresent() else { return nil }
            if position + 1 < components.count {
                if !status.isDirectory { return nil }
            } else if status.isRegular {
                return DataFile(layer: layer, path: joined.withUnsafeBytes { LowerPath(bytes: $0) }, status: status)
            }
        }
        return nil
    }
}

extension Union {
    /// Where the node's data are: its own place, but for a file of which only the attributes are there. The caller holds
    /// the tree lock.
    func dataPlace(of node: Node) throws(Errno) -> Place {
        guard node.isMetacopy else { return try place(of: node) }
        // As the kernel refuses to follow them with `metacopy=off`.
        guard configuration.usesMetacopy else { throw .EPERM }
        guard let data = node.data else { throw .EIO }
        return try data.place()
    }

    /// Finds out whether a lower file holds only attributes: before its data are used for the first time, because the
    /// question would make every lookup dearer. The node's lock is held, the tree lock is not.
    func settleData(_ node: Node) throws(Errno) {
        if node.isUpper || node.isMetacopy || node.flags.contains(.metacopyKnown) { return }
        try tree.read { () throws(Errno) in
            let place = try place(of: node)
            var flags: Node.Flags = .metacopyKnown
            if try stack.marks.isMetacopy(at: place), let link = node.link {
                let parts = try searchable(link.parent).lowers
                node.data = try dataBelow(link.text, in: parts, below: Int(node.lowerLayer), place)
                flags.insert(.metacopy)
            }
            node.set(flags)
        }
    }

    /// Adds what a lookup of a lower file can tell of it for one look at its size: a file of attributes alone is sparse, and
    /// the union shows how much its data take.
    func noteData(
        of name: Text, in parts: [LowerPart], at index: Int, _ found: inout Found
    ) throws(Errno) {
        let status = found.status
        guard status.isRegular, status.size > 0, status.allocatedSize < status.size else { return }
        let place = try stack.place(parts[index], name)
        found.description.flags.insert(.metacopyKnown)
        guard try stack.marks.isMetacopy(at: place) else { return }
        found.description.flags.insert(.metacopy)
        found.description.data = try dataBelow(name, in: parts, below: Int(parts[index].layer), place)
    }

    /// The data of a file at `place`, which are in the given parts or where its redirect leads; nil where they are not. Then
    /// the file can still be looked at and removed.
    func dataBelow(
        _ name: Text, in parts: [LowerPart], below layer: Int, _ place: borrowing Place
    ) throws(Errno) -> DataFile? {
        do throws(Errno) {
            let redirect = try place.attribute(stack.marks.redirect)
            return try stack.data(of: name, in: parts, below: layer, redirect: redirect)
        } catch {
            if error == .EIO { return nil }
            throw error
        }
    }

    /// Adds to what was found of a file whose mark says that its data are not with it where they are. `name` is one of its
    /// names, `place` its object in the upper layer or the index.
    func noteData(
        of name: Text, in parent: Node, _ place: borrowing Place, _ found: inout Found
    ) throws(Errno) {
        let data = try dataBelow(name, in: try searchable(parent).lowers, below: 0, place)
        // A smaller size was given to it when the data had been copied already, and then the mount broke down: see
        // `complete`. The kernel's files are always of the size of their data.
        if let data, found.status.size < data.size, work != nil {
            try place.removeAttribute(stack.marks.metacopy)
            return
        }
        found.description.flags.insert(.metacopy)
        found.description.data = data
    }
}
