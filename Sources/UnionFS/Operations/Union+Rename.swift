internal import FUSE
internal import Linux

extension Union {
    /// One name of a rename.
    private struct End {
        let parent: Node
        let name: Text
        let node: Node
    }

    /// rename, with the flags of renameat2(2). A directory with lower parts moves in constant time: its upper part notes
    /// where the lower ones are (a redirect).
    func rename(
        _ parent: Node, _ name: Text, to newParent: Node, _ newName: Text, flags: UInt32
    ) throws(Errno) {
        let flags = RenameFlags(rawValue: flags)
        if !flags.isSubset(of: [.noReplace, .exchange]) || flags == [.noReplace, .exchange] { throw .EINVAL }
        _ = try writable()
        try checkCreatable(newName)
        let node = try existing(parent, name)
        defer { forget(node.id, count: 1) }
        var target: Node?
        do throws(Errno) {
            target = try existing(newParent, newName)
        } catch {
            if error != .ENOENT { throw error }
        }
        defer { if let target { forget(target.id, count: 1) } }
        if let target {
            if flags.contains(.noReplace) { throw .EEXIST }
            if target === node { return }
        } else if flags.contains(.exchange) {
            throw .ENOENT
        }
        try copyUp(parent)
        try copyUp(node)
        try copyUp(newParent)
        try anchor(node, under: (parent, name))
        let from = End(parent: parent, name: name, node: node)
        guard let target else {
            try tree.write { () throws(Errno) in try move(from, to: newParent, newName) }
            parentChanged(of: node, from: parent, to: newParent)
            return
        }
        let to = End(parent: newParent, name: newName, node: target)
        if flags.contains(.exchange) {
            try copyUp(target)
            try anchor(target, under: (newParent, newName))
            try tree.write { () throws(Errno) in try exchange(from, to) }
            parentChanged(of: target, from: newParent, to: parent)
        } else {
            try target.lock.with { () throws(Errno) in
                try tree.write { () throws(Errno) in try replace(to, by: from) }
            }
        }
        parentChanged(of: node, from: parent, to: newParent)
    }

    /// The kernel keeps the entries of a directory that it has read, `..` among them.
    private func parentChanged(of node: Node, from parent: Node, to newParent: Node) {
        if node.isDirectory && parent !== newParent { kernel?.entriesChanged(node) }
    }

    // MARK: The three kinds

    /// To a name that the union does not show; a whiteout may be there.
    private func move(_ from: End, to newParent: Node, _ newName: Text) throws(Errno) {
        let source = try upperPlace(from.parent, from.name)
        let target = try upperPlace(newParent, newName)
        try linkUp(from.node, at: source)
        let hides = try existsBelow(from.parent, from.name)
        let status = try target.statusIfPresent()
        // Where nothing is in the upper layer, nothing visible is below: the name is a new one.
        try prepare(from.node, at: source, covers: status?.isWhiteout == true)
        if from.node.isDirectory, status?.isWhiteout == true {
            // A directory cannot replace the whiteout, but they can change places.
            try source.rename(to: target, .exchange)
            if !hides { try? source.directory.unlink(source.path) }
        } else {
            try rename(source, to: target, leavingWhiteout: hides)
        }
        try finish(from, newParent, newName, target)
    }

    private func replace(_ to: End, by from: End) throws(Errno) {
        let (_, work) = try writable()
        let source = try upperPlace(from.parent, from.name)
        let target = try upperPlace(to.parent, to.name)
        try linkUp(from.node, at: source)
        if to.node.isDirectory {
            if !from.node.isDirectory { throw .EISDIR }
            if try !isEmpty(to.node) { throw .ENOTEMPTY }
        } else if from.node.isDirectory {
            throw .ENOTDIR
        }
        try prepareLinkCount(of: to.node, losing: target)
        let status = try target.statusIfPresent()
        let hides = try existsBelow(from.parent, from.name)
        var (remains, covers) = (FileStatus(), true)
        if let status {
            remains = status
            if from.node.isDirectory { covers = try existsBelow(to.parent, to.name) }
        } else {
            remains = try place(of: to.node).status()
        }
        try prepare(from.node, at: source, covers: covers)
        if to.node.moreLinks.isEmpty { try keepRemains(of: to.node, try place(of: to.node), remains) }
        // The directory there may hold whiteouts, so that it does not count as empty on disk.
        if status != nil && from.node.isDirectory { try emptyOnDisk(target, work) }
        try takingName(of: to.node, remains, at: target) { () throws(Errno) in
            try rename(source, to: target, leavingWhiteout: hides)
        }
        let isLast = to.node.isDirectory || links(of: to.node, remains) <= 1
        if !to.node.isDirectory { nameRemoved(of: to.node, remains) }
        table.removeLink(to.parent, to.name, of: to.node, isLast: isLast)
        if let state = to.node.directory { listings.drop(state) }
        try finish(from, to.parent, to.name, target)
    }

    private func exchange(_ from: End, _ to: End) throws(Errno) {
        let source = try upperPlace(from.parent, from.name)
        let target = try upperPlace(to.parent, to.name)
        try linkUp(from.node, at: source)
        try linkUp(to.node, at: target)
        try prepare(from.node, at: source, covers: try existsBelow(to.parent, to.name))
        try prepare(to.node, at: target, covers: try existsBelow(from.parent, from.name))
        try source.rename(to: target, .exchange)
        table.exchangeLinks(from.parent, from.name, to.parent, to.name)
        for (node, parent) in [(from.node, to.parent), (to.node, from.parent)] { markImpure(parent, node) }
        entryAdded(from.parent, from.name, source)
        entryAdded(to.parent, to.name, target)
    }

    // MARK: Steps

    /// Makes a directory ready for its new place: it must keep its own lower parts and not get others.
    private func prepare(_ node: Node, at place: borrowing Place, covers: Bool) throws(Errno) {
        guard node.isDirectory else { return }
        let parts = try lowers(of: node)
        guard let first = parts.first else {
            if covers { try setBytes(stack.marks.opaque, [UInt8(ascii: "y")], place) }
            return
        }
        let below = node.directory?.pathBelow ?? first.path
        let path = UnsafeBufferPointer(start: below.pointer, count: below.length)
        do throws(Errno) {
            try setBytes(stack.marks.redirect, [UInt8(ascii: "/")] + path.map { UInt8(bitPattern: $0) }, place)
        } catch {
            // A path too long for an attribute.
            if error == .ENOSPC || error == .ERANGE || error == .E2BIG { throw .EXDEV }
            throw error
        }
    }

    /// Puts an empty directory that hides what lies below, and looks the same, in the place of one that shows nothing: what
    /// whiteouts it holds goes. As the kernel's overlay does (`ovl_clear_empty`).
    private func emptyOnDisk(_ place: borrowing Place, _ work: WorkDirectory) throws(Errno) {
        let old = try place.open([.readOnly, .directory])
        var isEmpty = true
        try old.forEachEntry { (_: DirectoryEntry) throws(Errno) in
            isEmpty = false
            return false
        }
        if isEmpty { return }
        let temporary = try work.temporary()
        try temporary.directory.makeDirectory(temporary.path, mode: 0o700)
        do throws(Errno) {
            try copyAttributes(of: old, try old.status(), to: try temporary.open([.readOnly, .directory]))
            try setBytes(stack.marks.opaque, [UInt8(ascii: "y")], temporary)
            try temporary.rename(to: place, .exchange)
        } catch {
            work.discard(temporary)
            throw error
        }
        work.discard(temporary)
    }

    private func rename(
        _ source: borrowing Place, to target: borrowing Place, leavingWhiteout: Bool
    ) throws(Errno) {
        guard leavingWhiteout else {
            try source.rename(to: target)
            return
        }
        do throws(Errno) {
            try source.rename(to: target, .whiteout)
        } catch {
            if error != .EINVAL && error != .EPERM { throw error }
            try source.rename(to: target)
            try writable().work.makeWhiteout(at: source)
        }
    }

    private func finish(_ from: End, _ newParent: Node, _ newName: Text, _ target: borrowing Place) throws(Errno) {
        table.moveLink(from.parent, from.name, to: newParent, newName)
        markImpure(newParent, from.node)
        entryRemoved(from.parent, from.name)
        entryAdded(newParent, newName, target)
    }

    /// The directory now holds an object whose number is that of a lower one. The caller holds the tree lock.
    func markImpure(_ parent: Node, _ node: Node) {
        if parent.flags.contains(.impure) { return }
        guard let upper = stack.upper, let place = try? Place.upper(upper, node), let status = try? place.status(),
            upper.inode(status.inode) != node.inode
        else { return }
        parent.set([.impure, .purityKnown])
        if let place = try? Place.upper(upper, parent) {
            try? setBytes(stack.marks.impure, [UInt8(ascii: "y")], place)
        }
    }
}
