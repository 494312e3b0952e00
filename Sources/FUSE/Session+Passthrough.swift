public import Linux
internal import CFuse

extension Session {
    /// Whether `registerBacking` can work: the kernel has agreed to it, and this process may use it.
    ///
    /// Asked of the kernel once `start` has returned; false before.
    public var passthroughIsAvailable: Bool {
        guard capabilities.contains(.passthrough) else { return false }
        // The kernel looks at the privilege first and at the descriptor afterwards, so a descriptor that cannot exist
        // tells the two cases apart without registering anything.
        return cfuse_backing_open(core, -1) < 0 && Errno.current == .EBADF
    }

    /// Lets the kernel read and write an open regular file by itself; pass the id to the reply to open or create.
    ///
    /// The kernel keeps the file open until `closeBacking` and until the last open that uses it has gone. It opens the file
    /// again with the flags of whoever opens the node, so never register a file that must not be written for an open
    /// that can write. EPERM: not privileged. ELOOP: the file is on a stacked file system deeper than
    /// `Options.maxStackDepth` allows.
    public func registerBacking(_ file: borrowing FileDescriptor) throws(Errno) -> BackingID {
        let id = cfuse_backing_open(core, file.rawValue)
        if id <= 0 { throw id < 0 ? .current : .EIO }
        return BackingID(rawValue: id)
    }

    /// Gives a backing id back. Files opened with it stay as they are.
    public func closeBacking(_ id: BackingID) {
        _ = cfuse_backing_close(core, id.rawValue)
    }
}
