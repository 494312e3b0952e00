internal import FUSE
internal import Linux
internal import Synchronization

/// What is known of a copied-up file that had several names in its lower layer.
///
/// All its names stay one file: the copy is kept under a name made of the lower inode's handle, in a directory beside
/// the upper one, and every name of the lower file leads to it. This is the kernel's `index=on`, in its format.
final class IndexEntry: Sendable {
    /// Name in the index directory.
    let name: [UInt8]
    /// How many names the lower file has.
    let lowerLinks: Int
    /// Names made less names removed in the union since.
    let change: Atomic<Int>

    init(name: [UInt8], lowerLinks: Int, change: Int) {
        self.name = name
        self.lowerLinks = lowerLinks
        self.change = Atomic(change)
    }

    /// How many names the file has in the union.
    var links: Int { max(lowerLinks + change.load(ordering: .relaxed), 0) }
}

/// The index directory.
final class HardLinkIndex: Sendable {
    let layer: Layer
    /// Entries there are; while there are none, nothing is looked for.
    private let count: Atomic<Int>
    /// Changes of the link counts of lower files that have not been copied up, by the inode number that programs see.
    private let pending = Mutex<[UInt64: Int]>([:])
    private let log = LinkCountLog()

    init(layer: Layer, count: Int) {
        self.layer = layer
        self.count = Atomic(count)
    }

    var isEmpty: Bool { count.load(ordering: .relaxed) <= 0 }

    func place(_ entry: IndexEntry) throws(Errno) -> Place { try place(entry.name) }

    func place(_ name: [UInt8]) throws(Errno) -> Place {
        try withText(name) { (text: Text) throws(Errno) in try Place.plain(layer, text) }
    }

    func added() { count.wrappingAdd(1, ordering: .relaxed) }

    /// Removes the entry of a file whose last name has gone.
    func remove(_ entry: IndexEntry) {
        guard let place = try? place(entry) else { return }
        try? place.directory.unlink(place.path)
        count.wrappingSubtract(1, ordering: .relaxed)
    }

    // MARK: Names

    /// The name of an entry: the origin's handle in hexadecimal, as the kernel names it; device and number where the file
    /// system has no handles.
    static func name(origin: [UInt8]?, inode: UInt64) -> [UInt8] {
        guard let origin, origin.count <= 120 else { return Array("inode-".utf8) + hexadecimal(inode) }
        return hexadecimal(origin)
    }

    /// Two digits for each byte.
    static func hexadecimal(_ bytes: [UInt8]) -> [UInt8] {
        var digits: [UInt8] = []
        digits.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            digits.append(digit(byte >> 4))
            digits.append(digit(byte & 15))
        }
        return digits
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

    private static func hexadecimal(_ value: UInt64) -> [UInt8] {
        (0..<16).reversed().map { digit(UInt8(truncatingIfNeeded: value >> ($0 * 4)) & 15) }
    }

    // MARK: Link counts

    /// The change noted on an entry's file: "L+1" is relative to the lower file's count, "U-1" to the upper one's.
    static func change(_ value: [UInt8]?, lowerLinks: Int, upperLinks: Int) -> Int {
        guard let value, let first = value.first, first == UInt8(ascii: "L") || first == UInt8(ascii: "U"),
            let number = Int(String(decoding: value.dropFirst(), as: UTF8.self).drop { $0 == "+" })
        else { return 0 }
        return first == UInt8(ascii: "L") ? number : upperLinks + number - lowerLinks
    }

    static func noted(_ change: Int) -> [UInt8] { noted("L", change) }

    /// Relative to the upper file's count, which changes in one step with a name that comes or goes.
    static func noted(relativeToUpper change: Int) -> [UInt8] { noted("U", change) }

    private static func noted(_ form: String, _ change: Int) -> [UInt8] {
        Array("\(form)\(change < 0 ? "" : "+")\(change)".utf8)
    }

    /// How the link count of a lower file differs from what its layer says.
    func pendingChange(_ inode: UInt64) -> Int { pending.withLock { $0[inode] ?? 0 } }

    func allPending() -> [UInt64: Int] { pending.withLock { $0 } }

    /// The file has been copied up: its entry keeps the count from now on.
    func dropPending(_ inode: UInt64) {
        let change = pending.withLock { $0.removeValue(forKey: inode) }
        if let change, change != 0 { log.append(inode, -change, beside: layer) }
    }

    /// A name of a lower file is about to go, which leaves something at a place of the upper layer where nothing is now.
    /// Noted on disk, so that the next mount finds out by that place whether it has gone, should this server be killed.
    func announcePending(_ inode: UInt64, _ change: Int, _ place: borrowing Place) {
        guard let path = place.fullPath else { return }
        log.announce(inode, change, path, beside: layer)
    }

    /// The name has gone.
    func notePending(_ inode: UInt64, _ change: Int) {
        loadPending(inode, change)
        log.append(inode, change, beside: layer)
    }

    /// It has not.
    func withdrawPending(_ inode: UInt64) { log.append(inode, 0, beside: layer) }

    /// What the disk says of a link count.
    func loadPending(_ inode: UInt64, _ change: Int) {
        pending.withLock { $0[inode, default: 0] &+= change }
    }
}

extension Union {
    /// A file of the index has got or lost a name, which `prepareLinkCount` has made good on disk; removes its entry with the
    /// last one.
    func indexChanged(_ entry: IndexEntry, by change: Int) {
        entry.change.wrappingAdd(change, ordering: .relaxed)
        if entry.links <= 0 { work?.index.remove(entry) }
    }

    /// Before a name of a file that is in the index comes or goes: from then on the link count on disk is right before and
    /// after, because it is noted relative to the upper file's own, and that changes with the name. So a name that is about to
    /// go has to be one of the upper file's. The kernel's overlay does the same (`ovl_nlink_start`).
    func prepareLinkCount(of node: Node) throws(Errno) {
        guard let entry = node.index, let index = work?.index else { return }
        let object = try index.place(entry)
        let count = Int(try object.status().linkCount)
        try setBytes(stack.marks.linkCount, HardLinkIndex.noted(relativeToUpper: entry.links - count), object)
    }

    /// As above, for a name that goes; `name` is its place in the upper layer, where nothing may be as yet.
    func prepareLinkCount(of node: Node, losing name: borrowing Place) throws(Errno) {
        guard let entry = node.index, let index = work?.index else { return }
        if try name.statusIfPresent() == nil { try giveName(entry, index, at: name) }
        try prepareLinkCount(of: node)
    }

    /// Makes one of a file's names, which it has in a lower layer, one of the upper file's: the union's link count stays, and
    /// the upper one's grows.
    private func giveName(_ entry: IndexEntry, _ index: HardLinkIndex, at place: borrowing Place) throws(Errno) {
        let object = try index.place(entry)
        try setBytes(stack.marks.linkCount, HardLinkIndex.noted(entry.change.load(ordering: .relaxed)), object)
        try object.makeLink(at: place)
    }

    /// Runs `body`, which takes a name away: from a file that is in no layer but the lower ones the count is noted first, with
    /// the place where the upper layer has something afterwards.
    func takingName(
        of node: Node, _ status: FileStatus, at place: borrowing Place, _ body: () throws(Errno) -> Void
    ) throws(Errno) {
        guard !node.isUpper, !node.isDirectory, status.linkCount > 1, let index = work?.index else { return try body() }
        index.announcePending(node.inode, -1, place)
        do throws(Errno) {
            try body()
        } catch {
            index.withdrawPending(node.inode)
            throw error
        }
    }

    /// The names that a file still has, before one of them is removed. `status` is that of the name in its layer.
    func links(of node: Node, _ status: FileStatus) -> Int {
        if let entry = node.index { return entry.links }
        let count = Int(status.linkCount)
        if node.isUpper || count <= 1 { return count }
        return max(count + (work?.index.pendingChange(node.inode) ?? 0), 0)
    }

    /// One name of a file has been removed.
    func nameRemoved(of node: Node, _ status: FileStatus) {
        if let entry = node.index {
            indexChanged(entry, by: -1)
        } else if !node.isUpper && status.linkCount > 1 {
            work?.index.notePending(node.inode, -1)
        }
    }

    /// The index entry of a lower file with several names, if it has been copied up through one of them.
    func indexed(
        _ place: borrowing Place, _ status: FileStatus
    ) throws(Errno) -> (entry: IndexEntry, status: FileStatus)? {
        guard let index = work?.index, !index.isEmpty else { return nil }
        let object = try place.open(.path)
        let name = HardLinkIndex.name(origin: originValue(of: object), inode: place.layer.inode(status.inode))
        return try indexed(name, lowerLinks: Int(status.linkCount))
    }

    /// The index entry of an upper file that came from a lower one with several names.
    func indexed(_ origin: Origin, _ status: FileStatus) throws(Errno) -> IndexEntry? {
        guard let index = work?.index, !index.isEmpty, origin.linkCount > 1 else { return nil }
        let name = HardLinkIndex.name(origin: origin.value, inode: origin.inode)
        guard let found = try indexed(name, lowerLinks: Int(origin.linkCount)),
            found.status.inode == status.inode
        else { return nil }
        return found.entry
    }

    private func indexed(
        _ name: [UInt8], lowerLinks: Int
    ) throws(Errno) -> (entry: IndexEntry, status: FileStatus)? {
        guard let place = try work?.index.place(name), let status = try place.statusIfPresent() else { return nil }
        let noted = try place.attribute(stack.marks.linkCount)
        let change = HardLinkIndex.change(noted, lowerLinks: lowerLinks, upperLinks: Int(status.linkCount))
        return (IndexEntry(name: name, lowerLinks: lowerLinks, change: change), status)
    }

    /// Makes sure that a name of an indexed file exists in the upper directory, as a rename needs. The parents are there,
    /// and the caller holds the tree lock.
    func linkUp(_ node: Node, at place: borrowing Place) throws(Errno) {
        guard let entry = node.index, let index = work?.index else { return }
        if try place.statusIfPresent() != nil { return }
        try giveName(entry, index, at: place)
    }
}
