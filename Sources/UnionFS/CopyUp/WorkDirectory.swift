internal import FUSE
internal import Glibc
internal import Linux
internal import Synchronization

/// The directory for what is unfinished: on the file system of the upper directory, so that finished things move into
/// place by a rename.
///
/// `work/` in it holds temporary objects, which the next mount removes, and one whiteout that all others are hard
/// links of.
final class WorkDirectory: Sendable {
    /// The directory itself, locked while the mount lives, so that no second one uses the same directories.
    let lock: FileDescriptor
    /// `work/`.
    let layer: Layer
    /// `index/`.
    let index: HardLinkIndex
    private let counter = Atomic<UInt64>(0)
    /// Guards the making of a new shared whiteout.
    private let whiteoutLock = Lock()
    private static let whiteoutName: StaticString = "whiteout"
    /// Inode number of the shared whiteout; 0 until it is known. Any number of whiteouts seen by readdir are this one.
    private let whiteoutInode = Atomic<UInt64>(0)

    init(lock: consuming FileDescriptor, layer: Layer, index: HardLinkIndex) {
        self.lock = lock
        self.layer = layer
        self.index = index
    }

    /// A place for a temporary object, with a name nobody else uses.
    func temporary() throws(Errno) -> Place {
        let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
        var bytes: [UInt8] = [UInt8(ascii: "#")]
        var rest = number
        repeat {
            let digit = UInt8(truncatingIfNeeded: rest & 15)
            bytes.append(digit < 10 ? 48 + digit : 87 + digit)
            rest >>= 4
        } while rest > 0
        return try withText(bytes) { (text: Text) throws(Errno) in try Place.plain(layer, text) }
    }

    /// The place of the one object in a temporary directory.
    func place(below directory: borrowing Place) throws(Errno) -> Place {
        let path = (directory.fullPath ?? []) + Array("/object".utf8)
        return try withText(path) { (text: Text) throws(Errno) in try Place.plain(layer, text) }
    }

    /// A regular file without a name on the upper file system, to be linked into place. Nil where that file system has no
    /// `O_TMPFILE`.
    func temporaryFile() throws(Errno) -> FileDescriptor? {
        do throws(Errno) {
            return try layer.root.open(".", [.temporaryFile, .readWrite], mode: 0o600)
        } catch {
            if error == .EOPNOTSUPP || error == .EISDIR || error == .EINVAL { return nil }
            throw error
        }
    }

    // MARK: Whiteouts

    /// Whether an inode number is that of the shared whiteout.
    func isSharedWhiteout(_ inode: UInt64) -> Bool {
        inode != 0 && inode == whiteoutInode.load(ordering: .relaxed)
    }

    /// Makes a whiteout at a place of the upper layer where there is nothing. EEXIST where there is something.
    func makeWhiteout(at place: borrowing Place) throws(Errno) {
        for _ in 0..<3 {
            do throws(Errno) {
                try linkWhiteout(to: place)
                return
            } catch {
                switch error {
                case .ENOENT where whiteoutInode.load(ordering: .relaxed) == 0: try makeShared(replacing: false)
                case .EMLINK: try makeShared(replacing: true)
                case .EPERM, .EOPNOTSUPP, .EXDEV:
                    // A file system without hard links.
                    try place.directory.makeNode(place.path, mode: S_IFCHR)
                    return
                default: throw error
                }
            }
        }
        try place.directory.makeNode(place.path, mode: S_IFCHR)
    }

    /// Makes the whiteout that all others are links of. EPERM where the file system takes none: it is a union itself.
    func makeSharedWhiteout() throws(Errno) { try makeShared(replacing: false) }

    private func linkWhiteout(to place: borrowing Place) throws(Errno) {
        try layer.root.makeLink(of: Self.whiteoutName.cString, in: place.directory, at: place.path)
    }

    private func makeShared(replacing: Bool) throws(Errno) {
        try whiteoutLock.with { () throws(Errno) in
            if !replacing && whiteoutInode.load(ordering: .relaxed) != 0 { return }
            let temporary = try self.temporary()
            try temporary.directory.makeNode(temporary.path, mode: S_IFCHR)
            let inode = try temporary.status().inode
            try temporary.directory.rename(temporary.path, to: layer.root, Self.whiteoutName.cString)
            whiteoutInode.store(inode, ordering: .relaxed)
        }
    }

    /// Puts a whiteout in the place of the object there, atomically. What was there moves to the temporary place that
    /// is returned, for the caller to remove.
    func exchangeForWhiteout(_ place: borrowing Place) throws(Errno) -> Place {
        let temporary = try self.temporary()
        try makeWhiteout(at: temporary)
        do throws(Errno) {
            try temporary.rename(to: place, .exchange)
        } catch {
            try? temporary.directory.unlink(temporary.path)
            throw error
        }
        return temporary
    }

    /// Puts a whiteout in the place of a file, atomically.
    func replaceByWhiteout(file place: borrowing Place) throws(Errno) {
        let temporary = try self.temporary()
        try makeWhiteout(at: temporary)
        do throws(Errno) {
            try temporary.rename(to: place)
        } catch {
            try? temporary.directory.unlink(temporary.path)
            throw error
        }
    }

    /// Removes a temporary object and all below it. What cannot be removed now is removed by the next mount.
    func discard(_ place: borrowing Place) {
        try? place.directory.removeTree(place.path)
    }
}
