public import Linux
internal import CFuse
internal import Glibc

/// Where readdir and readdirplus gather entries: memory of the size that the kernel asked for.
///
/// Each entry carries the offset at which the next request is to go on; offsets are the server's own numbers, of
/// which 0 is the start of the directory.
public struct DirectoryBuffer: ~Copyable {
    private let start: UnsafeMutableRawPointer
    private let capacity: Int
    private var used = 0
    private let owned: Bool

    /// Borrows memory that outlives the buffer.
    init(borrowing memory: UnsafeMutableRawBufferPointer) {
        if let address = memory.baseAddress {
            start = address
            capacity = memory.count
            owned = false
        } else {
            start = .allocate(byteCount: 8, alignment: 8)
            capacity = 0
            owned = true
        }
    }

    /// Memory of its own, for tests of a file system without a mount.
    public init(capacity: Int) {
        let size = max(capacity, 8)
        start = .allocate(byteCount: size, alignment: 8)
        self.capacity = size
        owned = true
    }

    deinit {
        if owned { start.deallocate() }
    }

    /// Whether nothing has been appended.
    public var isEmpty: Bool { used == 0 }

    /// The entries in the kernel's layout.
    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: used) }

    /// Appends an entry of a readdir reply (`struct fuse_dirent`). Returns false, and appends nothing, if it does
    /// not fit any more: send what is there.
    ///
    /// `type` may be nil where finding it out would cost; `nextOffset` is what the following entry is to be asked for by.
    public mutating func append(name: Name, inode: UInt64, type: FileType?, nextOffset: Int64) -> Bool {
        guard let place = reserve(headers: MemoryLayout<cfuse_dirent>.size, name) else { return false }
        writeEntry(at: place, name, inode, type, nextOffset)
        return true
    }

    /// Appends an entry of a readdirplus reply (`struct fuse_direntplus`): what lookup would have answered comes
    /// with it, and counts as a lookup of its node. Returns false, and appends nothing, if it does not fit any more.
    ///
    /// Give `entry` nil for "." and "..", and where the node shall be looked up only when needed.
    public mutating func append(
        name: Name, entry: Entry?, inode: UInt64, type: FileType?, nextOffset: Int64
    ) -> Bool {
        let plus = MemoryLayout<cfuse_entry_out>.size
        guard let place = reserve(headers: plus + MemoryLayout<cfuse_dirent>.size, name) else { return false }
        let wire = entry?.wire ?? cfuse_entry_out()
        place.storeBytes(of: wire, as: cfuse_entry_out.self)
        writeEntry(at: place + plus, name, inode, type, nextOffset)
        return true
    }

    /// Whether a readdirplus entry with a name of that length would fit: ask before doing a lookup that would then have
    /// to be undone.
    public func hasRoom(forNameOfLength length: Int) -> Bool {
        let headers = MemoryLayout<cfuse_entry_out>.size + MemoryLayout<cfuse_dirent>.size
        return padded(headers + length) <= capacity - used
    }

    private func padded(_ size: Int) -> Int { (size + 7) & ~7 }

    private mutating func reserve(headers: Int, _ name: Name) -> UnsafeMutableRawPointer? {
        let size = padded(headers + name.length)
        // A name of no bytes or of more than a page would make the kernel give up on the whole reply.
        guard name.length > 0, name.length <= 1024, size <= capacity - used else { return nil }
        let place = start + used
        used += size
        // Every record is a multiple of 8 long, so its last 8 bytes hold the padding, if there is any.
        (place + (size - 8)).storeBytes(of: 0, as: UInt64.self)
        return place
    }

    private func writeEntry(
        at place: UnsafeMutableRawPointer, _ name: Name, _ inode: UInt64, _ type: FileType?, _ nextOffset: Int64
    ) {
        let header = cfuse_dirent(
            ino: inode, off: UInt64(bitPattern: nextOffset), namelen: UInt32(truncatingIfNeeded: name.length),
            type: UInt32(type?.directoryEntryType ?? 0))
        place.storeBytes(of: header, as: cfuse_dirent.self)
        memcpy(place + MemoryLayout<cfuse_dirent>.size, name.pointer, name.length)
    }
}
