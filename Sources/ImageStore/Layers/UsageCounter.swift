import Linux

/// Adds up the allocated blocks of files as `du` does: a file with several names counts once.
struct UsageCounter {
    private var seen: Set<FileIdentity> = []
    private(set) var bytes: Int64 = 0

    /// Counts a file; false when it was counted under another name.
    @discardableResult
    mutating func add(_ status: FileStatus) -> Bool {
        if status.linkCount > 1, !status.isDirectory, !seen.insert(FileIdentity(status)).inserted { return false }
        bytes += status.allocatedSize
        return true
    }

    /// Counts a directory and all below it; what is mounted there, or may not be read, is not looked into.
    mutating func addTree(
        _ path: UnsafePointer<CChar>, in directory: borrowing FileDescriptor, onDevice device: UInt64? = nil
    ) throws(Errno) {
        let status = try directory.status(of: path)
        if let device, status.device != device { return }
        add(status)
        guard status.isDirectory else { return }
        let opened = try directory.open(path, [.directory, .noFollow])
        var directories: [[CChar]] = []
        var counter = self
        try opened.forEachEntry { (entry: DirectoryEntry) throws(Errno) in
            if entry.type == .directory {
                directories.append(entry.bytes)
                return true
            }
            do throws(Errno) {
                let status = try opened.status(of: entry.name)
                if status.isDirectory { directories.append(entry.bytes) } else { counter.add(status) }
            } catch {
                // Running containers remove files while we count.
                if error != .ENOENT { throw error }
            }
            return true
        }
        self = counter
        for name in directories {
            do throws(Errno) {
                try addTree(name, in: opened, onDevice: status.device)
            } catch {
                if error != .ENOENT && error != .EACCES { throw error }
            }
        }
    }
}
