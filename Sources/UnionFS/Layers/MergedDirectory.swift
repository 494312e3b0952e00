internal import FUSE
internal import Linux

/// The entries of a directory of the union, in an order that does not depend on when or how often it was read: by
/// a hash of the name, which is the readdir offset too. So an offset stays good whatever comes or goes, and nothing has
/// to be kept for an open directory.
///
/// A value does not change: a name that comes or goes makes another one, which has most of its entries in common with the
/// one before. So who reads a large directory while names come and go does not read it from the disk again and again.
final class MergedDirectory: Sendable {
    struct Item: Sendable {
        /// The offset that leads past this entry; 1 and 2 are "." and "..".
        let offset: Int64
        /// The inode number in its layer, made unique in the stack.
        let inode: UInt64
        let nameStart: UInt32
        let nameLength: UInt16
        /// 0: the upper part; else index into the lower parts plus 1.
        let part: UInt16
        /// `d_type`; 0 where the layer does not tell.
        let type: UInt8
        let isRemoved: Bool
    }

    /// Items sorted by offset, and the names that they point into, each with a zero behind it.
    struct Entries: Sendable {
        var items: [Item] = []
        var names: [CChar] = []

        /// Index of the first item after an offset.
        func firstIndex(after offset: Int64) -> Int {
            var (low, high) = (0, items.count)
            while low < high {
                let middle = (low + high) / 2
                if items[middle].offset <= offset { low = middle + 1 } else { high = middle }
            }
            return low
        }

        func has(_ name: Text, _ item: Item) -> Bool {
            names.withUnsafeBufferPointer { names in
                names.baseAddress.map { name.equals($0 + Int(item.nameStart), Int(item.nameLength)) } ?? false
            }
        }

        mutating func append(_ name: UnsafeBufferPointer<CChar>, _ item: Item) {
            items.append(item.moved(to: names.count))
            names.append(contentsOf: name)
            names.append(0)
        }
    }

    private let base: Entries
    /// What has come and gone since. An item of an offset that `base` has as well takes the place of that one.
    private let changes: Entries
    /// Number of entries.
    let count: Int
    /// What `ListingCache` counts it as.
    let weight: Int

    /// So many changes are folded into the rest.
    private static let changeLimit = 512
    /// Names of one hash, which hardly ever happen, have offsets next to each other.
    private static let collisions: Int64 = 16

    init(_ entries: Entries) {
        base = entries
        changes = Entries()
        count = entries.items.count
        weight = max(entries.items.count, 16)
    }

    private init(_ base: Entries, _ changes: Entries, count: Int, weight: Int) {
        self.base = base
        self.changes = changes
        self.count = count
        self.weight = weight
    }

    // MARK: Reading

    /// Calls `body` with each entry after an offset until it returns false.
    func forEach(
        after offset: Int64, _ body: (borrowing Item, Text) throws(Errno) -> Bool
    ) throws(Errno) {
        var failure: Errno?
        base.names.withUnsafeBufferPointer { old in
            changes.names.withUnsafeBufferPointer { new in
                do throws(Errno) {
                    var (index, change) = (base.firstIndex(after: offset), changes.firstIndex(after: offset))
                    while let (item, isNew) = next(&index, &change) {
                        if item.isRemoved { continue }
                        guard let names = (isNew ? new : old).baseAddress else { continue }
                        if try !body(item, Text(names + Int(item.nameStart), length: Int(item.nameLength))) { return }
                    }
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
    }

    /// The next item of both, by offset, and whether it is a change.
    private func next(_ index: inout Int, _ change: inout Int) -> (Item, isNew: Bool)? {
        guard change < changes.items.count else {
            guard index < base.items.count else { return nil }
            defer { index += 1 }
            return (base.items[index], false)
        }
        let new = changes.items[change]
        if index < base.items.count, base.items[index].offset <= new.offset {
            let old = base.items[index]
            index += 1
            if old.offset < new.offset { return (old, false) }
        }
        change += 1
        return (new, true)
    }

    // MARK: Changing

    /// The same with one more name in the upper part, or with what the name is now. Nil where another name has the same
    /// hash: the directory is to be read again.
    func adding(_ name: Text, inode: UInt64, type: UInt8) -> MergedDirectory? {
        guard let known = find(name) else { return nil }
        let item = Item(
            offset: Self.offset(of: name), inode: inode, nameStart: 0, nameLength: UInt16(clamping: name.length),
            part: 0,
            type: type, isRemoved: false)
        return changed(name, item, count: known.isThere ? count : count + 1)
    }

    /// The same without a name.
    func removing(_ name: Text) -> MergedDirectory? {
        guard let known = find(name) else { return nil }
        guard known.isThere else { return self }
        let item = Item(
            offset: Self.offset(of: name), inode: 0, nameStart: 0, nameLength: UInt16(clamping: name.length), part: 0,
            type: 0, isRemoved: true)
        return changed(name, item, count: count - 1)
    }

    private struct Presence {
        var isThere: Bool
    }

    /// Whether a name is there; nil where another name has an offset next to its own.
    private func find(_ name: Text) -> Presence? {
        let offset = Self.offset(of: name)
        var isThere = false
        for entries in [base, changes] {
            var index = entries.firstIndex(after: offset - Self.collisions)
            while index < entries.items.count, entries.items[index].offset < offset + Self.collisions {
                let item = entries.items[index]
                if item.offset != offset || !entries.has(name, item) { return nil }
                isThere = !item.isRemoved
                index += 1
            }
        }
        return Presence(isThere: isThere)
    }

    private func changed(_ name: Text, _ item: Item, count: Int) -> MergedDirectory {
        var changes = changes
        let index = changes.firstIndex(after: item.offset - 1)
        if index < changes.items.count, changes.items[index].offset == item.offset {
            changes.items[index] = item.moved(to: Int(changes.items[index].nameStart))
        } else {
            changes.items.insert(item.moved(to: changes.names.count), at: index)
            changes.names.append(contentsOf: UnsafeBufferPointer(start: name.pointer, count: name.length))
            changes.names.append(0)
        }
        let result = MergedDirectory(base, changes, count: count, weight: weight)
        return changes.items.count < Self.changeLimit ? result : result.folded()
    }

    /// The same without changes.
    private func folded() -> MergedDirectory {
        var all = Entries()
        all.items.reserveCapacity(count)
        all.names.reserveCapacity(base.names.count)
        try? forEach(after: 0) { (item, name) throws(Errno) in
            all.append(UnsafeBufferPointer(start: name.pointer, count: name.length), copy item)
            return true
        }
        return MergedDirectory(all, Entries(), count: all.items.count, weight: weight)
    }

    /// About where the entry of a number is: offsets are spread evenly. Beyond the last one for a number that is too high.
    func offset(ofEntry number: Int) -> Int64 {
        if number >= count { return .max }
        // The highest offset is 2^62.
        return Int64(Double(number) / Double(count) * Double(1 << 62))
    }

    static func offset(of name: Text) -> Int64 { Int64(bitPattern: name.hash(seed: 0) >> 2 | 4) }
}

extension MergedDirectory.Item {
    /// The same whose name begins at another place.
    fileprivate func moved(to start: Int) -> Self {
        Self(
            offset: offset, inode: inode, nameStart: UInt32(clamping: start), nameLength: nameLength, part: part,
            type: type, isRemoved: isRemoved)
    }
}

/// Gathers the entries of a directory's parts, topmost first.
struct MergedDirectoryBuilder {
    private var items: [MergedDirectory.Item] = []
    private var names: [CChar] = []
    /// Indices into `items` plus 1 by hash, to tell names that a higher part has already; unused for a single part.
    private var table: [UInt32] = []
    /// Whiteouts and entries alike hide what lies below.
    private var isWhiteout: [Bool] = []
    private let isMerging: Bool

    init(partCount: Int) { isMerging = partCount > 1 }

    mutating func add(_ name: Text, inode: UInt64, type: UInt8, part: Int, isWhiteout whiteout: Bool) {
        let offset = MergedDirectory.offset(of: name)
        if isMerging {
            if find(name, offset) { return }
            insert(offset)
        } else if whiteout {
            return
        }
        isWhiteout.append(whiteout)
        items.append(
            MergedDirectory.Item(
                offset: offset, inode: inode, nameStart: UInt32(clamping: names.count),
                nameLength: UInt16(clamping: name.length), part: UInt16(clamping: part), type: type, isRemoved: false))
        names.append(contentsOf: UnsafeBufferPointer(start: name.pointer, count: name.length))
        names.append(0)
    }

    private func find(_ name: Text, _ offset: Int64) -> Bool {
        if table.isEmpty { return false }
        var slot = Self.slot(offset, table.count)
        while table[slot] != 0 {
            let item = items[Int(table[slot]) - 1]
            if item.offset == offset {
                let same = names.withUnsafeBufferPointer { names in
                    names.baseAddress.map { name.equals($0 + Int(item.nameStart), Int(item.nameLength)) } ?? false
                }
                if same { return true }
            }
            slot = (slot + 1) & (table.count - 1)
        }
        return false
    }

    private static func slot(_ offset: Int64, _ count: Int) -> Int {
        Int(truncatingIfNeeded: (offset >> 4) & Int64(count - 1))
    }

    private mutating func insert(_ offset: Int64) {
        if (items.count + 1) * 2 > table.count {
            table = [UInt32](repeating: 0, count: max(64, table.count * 2))
            for index in items.indices { place(items[index].offset, index) }
        }
        place(offset, items.count)
    }

    private mutating func place(_ offset: Int64, _ index: Int) {
        var slot = Self.slot(offset, table.count)
        while table[slot] != 0 { slot = (slot + 1) & (table.count - 1) }
        table[slot] = UInt32(clamping: index + 1)
    }

    /// The directory without its whiteouts, in order.
    consuming func finish() -> MergedDirectory {
        var kept: [MergedDirectory.Item] = []
        if isMerging {
            kept.reserveCapacity(items.count)
            for index in items.indices where !isWhiteout[index] { kept.append(items[index]) }
        } else {
            kept = items
        }
        kept.sort { $0.offset < $1.offset }
        // Two names of one hash, which hardly ever happens, get offsets one after the other.
        var previous: Int64 = 0
        for index in kept.indices {
            if kept[index].offset <= previous {
                let item = kept[index]
                kept[index] = MergedDirectory.Item(
                    offset: previous + 1, inode: item.inode, nameStart: item.nameStart, nameLength: item.nameLength,
                    part: item.part, type: item.type, isRemoved: false)
            }
            previous = kept[index].offset
        }
        return MergedDirectory(MergedDirectory.Entries(items: kept, names: names))
    }
}
