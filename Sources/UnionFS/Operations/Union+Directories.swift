internal import FUSE
internal import Glibc
internal import Linux

extension Union {
    /// The entries of a directory, from memory or read now. The caller holds the tree lock.
    func entries(of node: Node) throws(Errno) -> MergedDirectory {
        let state = try state(of: node)
        if let listing = state.lock.with({ state.listing }) { return listing }
        let (lowers, upperHasMarkers) = try searchable(node)
        let isUpper = node.isUpper && stack.upper != nil
        var builder = MergedDirectoryBuilder(partCount: lowers.count + (isUpper ? 1 : 0))
        if isUpper, let upper = stack.upper {
            let part = Part(number: 0, hasMarkers: upperHasMarkers && stack.marks.readsForeign, hasWhiteoutFiles: false)
            try add(try Place.upper(upper, node), part, to: &builder)
        }
        for index in lowers.indices {
            let part = Part(
                number: index + 1, hasMarkers: stack.marks.readsForeign,
                hasWhiteoutFiles: lowers[index].hasWhiteoutFiles)
            try add(try stack.place(lowers[index]), part, to: &builder)
        }
        let listing = builder.finish()
        listings.keep(listing, for: state)
        return listing
    }

    /// A part of a directory that is read.
    private struct Part {
        /// 0: the upper one; else index into the lower ones plus 1.
        var number: Int
        var hasMarkers: Bool
        var hasWhiteoutFiles: Bool
    }

    private func add(
        _ place: borrowing Place, _ part: Part, to builder: inout MergedDirectoryBuilder
    ) throws(Errno) {
        let directory = try place.open([.readOnly, .directory])
        let layer = place.layer
        var markers: [[CChar]] = []
        var gathering = builder
        try directory.forEachEntry { (entry: DirectoryEntry) throws(Errno) in
            let name = Text(entry.name, length: entry.nameLength)
            if part.hasMarkers && entry.name[0] == 46 && Marks.isMarker(name) {
                let prefix = Marks.markerPrefix.utf8CodeUnitCount
                if !name.equals(Marks.opaqueMarker) { markers.append(Array(entry.bytes.dropFirst(prefix))) }
                return true
            }
            var type = entry.type?.directoryEntryType ?? 0
            var isWhiteout = false
            if entry.type == .characterDevice {
                if work?.isSharedWhiteout(entry.inode) == true && part.number == 0 {
                    isWhiteout = true
                } else {
                    isWhiteout = try directory.status(of: entry.name).isWhiteout
                }
            } else if entry.type == nil {
                let status = try directory.status(of: entry.name)
                isWhiteout = status.isWhiteout
                type = status.type.directoryEntryType
            }
            if part.hasWhiteoutFiles && !isWhiteout {
                let status = try directory.status(of: entry.name)
                isWhiteout = try stack.marks.isWhiteoutFile(entry.name, in: directory, status)
            }
            gathering.add(name, inode: layer.inode(entry.inode), type: type, part: part.number, isWhiteout: isWhiteout)
            return true
        }
        // They hide names of the layers below, not of their own.
        for marker in markers {
            marker.withUnsafeBufferPointer { buffer in
                guard let start = buffer.baseAddress else { return }
                let name = Text(start, length: buffer.count - 1)
                gathering.add(name, inode: 0, type: 0, part: part.number, isWhiteout: true)
            }
        }
        builder = gathering
    }

    /// A name has come into the upper part of a directory, or is something else now. `place` is where it is; it is only
    /// looked at, unless its status is known, where the entries are in memory.
    func entryAdded(_ node: Node, _ name: Text, _ place: borrowing Place, _ known: FileStatus? = nil) {
        guard let directory = node.directory, directory.lock.with({ directory.listing != nil }) else { return }
        var status = known
        if status == nil { status = try? place.status() }
        guard let status else { return listings.drop(directory) }
        let inode = place.layer.inode(status.inode)
        listings.update(directory) { $0.adding(name, inode: inode, type: status.type.directoryEntryType) }
    }

    /// A name has gone.
    func entryRemoved(_ node: Node, _ name: Text) {
        guard let directory = node.directory else { return }
        listings.update(directory) { $0.removing(name) }
    }

    /// Fills a readdir reply with entries after an offset; with `plus` each is looked up as well.
    func readdir(
        _ node: Node, after offset: Int64, plus: Bool, into buffer: inout DirectoryBuffer
    ) throws(Errno) {
        let state = try state(of: node)
        if node.isRemoved { return }
        try tree.read { () throws(Errno) in
            if offset < 2, try !addDots(node, after: offset, plus, &buffer) { return }
            let listing = try entries(of: node)
            let lowers = state.lock.with { state.lowers }
            let filling = Filling(
                parent: node, lookupEnd: plus ? listing.offset(ofEntry: Self.lookupLimit) : 0,
                isPlus: plus, mayHideNumbers: try mayHideNumbers(node, lowers))
            try listing.forEach(after: max(offset, 2)) { (item, name) throws(Errno) in
                try fill(&buffer, item, name, filling)
            }
        }
    }

    /// So many entries of a directory are looked up for who only lists it: in most directories all, which spares `ls -l` and
    /// `find` a question for each. In a larger one that would take longer than to list it.
    private static let lookupLimit = 10_240

    /// What the entries of one reply have in common.
    private struct Filling {
        let parent: Node
        /// Entries before this offset are looked up.
        let lookupEnd: Int64
        /// Whether the reply has room for what was looked up.
        let isPlus: Bool
        let mayHideNumbers: Bool
    }

    private func addDots(
        _ node: Node, after offset: Int64, _ plus: Bool, _ buffer: inout DirectoryBuffer
    ) throws(Errno) -> Bool {
        let parent = node.link?.parent ?? node
        let dots: [(number: Int, inode: UInt64, name: StaticString)] = [(1, node.inode, "."), (2, parent.inode, "..")]
        for (number, inode, name) in dots where number > offset {
            let added =
                plus
                ? buffer.append(
                    name: name.text, entry: nil, inode: shownNumber(inode), type: .directory,
                    nextOffset: Int64(number))
                : buffer.append(
                    name: name.text, inode: shownNumber(inode), type: .directory, nextOffset: Int64(number))
            if !added { return false }
        }
        return true
    }

    /// Whether names in the upper part of a directory may be those of objects that had their numbers from a lower layer.
    private func mayHideNumbers(_ node: Node, _ lowers: [LowerPart]) throws(Errno) -> Bool {
        guard node.isUpper, let upper = stack.upper else { return false }
        if !lowers.isEmpty { return true }
        if !node.flags.contains(.purityKnown) {
            let marks = try stack.marks.directory(at: try Place.upper(upper, node))
            node.set(marks.isImpure ? [.impure, .purityKnown] : .purityKnown)
        }
        return node.flags.contains(.impure)
    }

    private func fill(
        _ buffer: inout DirectoryBuffer, _ item: borrowing MergedDirectory.Item, _ name: Text, _ filling: Filling
    ) throws(Errno) -> Bool {
        let type = FileType(rawValue: UInt32(item.type) << 12)
        guard item.offset < filling.lookupEnd else {
            var inode = item.inode
            if item.part == 0 && filling.mayHideNumbers { inode = try number(filling.parent, name) ?? inode }
            inode = shownNumber(inode)
            return filling.isPlus
                ? buffer.append(name: name, entry: nil, inode: inode, type: type, nextOffset: item.offset)
                : buffer.append(name: name, inode: inode, type: type, nextOffset: item.offset)
        }
        guard buffer.hasRoom(forNameOfLength: name.length) else { return false }
        guard let entry = try lookup(item, name, filling) else { return true }
        let added = buffer.append(
            name: name, entry: entry, inode: entry.attributes.inode, type: type, nextOffset: item.offset)
        if !added { forget(entry.node, count: 1) }
        return added
    }

    /// The number of an upper entry, as a lookup would tell it.
    private func number(_ parent: Node, _ name: Text) throws(Errno) -> UInt64? {
        if let node = table.find(parent, name, counting: false) { return node.inode }
        return try probe(parent, name)?.description.inode
    }

    private func lookup(
        _ item: borrowing MergedDirectory.Item, _ name: Text, _ filling: Filling
    ) throws(Errno) -> Entry? {
        do throws(Errno) {
            return try lookupLocked(filling.parent, name)
        } catch {
            // One entry that cannot be read must not hide the others.
            if error == .ENOENT || error == .ESTALE || error == .EIO { return nil }
            throw error
        }
    }

    /// Whether the union shows nothing in a directory. The caller holds the tree lock.
    func isEmpty(_ node: Node) throws(Errno) -> Bool { try entries(of: node).count == 0 }
}
