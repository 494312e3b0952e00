import Linux

/// Names a file as long as it exists, whatever its path.
struct FileIdentity: Hashable, Sendable {
    var device: UInt64
    var inode: UInt64

    init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    init(_ status: FileStatus) {
        self.init(device: status.device, inode: status.inode)
    }
}
