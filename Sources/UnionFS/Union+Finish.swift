internal import FUSE
internal import Glibc
internal import Linux

// What is done once, after the unmount, so that the upper directory says everything by itself.
extension Union {
    /// Gives every name of a copied-up file with several names its place in the upper directory, where a commit looks for
    /// them (`Configuration.completesLinks`), and notes link counts for the next mount. Nothing may be asked of the union
    /// afterwards.
    public func finish() {
        guard let work else { return }
        if configuration.completesLinks, let wanted = try? incompleteEntries(work.index), !wanted.isEmpty {
            try? linkUp(wanted, below: table.root)
        }
        work.index.savePending(beside: work.layer)
    }

    /// The files of the index that have names which the upper directory lacks, by inode number.
    private func incompleteEntries(_ index: HardLinkIndex) throws(Errno) -> [UInt64: [UInt8]] {
        var result: [UInt64: [UInt8]] = [:]
        if index.isEmpty { return result }
        let directory = try index.layer.root.open(".", [.readOnly, .directory])
        for name in try directory.sortedEntryNames() {
            let bytes = name.dropLast().map { UInt8(bitPattern: $0) }
            let place = try index.place(bytes)
            let status = try place.status()
            guard let origin = try origin(of: place, status) else { continue }
            let noted = try place.attribute(stack.marks.linkCount)
            let (lower, upper) = (Int(origin.linkCount), Int(status.linkCount))
            let links = lower + HardLinkIndex.change(noted, lowerLinks: lower, upperLinks: upper)
            // The index's own name is one more.
            if upper - 1 < links { result[origin.inode] = bytes }
        }
        return result
    }

    private func linkUp(_ wanted: [UInt64: [UInt8]], below parent: Node) throws(Errno) {
        var names: [(name: [UInt8], entry: [UInt8])] = []
        var directories: [[UInt8]] = []
        let listing = try tree.read { () throws(Errno) in try entries(of: parent) }
        try listing.forEach(after: 2) { (item, name) throws(Errno) in
            if item.type == FileType.directory.directoryEntryType {
                directories.append(Array(name.bytes))
            } else if item.part > 0, let entry = wanted[item.inode] {
                names.append((Array(name.bytes), entry))
            }
            return true
        }
        entriesChanged(parent)
        for (name, entry) in names {
            try copyUp(parent)
            try withText(name) { (name: Text) throws(Errno) in
                try tree.read { () throws(Errno) in try linkUp(entry, at: parent, name) }
            }
        }
        for name in directories {
            try withText(name) { (name: Text) throws(Errno) in
                guard let entry = try lookup(parent, name) else { return }
                let child = try node(entry.node)
                defer { forget(entry.node, count: 1) }
                try linkUp(wanted, below: child)
            }
        }
    }

    private func linkUp(_ entry: [UInt8], at parent: Node, _ name: Text) throws(Errno) {
        guard let index = work?.index, let upper = stack.upper else { return }
        let directory = try Place.upper(upper, parent)
        let before = try directory.status()
        do throws(Errno) {
            try index.place(entry).makeLink(at: try Place.upper(upper, parent, name))
        } catch {
            if error != .EEXIST { throw error }
        }
        try? directory.directory.setTimes(
            of: directory.path, access: before.accessTime, modification: before.modificationTime)
    }
}
