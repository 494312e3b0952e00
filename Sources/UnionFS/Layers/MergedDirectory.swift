internal import FUSE
internal import Linux

/// The entries of a directory of the union, in an order that does not depend on when or how often it was read: by
/// a hash of the name, which is the readdir offset too. So an offset stays good whatever comes or goes, and nothing has
/// to be kept for an open directory.
final class MergedDirectory: @unchecked Sendable {
    struct Item {
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
        var isRemoved: Bool
    }

    /// Sorted by offset.
    private(set) var items: [Item]
    private let names: [CChar]
    /// Number of items that are not removed.
    private(set) var count: Int

    init(items: [Item], names: [CChar]) {
        self.items = items
        self.names = names
        count = items.count
    }

    var size: Int { items.count }

    /// Calls `body` with each entry after an offset until it returns false.
    func forEach(
        after offset: Int64, _ body: (borrowing Item, Text) throws(Errno) -> Bool
    ) throws(Errno) {
        var index = firstIndex(after: offset)
        var failure: Errno?
        names.withUnsafeBufferPointer { names in
            guard let start = names.baseAddress else { return }
            do throws(Errno) {
                while index < items.count {
                    let item = items[index]
                    index += 1
                    if item.isRemoved { continue }
                    let name = Text(start + Int(item.nameStart), length: Int(item.nameLength))
                    if try !body(item, name) { return }
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private func firstIndex(after offset: Int64) -> Int {
        var (low, high) = (0, items.count)
        while low < high {
            let middle = (low + high) / 2
            if items[middle].offset <= offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Takes a name out. Names never come back: a directory that gets a new one is read again.
    func remove(_ name: Text) {
        let offset = Self.offset(of: name)
        var index = firstIndex(after: offset - 1)
        // Names of equal hashes have offsets next to each other.
        while index < items.count && items[index].offset - offset < 16 {
            let item = items[index]
            let matches = names.withUnsafeBufferPointer { names in
                names.baseAddress.map { name.equals($0 + Int(item.nameStart), Int(item.nameLength)) } ?? false
            }
            if matches {
                if !item.isRemoved { count -= 1 }
                items[index].isRemoved = true
                return
            }
            index += 1
        }
    }

    static func offset(of name: Text) -> Int64 { Int64(bitPattern: name.hash(seed: 0) >> 2 | 4) }
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
        return MergedDirectory(items: kept, names: names)
    }
}
