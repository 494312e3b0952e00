internal import FUSE
internal import Glibc
internal import Linux
internal import Synchronization

/// Nodes by the number that the kernel calls them by.
///
/// A number is a slot and how often the slot was used before, so that a number never means two nodes; counting starts
/// anywhere, so that a file handle of another mount hardly ever means one. Slots are found without a lock: a node stays
/// in its slot as long as the kernel may ask for it.
final class NodeNumbers: @unchecked Sendable {
    private static let pageBits: UInt64 = 10
    private static let pageSize = 1 << Int(pageBits)
    /// 64 million nodes; the array is paged in as it is used.
    private static let pageLimit = 1 << 16

    private typealias Slot = Atomic<UInt>

    private let pages: UnsafeMutablePointer<Slot>
    private let limit: Int
    /// The upper half of a number whose slot was never used before.
    private let epoch: UInt64
    private let lock = Lock()
    /// Guarded by `lock`, as is all below.
    private var used: UInt64 = 2
    private var free: [NodeID] = []

    init(epoch: UInt32 = 0) {
        self.epoch = UInt64(epoch) << 32
        // Zeroed by the kernel when it is touched, so that an empty table costs nothing. Zero bytes are Atomic(0).
        guard let memory = calloc(Self.pageLimit, MemoryLayout<Slot>.stride) else {
            pages = .allocate(capacity: 1)
            pages.initialize(to: Atomic(0))
            limit = 1
            return
        }
        pages = memory.bindMemory(to: Slot.self, capacity: Self.pageLimit)
        limit = Self.pageLimit
    }

    deinit {
        for index in 0..<limit {
            guard let page = page(index) else { break }
            for slot in 0..<Self.pageSize {
                if let node = UnsafeRawPointer(bitPattern: (page + slot).pointee.load(ordering: .relaxed)) {
                    Unmanaged<Node>.fromOpaque(node).release()
                }
            }
            page.deinitialize(count: Self.pageSize).deallocate()
        }
        Glibc.free(pages)
    }

    private func page(_ index: Int) -> UnsafeMutablePointer<Slot>? {
        UnsafeMutablePointer(bitPattern: (pages + index).pointee.load(ordering: .acquiring))
    }

    private func slot(_ number: UInt64) -> UnsafeMutablePointer<Slot>? {
        let index = Int(truncatingIfNeeded: (number & 0xffff_ffff) >> Self.pageBits)
        guard index < limit, let page = page(index) else { return nil }
        return page + Int(truncatingIfNeeded: number & UInt64(Self.pageSize - 1))
    }

    /// The node of a number; nil where there is none any more.
    func node(_ id: NodeID) -> Node? {
        guard let slot = slot(id.rawValue),
            let pointer = UnsafeRawPointer(bitPattern: slot.pointee.load(ordering: .acquiring))
        else { return nil }
        let node = Unmanaged<Node>.fromOpaque(pointer).takeUnretainedValue()
        return node.id == id ? node : nil
    }

    /// The root has number 1 from the start.
    func setRoot(_ root: Node) {
        lock.with { store(root) }
    }

    /// Gives a new node a number.
    func add(_ make: (NodeID) -> Node) -> Node {
        lock.with {
            let id: NodeID
            if let recycled = free.popLast() {
                id = NodeID(rawValue: recycled.rawValue &+ 1 << 32)
            } else {
                id = NodeID(rawValue: used | epoch)
                used += 1
            }
            let node = make(id)
            store(node)
            return node
        }
    }

    private func store(_ node: Node) {
        let index = Int(truncatingIfNeeded: (node.id.rawValue & 0xffff_ffff) >> Self.pageBits)
        if index < limit, page(index) == nil {
            let page = UnsafeMutablePointer<Slot>.allocate(capacity: Self.pageSize)
            for slot in 0..<Self.pageSize { (page + slot).initialize(to: Atomic(0)) }
            (pages + index).pointee.store(UInt(bitPattern: page), ordering: .releasing)
        }
        slot(node.id.rawValue)?.pointee.store(
            UInt(bitPattern: Unmanaged.passRetained(node).toOpaque()), ordering: .releasing)
    }

    /// The node of a number that the kernel may have forgotten, and counts a lookup of it. ESTALE where there is none any
    /// more.
    func hold(_ id: NodeID) throws(Errno) -> Node {
        try lock.with { () throws(Errno) in
            guard let node = node(id) else { throw .ESTALE }
            node.lookups.wrappingAdd(1, ordering: .acquiringAndReleasing)
            return node
        }
    }

    /// Takes a node out that nobody looks up. False where somebody does, or where it was out already.
    func remove(_ node: Node) -> Bool {
        lock.with {
            guard node.flags.contains(.listed), node.lookups.load(ordering: .acquiring) <= 0,
                let slot = slot(node.id.rawValue)
            else { return false }
            node.clear(.listed)
            slot.pointee.store(0, ordering: .releasing)
            free.append(node.id)
            Unmanaged.passUnretained(node).release()
            return true
        }
    }
}
